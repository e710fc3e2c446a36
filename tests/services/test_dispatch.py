"""The clock: each duty of a sweep, and when it looks next."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.db.columns import new_id
from avatar_scheduler.db.tables import Delivery, Post
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.queue import PUBLISH, RENDER, SETTLE
from avatar_scheduler.services import dispatch, holds, renders
from avatar_scheduler.services import publish as publishing
from avatar_scheduler.services.dispatch import IDLE, RING_AGAIN, TERM, Sweeper
from tests.world import World


class Bells(list[tuple[str, str]]):
    """Rings instead of Redis; `broken` is a Redis that is away."""

    broken = False

    def ring(self, _: object, name: str, noun_id: str) -> bool:
        self.append((name, noun_id))
        return not self.broken

    def of(self, name: str) -> list[str]:
        return [noun_id for rung, noun_id in self if rung == name]


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> Bells:
    from avatar_scheduler.db import engine

    found = Bells()
    monkeypatch.setattr(dispatch, "ring", found.ring)
    monkeypatch.setattr(engine, "ring", lambda *_: True)  # those of a commit; here the sweep's own count
    return found


@pytest.fixture
def clock(world: World) -> Sweeper:
    return Sweeper(world.settings)


def copies(world: World, delivery: Delivery, count: int, **changed: Any) -> list[str]:
    """More deliveries of the same version, as an agency with a full calendar has."""
    with world.write() as session:
        made = [Delivery(**{**delivery.model_dump(), "id": new_id(), **changed}) for _ in range(count)]
        session.add_all(made)
        return [row.id for row in made]


class TestRinging:
    def test_what_is_due_is_rung_and_what_is_not_is_left(self, world: World, clock: Sweeper, bells: Bells) -> None:
        delivery = world.approved()
        clock.sweep(world.now)
        assert bells == []
        world.due(delivery)
        clock.sweep(world.now)
        assert bells == [(PUBLISH, delivery.id)]

    def test_a_bell_is_not_repeated_at_once_and_a_lost_one_is(self, world: World, clock: Sweeper, bells: Bells) -> None:
        world.due(world.approved())
        for _ in range(3):
            clock.sweep(world.now)
        assert len(bells) == 1
        clock.sweep(world.later(seconds=RING_AGAIN.total_seconds()))
        assert len(bells) == 2

    def test_a_queued_render_is_rung(self, world: World, clock: Sweeper, bells: Bells) -> None:
        post = world.post()
        with world.write() as session:
            render = renders.submit(session, world.settings, world.ada, session.get_one(Post, post.id), world.now)
        clock.sweep(world.now)
        assert bells == [(RENDER, render.id)]

    def test_what_was_accepted_is_rung_until_it_is_read_back(self, world: World, clock: Sweeper, bells: Bells) -> None:
        delivery = world.approved()
        world.due(delivery)
        publishing.run(world.settings, delivery.id, world.clock)
        clock.sweep(world.now)
        assert bells == [(SETTLE, delivery.id)]

    def test_while_redis_is_away_a_sweep_tries_once(self, world: World, clock: Sweeper, bells: Bells) -> None:
        delivery = world.approved()
        copies(world, delivery, 20)
        world.due(delivery)
        bells.broken = True
        clock.sweep(world.now)
        assert len(bells) == 1
        bells.broken = False
        clock.sweep(world.later(milliseconds=50))
        assert len(bells) == 2  # one bell for all that is due

    def test_each_batch_calls_one_more_publisher(
        self, world: World, clock: Sweeper, bells: Bells, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dispatch, "BATCH", 5)
        delivery = world.approved()
        copies(world, delivery, 11)
        world.due(delivery)
        clock.sweep(world.now)
        assert len(set(bells.of(PUBLISH))) == 3

    def test_what_a_publisher_took_is_not_rung_until_its_lease_is_over(
        self, world: World, clock: Sweeper, bells: Bells
    ) -> None:
        delivery = world.approved()
        world.due(delivery)
        until = world.now + timedelta(seconds=3)
        with world.write() as session:
            assert rows.take(session, world.now, until, "one", 5) == [delivery.id]
            assert rows.take(session, world.now, until, "two", 5) == []
            assert rows.due(session, delivery.id, world.now, "two") is None
        assert clock.sweep(world.now) == until
        assert bells == []
        clock.sweep(until)
        assert bells == [(PUBLISH, delivery.id)]


class TestKeepingBack:
    def test_what_is_late_is_kept_back_with_who_was_late(self, world: World, clock: Sweeper) -> None:
        decided = world.approved()
        undecided = world.delivery(world.version(world.post()))
        world.now = decided.latest_start
        clock.sweep(world.now)
        assert world.again(decided).state is DeliveryState.scheduled
        world.now = max(decided.latest_start, undecided.latest_start)
        clock.sweep(world.later(seconds=1))
        assert "Too late" in world.again(decided).reason
        assert "Nobody decided" in world.again(undecided).reason

    def test_what_a_worker_has_in_hand_is_left_to_it(self, world: World, clock: Sweeper) -> None:
        """The row was scheduled when the clock looked, and claimed a moment after."""
        delivery = world.approved()
        world.now = delivery.latest_start
        with world.write() as session:
            row = rows.due(session, delivery.id, world.now, "publish")
            assert row is not None
            rows.claim(session, row, world.now, world.now + timedelta(minutes=1), "publish")
        clock._guarded(dispatch._keep_back, delivery.id, world.later(seconds=1))
        assert world.again(delivery).state is DeliveryState.claimed

    def test_a_broken_row_stops_no_other(self, world: World, clock: Sweeper, bells: Bells) -> None:
        delivery = world.approved()
        [broken] = copies(world, delivery, 1, state=DeliveryState.claimed, lease_until=world.now)  # without an attempt
        late = world.delivery(world.version(world.post()))
        world.now = max(late.latest_start, delivery.ready_at)
        due = world.approved()
        world.due(due)
        next_at = clock.sweep(world.later(seconds=1))
        assert world.again(late).state is DeliveryState.kept_back
        assert due.id in bells.of(PUBLISH)
        with world.read() as session:
            assert session.get_one(Delivery, broken).state is DeliveryState.claimed
        assert next_at == world.now + IDLE  # and does not keep the clock spinning


class TestTheNextLook:
    def test_it_is_the_next_due_moment(self, world: World, clock: Sweeper, bells: Bells) -> None:
        assert clock.sweep(world.now) == world.now + IDLE
        delivery = world.approved()
        world.now = delivery.ready_at - timedelta(seconds=2)
        assert clock.sweep(world.now) == delivery.ready_at
        world.now = delivery.ready_at
        assert clock.sweep(world.now) == world.now + IDLE

    def test_it_is_the_end_of_a_lease(self, world: World, clock: Sweeper, bells: Bells) -> None:
        delivery = world.approved()
        world.due(delivery)
        until = world.now + timedelta(seconds=3)
        with world.write() as session:
            row = rows.due(session, delivery.id, world.now, "publish")
            assert row is not None
            rows.claim(session, row, world.now, until, "publish")
            rows.open_attempt(session, row, new_id(), "0" * 64, {}, world.now)
        assert clock.sweep(world.now) == until
        clock.sweep(until)
        assert world.again(delivery).state is DeliveryState.scheduled

    def test_it_is_the_next_read_back(self, world: World, clock: Sweeper, bells: Bells) -> None:
        delivery = world.approved()
        world.due(delivery)
        publishing.run(world.settings, delivery.id, world.clock)
        look = world.now + timedelta(seconds=3)
        with world.write() as session:
            rows.take_look(session, session.get_one(Delivery, delivery.id), world.now, look)
        assert clock.sweep(world.now) == look


class TestTwoClocks:
    def test_the_second_does_nothing_until_the_first_falls_silent(self, world: World, bells: Bells) -> None:
        first, second = Sweeper(world.settings), Sweeper(world.settings)
        world.due(world.approved())
        first.sweep(world.now)
        assert second.sweep(world.now) == world.now + IDLE
        assert len(bells) == 1
        second.sweep(world.later(seconds=TERM.total_seconds()))
        assert len(bells) == 2
        first.sweep(world.now)  # back from a long pause: no longer the leader
        assert len(bells) == 2


def test_a_hold_keeps_it_scheduled_until_it_is_too_late(world: World, clock: Sweeper, bells: Bells) -> None:
    delivery = world.approved()
    with world.write() as session:
        holds.put(session, world.ada, "organization", "", "leak", world.now)
    world.due(delivery)
    until: datetime = delivery.latest_start
    while world.now <= until:
        clock.sweep(world.now)
        publishing.run(world.settings, delivery.id, world.clock)
        world.later(minutes=5)
    clock.sweep(world.now)
    assert world.again(delivery).state is DeliveryState.kept_back
    assert world.ledger == []
