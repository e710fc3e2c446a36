"""The publish worker's threads: everything due goes out once, and nothing holds up the rest."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.publishers.own_feed import OwnFeed
from avatar_scheduler.services import crew as crews
from avatar_scheduler.services import holds, posts, publish
from avatar_scheduler.services.crew import Crew
from tests.services.test_crowd import crowd, states
from tests.services.test_dispatch import copies
from tests.world import SCRIPT, World


@pytest.fixture(autouse=True)
def _scripts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posts, "render_script", lambda *_: SCRIPT)


@pytest.fixture
def crew(world: World) -> Crew:
    world.settings = world.settings.model_copy(update={"lease_seconds": 60})
    return Crew(world.settings, world.clock)


def test_one_bell_publishes_and_reads_back_all_that_is_due(world: World, crew: Crew) -> None:
    made = crowd(world, 20)
    later = world.delivery(world.version(world.post(at=(world.now + timedelta(hours=2)).isoformat())))
    crew.look()
    assert states(world) == {DeliveryState.published: 20, world.again(later).state: 1}
    assert Counter(line["item"] for line in world.ledger) == Counter(one.id for one in made)


def test_two_crews_and_many_bells_send_each_once(world: World, crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "AHEAD", 6)
    made = crowd(world, 30)
    other = Crew(world.settings, world.clock)
    with ThreadPoolExecutor(8) as pool:
        for bell in [pool.submit(one.look) for _ in range(4) for one in (crew, other)]:
            bell.result(120)
    assert states(world) == {DeliveryState.published: 30}
    assert Counter(line["item"] for line in world.ledger) == Counter(one.id for one in made)


def test_a_crowd_that_cannot_go_does_not_hide_who_can(
    world: World, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crews, "AHEAD", 10)
    delivery = world.approved()
    copies(world, delivery, 40, ready_at=delivery.ready_at - timedelta(seconds=60))  # of no version: kept back
    world.due(delivery)
    crew.look()
    assert states(world) == {DeliveryState.kept_back: 40, DeliveryState.published: 1}


def test_what_is_held_is_looked_at_again_soon(world: World, crew: Crew) -> None:
    delivery = world.approved()
    with world.write() as session:
        holds.put(session, world.ada, "organization", "", "leak", world.now)
    world.due(delivery)
    crew.look()
    crew.look()
    assert world.again(delivery).lease_until == world.now + publish.LOOK_AGAIN
    with world.write() as session:
        holds.lift(session, world.ada, world.now)
    world.later(seconds=5)
    crew.look()
    assert world.again(delivery).state is DeliveryState.published


def test_a_platform_that_hangs_holds_its_own_hand_only(
    world: World, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, upload = crowd(world, 12), OwnFeed.upload
    slow, go_on = made[0].id, threading.Event()

    def hang(self: OwnFeed, parcel: Any, *args: Any) -> Any:
        if parcel.delivery_id == slow:
            assert go_on.wait(60)
        return upload(self, parcel, *args)

    monkeypatch.setattr(OwnFeed, "upload", hang)
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(crew.look)
        while len(world.ledger) < 11:
            assert not looking.done()
        assert slow not in {line["item"] for line in world.ledger}
        go_on.set()
        looking.result(60)
    assert len(world.ledger) == 12


def test_a_stop_ends_what_was_begun_and_gives_back_the_rest(
    world: World, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crews, "HANDS", 2)
    made, upload = crowd(world, 10), OwnFeed.upload
    inside, go_on = threading.Barrier(3), threading.Event()

    def slowly(self: OwnFeed, *args: Any) -> Any:
        inside.wait(60)
        assert go_on.wait(60)
        return upload(self, *args)

    monkeypatch.setattr(OwnFeed, "upload", slowly)
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(crew.look)
        inside.wait(60)
        crew.stop()
        go_on.set()
        looking.result(60)
    assert states(world) == {DeliveryState.published: 2, DeliveryState.scheduled: 8}
    with world.write() as session:
        free = rows.take(session, world.now, world.now + timedelta(minutes=1), "next", 100)
    assert len(free) == 8
    assert set(free) | {line["item"] for line in world.ledger} == {one.id for one in made}


def test_a_broken_row_stops_no_other(world: World, crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    made = crowd(world, 5)
    world.sql("UPDATE version SET manifest = 'x' WHERE id = :one", one=made[0].version_id)
    crew.look()
    assert states(world)[DeliveryState.published] == 4
    assert made[0].id not in {line["item"] for line in world.ledger}


def test_what_was_taken_and_never_begun_is_free_after_its_lease(world: World, crew: Crew) -> None:
    """A process that was killed right after it took a batch."""
    [delivery] = crowd(world, 1)
    with world.write() as session:
        rows.take(session, world.now, world.now + timedelta(seconds=60), "killed", 100)
    crew.look()
    assert world.again(delivery).state is DeliveryState.scheduled
    world.later(seconds=60)
    crew.look()
    assert world.again(delivery).state is DeliveryState.published
