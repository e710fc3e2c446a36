"""A day later: what is out there is read back once more, and goes when it must. The count is the feed's own ledger."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Creator, Delivery, Incident, Receipt
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Conflict, OutcomeUnknown, Refused
from avatar_scheduler.publishers.own_feed import OwnFeed
from avatar_scheduler.services import again, dispatch, incidents, installation, settle
from avatar_scheduler.services import publish as publishing
from tests.world import World


def accepted(world: World) -> Delivery:
    delivery = world.approved()
    world.due(delivery)
    publishing.run(world.settings, delivery.id, world.clock)
    return world.again(delivery)


def a_day_later(world: World, delivery: Delivery) -> None:
    world.later(hours=24)
    settle.run(world.settings, delivery.id, world.clock)


def receipt(world: World) -> Receipt:
    with world.read() as session:
        return session.exec(select(Receipt)).one()


def found(world: World) -> list[Incident]:
    with world.read() as session:
        return list(session.exec(select(Incident).order_by(Incident.found_at)))  # type: ignore[arg-type]


def entries(world: World, noun_id: str) -> list[str]:
    """Oldest first."""
    with world.read() as session:
        return [row.action for row in audits.about(session, world.ada.organization_id, [noun_id])][::-1]


def item(world: World) -> Path:
    [path] = (world.settings.feed / "items" / "maya").glob("*.json")
    return path


def strip(world: World) -> None:
    """Somebody takes the first line off the caption."""
    values = json.loads(item(world).read_text())
    item(world).write_text(json.dumps({**values, "caption": values["caption"].partition("\n\n")[2]}))


def another(world: World) -> None:
    values = json.loads(item(world).read_text())
    item(world).write_text(json.dumps({**values, "manifest_sha256": "0" * 64}))


def removed(world: World) -> list[bool]:
    return [line["removed"] is True for line in world.ledger]


def policy(world: World, takedown: str) -> None:
    with world.write() as session:
        maya = session.get_one(Creator, world.maya.id)
        installation.set_rules(session, world.ada, maya, None, takedown, world.now)


class TestTheSecondLook:
    def test_it_comes_after_a_day_and_once(self, world: World) -> None:
        delivery = world.publish(world.approved())
        published = world.now
        assert receipt(world).again_at == published + timedelta(hours=24)
        world.later(hours=23)
        settle.run(world.settings, delivery.id, world.clock)
        assert receipt(world).read_back_at == published
        world.later(hours=1)
        for _ in range(3):
            settle.run(world.settings, delivery.id, world.clock)
        assert (receipt(world).read_back_at, receipt(world).again_at) == (world.now, None)
        assert entries(world, delivery.id).count("delivery.read_back") == 1
        assert found(world) == []

    def test_the_clock_rings_for_it(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        delivery = world.publish(world.approved())
        bells: list[str] = []

        def ring(_: object, name: str, noun_id: str) -> bool:
            bells.append(f"{name} {noun_id}")
            return True

        monkeypatch.setattr(dispatch, "ring", ring)
        sweeper = dispatch.Sweeper(world.settings)
        world.later(hours=24, seconds=-2)
        assert sweeper.sweep(world.now) == world.later(seconds=2)
        assert bells == []
        sweeper.sweep(world.now)
        assert bells == [f"publish.settle {delivery.id}"]

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (strip, incidents.UNMARKED),
            (another, incidents.ANOTHER),
            (lambda world: item(world).unlink(), incidents.VANISHED),
        ],
    )
    def test_what_is_no_longer_what_was_approved_is_an_incident(self, world: World, change: Any, told: str) -> None:
        delivery = world.publish(world.approved())
        change(world)
        a_day_later(world, delivery)
        [incident] = found(world)
        assert (incident.what, incident.delivery_id, incident.found_at) == (told, delivery.id, world.now)
        assert entries(world, delivery.id)[-1] == "delivery.incident"
        assert receipt(world).marked is False
        with world.read() as session:
            [notice] = incidents.open_for(session, world.ada)
        assert (notice.id, notice.what, notice.title, notice.state) == (incident.id, told, "Onions", "open")
        assert removed(world) == [False]  # a person is asked
        assert receipt(world).again_at is None

    def test_one_that_cannot_be_seen_is_no_incident_and_asked_for_later_and_later(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        delivery = world.publish(world.approved())
        policy(world, "auto")

        def away(*_: Any) -> Any:
            raise OutcomeUnknown("No line.")

        monkeypatch.setattr(OwnFeed, "read_back", away)
        world.later(hours=24)
        waits = []
        while (due := receipt(world).again_at) is not None:
            world.now = max(due, world.now)
            settle.run(world.settings, delivery.id, world.clock)
            if (later := receipt(world).again_at) is not None:
                waits.append(int((later - world.now).total_seconds() / 60))
        assert waits[:8] == [10, 20, 40, 80, 160, 320, 360, 360]
        assert 6 * 24 * 60 < sum(waits) < 9 * 24 * 60
        assert found(world) == []
        assert removed(world) == [False]
        assert "No clear answer came for a week" in world.again(delivery).reason
        assert entries(world, delivery.id).count("delivery.needs_person") == 1

    def test_one_seen_after_some_tries_is_done_with(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        delivery = world.publish(world.approved())
        with monkeypatch.context() as away:
            away.setattr(OwnFeed, "read_back", lambda *_: (_ for _ in ()).throw(OutcomeUnknown("No line.")))
            a_day_later(world, delivery)
        world.later(minutes=10)
        settle.run(world.settings, delivery.id, world.clock)
        assert (receipt(world).again_at, world.again(delivery).looks) == (None, 0)

    def test_a_damaged_version_is_told_at_once_and_asked_for_again(self, world: World) -> None:
        delivery = world.publish(world.approved())
        world.sql("UPDATE version SET manifest = '{}'")
        a_day_later(world, delivery)
        assert "changed after it was frozen" in world.again(delivery).reason
        assert receipt(world).again_at == world.now + again.SOONEST
        assert found(world) == []

    def test_a_file_of_ours_that_is_gone_is_told_and_no_incident(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        delivery = world.publish(world.approved())

        def lost(*_: Any) -> Any:
            raise FileNotFoundError("captions")

        monkeypatch.setattr(OwnFeed, "read_back", lost)
        a_day_later(world, delivery)
        assert "captions" in world.again(delivery).reason
        assert receipt(world).again_at == world.now + again.SOONEST
        assert found(world) == []

    def test_eight_workers_at_once_look_once(self, world: World) -> None:
        delivery = world.publish(world.approved())
        strip(world)
        world.later(hours=24)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: settle.run(world.settings, delivery.id, world.clock), range(8)))
        assert len(found(world)) == 1
        assert entries(world, delivery.id).count("delivery.read_back") == 1

    def test_the_same_trouble_is_told_again_only_after_somebody_closed_it(self, world: World) -> None:
        delivery = accepted(world)
        strip(world)
        settle.run(world.settings, delivery.id, world.clock)
        assert world.again(delivery).state is DeliveryState.published
        a_day_later(world, delivery)
        [incident] = found(world)
        with world.write() as session:
            incidents.close(session, world.ada, incident.id, world.now)
            session.exec(select(Receipt)).one().again_at = world.now
        settle.run(world.settings, delivery.id, world.clock)
        assert [one.closed_at is None for one in found(world)] == [False, True]


class TestTakingDown:
    def test_a_person_asks_and_the_worker_does_it_once(self, world: World) -> None:
        delivery = world.publish(world.approved())
        strip(world)
        a_day_later(world, delivery)
        [incident] = found(world)
        for _ in range(2):
            with world.write() as session:
                incidents.take_down(session, world.ada, incident.id[:12], world.now)
        with world.read() as session:
            assert incidents.open_for(session, world.ada)[0].state == "taking_down"
        for _ in range(3):
            settle.run(world.settings, delivery.id, world.clock)
            world.later(hours=7)
        assert removed(world) == [False, True]
        assert entries(world, incident.id) == ["incident.takedown", "incident.taken_down"]
        with world.read() as session:
            assert incidents.open_for(session, world.ada)[0].state == "taken_down"
        with pytest.raises(Conflict, match="already"), world.write() as session:
            incidents.take_down(session, world.ada, incident.id, world.now)

    @pytest.mark.parametrize("when", ["at the first look", "a day later"])
    def test_a_creator_who_said_auto_has_it_gone_at_once(self, world: World, when: str) -> None:
        policy(world, "auto")
        if when == "a day later":
            delivery = world.publish(world.approved())
            strip(world)
            a_day_later(world, delivery)
        else:
            delivery = accepted(world)
            strip(world)
            for _ in range(2):  # the second is what the bell of the first rings for
                settle.run(world.settings, delivery.id, world.clock)
        assert removed(world) == [False, True]
        [incident] = found(world)
        assert incident.taken_down_at == world.now
        assert incident.closed_at is None  # somebody must still hear of it
        assert entries(world, incident.id) == ["incident.takedown", "incident.taken_down"]
        assert receipt(world).again_at is None

    @pytest.mark.parametrize("change", [another, lambda world: item(world).unlink()])
    def test_auto_is_about_marks_alone(self, world: World, change: Any) -> None:
        policy(world, "auto")
        delivery = world.publish(world.approved())
        change(world)
        a_day_later(world, delivery)
        settle.run(world.settings, delivery.id, world.clock)
        assert len(found(world)) == 1
        assert True not in removed(world)

    def test_auto_never_takes_what_no_longer_shows_our_media(self, world: World) -> None:
        policy(world, "auto")
        delivery = world.publish(world.approved())
        strip(world)
        values = json.loads(item(world).read_text())
        item(world).write_text(json.dumps({**values, "media_sha256": "0" * 64}))
        a_day_later(world, delivery)
        assert [one.what for one in found(world)] == [incidents.UNMARKED]
        assert removed(world) == [False]

    def test_an_answer_that_never_came_is_asked_for_until_it_comes(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        policy(world, "auto")
        delivery = world.publish(world.approved())
        strip(world)
        take_down = OwnFeed.take_down

        def and_drop(self: OwnFeed, *args: Any) -> None:
            take_down(self, *args)
            raise OutcomeUnknown("The line broke.")

        with monkeypatch.context() as broken:
            broken.setattr(OwnFeed, "take_down", and_drop)
            a_day_later(world, delivery)
        [incident] = found(world)
        assert incident.taken_down_at is None
        settle.run(world.settings, delivery.id, world.clock)  # too early
        assert found(world)[0].taken_down_at is None
        world.later(minutes=10)
        settle.run(world.settings, delivery.id, world.clock)
        assert found(world)[0].taken_down_at == world.now
        assert removed(world) == [False, True]  # it was gone: nobody had to be asked twice
        assert len(found(world)) == 1  # that it is gone is no news

    def test_waits_grow_while_the_item_is_seen_but_will_not_go(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        policy(world, "auto")
        delivery = world.publish(world.approved())
        strip(world)

        def away(*_: Any) -> None:
            raise OutcomeUnknown("No line.")

        monkeypatch.setattr(OwnFeed, "take_down", away)
        world.later(hours=24)
        waits = []
        while (due := receipt(world).again_at) is not None:
            world.now = max(due, world.now)
            settle.run(world.settings, delivery.id, world.clock)
            if (later := receipt(world).again_at) is not None:
                waits.append(int((later - world.now).total_seconds() / 60))
        assert waits[:6] == [10, 10, 20, 40, 80, 160]
        assert 6 * 24 * 60 < sum(waits) < 9 * 24 * 60
        with world.read() as session:
            assert incidents.open_for(session, world.ada)[0].state == "takedown_failed"

    def test_a_certain_no_is_told_and_a_person_may_ask_again(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        policy(world, "auto")
        delivery = world.publish(world.approved())
        strip(world)

        def refuse(*_: Any) -> None:
            raise Refused("Another post stands there.", code="not_ours")

        with monkeypatch.context() as broken:
            broken.setattr(OwnFeed, "take_down", refuse)
            a_day_later(world, delivery)
        [incident] = found(world)
        assert world.again(delivery).reason == "Another post stands there."
        assert receipt(world).again_at is None
        with world.read() as session:
            assert incidents.open_for(session, world.ada)[0].state == "takedown_failed"
        with world.write() as session:
            incidents.take_down(session, world.ada, incident.id, world.now)
        settle.run(world.settings, delivery.id, world.clock)
        assert removed(world) == [False, True]

    def test_closing_calls_it_off(self, world: World) -> None:
        delivery = world.publish(world.approved())
        strip(world)
        a_day_later(world, delivery)
        [incident] = found(world)
        with world.write() as session:
            incidents.take_down(session, world.ada, incident.id, world.now)
            incidents.close(session, world.ada, incident.id, world.now)
        settle.run(world.settings, delivery.id, world.clock)
        assert removed(world) == [False]

    def test_an_early_look_for_a_takedown_does_not_stand_for_the_later_one(self, world: World) -> None:
        delivery = accepted(world)
        strip(world)
        settle.run(world.settings, delivery.id, world.clock)
        published = world.now
        [incident] = found(world)
        world.later(hours=1)
        with world.write() as session:
            incidents.take_down(session, world.ada, incident.id, world.now)
            incidents.close(session, world.ada, incident.id, world.now)
        settle.run(world.settings, delivery.id, world.clock)
        assert removed(world) == [False]
        assert receipt(world).again_at == published + again.DAY

    def test_a_wish_written_into_the_database_alone_takes_nothing_down(self, world: World) -> None:
        """The log says who asked. A row that somebody made ready for it is only looked at."""
        delivery = world.publish(world.approved())
        with world.write() as session:
            session.add(
                Incident(
                    organization_id=delivery.organization_id,
                    delivery_id=delivery.id,
                    what=incidents.UNMARKED,
                    url="",
                    found_at=world.now,
                )
            )
        a_day_later(world, delivery)
        assert removed(world) == [False]
