"""Reading back: one settler at a time, believed only on evidence, and a person told when there is none."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from avatar_scheduler.db import audits
from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.db.tables import Delivery, Receipt
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Conflict, Invalid, OutcomeUnknown
from avatar_scheduler.publishers.base import Absent, Answer, Found
from avatar_scheduler.publishers.own_feed import OwnFeed
from avatar_scheduler.services import dispatch, settle
from avatar_scheduler.services import publish as publishing
from tests.world import World


def sent(world: World) -> Delivery:
    delivery = world.approved()
    world.due(delivery)
    publishing.run(world.settings, delivery.id, world.clock)
    found: Delivery = world.again(delivery)
    return found


def lost(world: World, monkeypatch: pytest.MonkeyPatch) -> Delivery:
    def drop(*_: Any) -> Answer:
        raise OutcomeUnknown("The line broke.")

    with monkeypatch.context() as broken:
        broken.setattr(OwnFeed, "commit", drop)
        return sent(world)


def look(world: World, delivery: Delivery) -> bool:
    return settle.run(world.settings, delivery.id, world.clock)


def actions(world: World, delivery: Delivery) -> list[str]:
    with world.read() as session:
        return [row.action for row in audits.about(session, world.ada.organization_id, [delivery.id])]


def test_eight_settlers_at_once_publish_once(world: World) -> None:
    delivery = sent(world)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: look(world, delivery), range(8)))
    assert done.count(True) == 1
    assert actions(world, delivery).count("delivery.published") == 1


def test_a_slow_settler_finds_it_settled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two looked before either wrote: the second one's record changes nothing."""
    delivery = sent(world)
    read_back = OwnFeed.read_back

    def overtaken(self: OwnFeed, *args: Any) -> Found | Absent:
        with monkeypatch.context() as fast:
            fast.setattr(OwnFeed, "read_back", read_back)
            assert look(world, delivery) is False  # booked by the first
        world.later(seconds=world.settings.lease_seconds + 1)
        with monkeypatch.context() as fast:
            fast.setattr(OwnFeed, "read_back", read_back)
            assert look(world, delivery) is True
        return read_back(self, *args)

    monkeypatch.setattr(OwnFeed, "read_back", overtaken)
    assert look(world, delivery) is False
    assert actions(world, delivery).count("delivery.published") == 1


def test_looks_come_further_and_further_apart(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = lost(world, monkeypatch)

    def away(*_: Any) -> Found:
        raise OutcomeUnknown("No line.")

    monkeypatch.setattr(OwnFeed, "read_back", away)
    waits = []
    for _ in range(9):
        began = world.now
        look(world, delivery)
        look(world, delivery)  # too early: nothing is asked
        again = world.again(delivery).look_at
        assert again is not None
        world.now = again
        waits.append(int((world.now - began).total_seconds()))
    assert waits == [5, 10, 20, 40, 80, 160, 320, 600, 600]


def test_an_absence_after_the_window_is_kept_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = lost(world, monkeypatch)
    world.now = delivery.latest_start
    world.later(seconds=1)
    look(world, delivery)
    kept = world.again(delivery)
    assert (kept.state, kept.reason[:16]) == (DeliveryState.kept_back, "It never arrived")
    assert world.ledger == []


def test_a_lost_look_is_rung_again_by_the_clock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = sent(world)
    monkeypatch.setattr(settle, "_record", lambda *_: False)  # the settler dies here
    look(world, delivery)
    monkeypatch.undo()
    assert look(world, delivery) is False
    dispatch.Sweeper(world.settings).sweep(world.later(seconds=world.settings.lease_seconds + 1))
    assert look(world, delivery) is True


def test_an_accepted_object_that_never_shows_is_told_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = sent(world)
    monkeypatch.setattr(OwnFeed, "read_back", lambda *_: Absent("Nothing there."))
    for _ in range(7):
        look(world, delivery)
        world.later(minutes=11)
    found = world.again(delivery)
    assert found.state is DeliveryState.accepted  # and never sent again
    assert "does not show it" in found.reason
    assert actions(world, delivery).count("delivery.needs_person") == 1


def test_a_version_damaged_meanwhile_is_told_and_looked_at_rarely(world: World) -> None:
    delivery = sent(world)
    world.sql("UPDATE version SET manifest = '{}'")
    for _ in range(3):
        assert look(world, delivery) is False
        again = world.again(delivery).look_at
        assert again is not None
        assert again > world.now
        world.later(minutes=11)
    assert "changed after it was frozen" in world.again(delivery).reason
    assert actions(world, delivery).count("delivery.needs_person") == 1


def test_credentials_that_do_not_open_are_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = sent(world)

    def refused(*_: Any) -> Found:
        raise Invalid("The password was changed.")

    monkeypatch.setattr(OwnFeed, "read_back", refused)
    look(world, delivery)
    found = world.again(delivery)
    assert (found.state, found.reason) == (DeliveryState.accepted, "The password was changed.")


def test_a_receipt_remembers_what_was_read_back(world: World) -> None:
    from sqlmodel import select

    delivery = sent(world)
    look(world, delivery)
    with world.read() as session:
        receipt = session.exec(select(Receipt)).one()
    assert (receipt.object_id, receipt.marked, receipt.read_back_at) == (delivery.id, True, world.now)
    assert json.loads(receipt.details)["media_sha256"]


def test_a_booked_look_is_not_booked_twice(world: World) -> None:
    delivery = sent(world)
    with world.read() as session:
        stale = session.get_one(Delivery, delivery.id)
    with world.write() as session:
        rows.take_look(session, session.get_one(Delivery, delivery.id), world.now, world.now)
    with pytest.raises(Conflict), world.write() as session:
        rows.take_look(session, stale, world.now, world.now)
