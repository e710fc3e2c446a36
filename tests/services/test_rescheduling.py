"""Another time: kept inside the window that was seen, asked again outside it, refused when the row alone says so."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Approval, Delivery, Version
from avatar_scheduler.domain.delivery import GRACE, WINDOW, DeliveryState
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, SchedulerError
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import publish, rescheduling, review
from avatar_scheduler.services.rescheduling import Moved
from tests.services import cast
from tests.world import World


def move(world: World, delivery: Delivery, due: datetime) -> Moved:
    at = f"{due.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    with world.write() as session:
        return rescheduling.move(session, world.settings, world.ada, delivery.post_id, at, "UTC", world.now)


def far(world: World, kind: str = "tip") -> Delivery:
    return world.approved(kind, at="+6h")


@pytest.mark.parametrize("by", [-WINDOW, -timedelta(minutes=1), timedelta(minutes=90), WINDOW])
def test_inside_the_window_the_yes_stays(world: World, by: timedelta) -> None:
    delivery = far(world, "reply")
    due = delivery.due_at.replace(microsecond=0) + by + timedelta(seconds=1 if by < timedelta(0) else 0)
    assert move(world, delivery, due).kept
    moved = world.again(delivery)
    assert (moved.state, moved.due_at, moved.latest_start) == (DeliveryState.scheduled, due, due + GRACE)
    assert world.publish(moved).state is DeliveryState.published


@pytest.mark.parametrize("by", [-WINDOW - timedelta(minutes=1), WINDOW + timedelta(minutes=1), timedelta(days=1)])
def test_outside_it_a_new_version_asks_again(world: World, by: timedelta) -> None:
    delivery = far(world, "reply")
    moved = move(world, delivery, delivery.due_at + by)
    assert (moved.kept, moved.post.state) == (False, PostState.rendering)
    assert world.publish(delivery).state is DeliveryState.withdrawn
    assert world.ledger == []


def test_what_waits_for_a_yes_is_moved_too(world: World) -> None:
    version = world.version(world.post("reply", at="+6h"))
    delivery = world.delivery(version)
    assert move(world, delivery, delivery.due_at + timedelta(hours=1)).kept
    world.watch(version)
    world.approve(version)
    assert world.publish(world.again(delivery)).state is DeliveryState.published


def test_moving_back_is_moving(world: World) -> None:
    delivery = far(world)
    before = delivery.due_at.replace(microsecond=0)
    moved = move(world, delivery, before + timedelta(hours=2))
    assert moved.before is not None
    assert moved.before.due_at == delivery.due_at
    assert move(world, world.again(delivery), before + timedelta(seconds=1)).kept


@pytest.mark.parametrize(
    "change",
    [
        "due_at = due_at",  # the control: nothing changed
        "due_at = :other",
        "latest_start = :other",
        "due_at = :other, latest_start = :later, ready_at = :other",
    ],
)
def test_a_row_moved_behind_the_log_is_refused(world: World, change: str) -> None:
    delivery = far(world)
    other = delivery.due_at + timedelta(hours=1)
    with world.write() as session:
        row = session.get_one(Delivery, delivery.id)
        if "due_at = :other" in change:
            row.due_at = other
        if "latest_start" in change:
            row.latest_start = other + GRACE
        if "ready_at" in change:
            row.ready_at = other
    found = world.publish(world.again(delivery))
    assert found.state is (DeliveryState.published if change == "due_at = due_at" else DeliveryState.kept_back)
    assert len(world.ledger) == (change == "due_at = due_at")


@pytest.mark.parametrize(
    ("at", "zone", "code"),
    [
        ("2020-01-01 10:00", "UTC", "past"),
        ("2027-03-28 02:30", "Europe/Paris", "zone_gap"),
        ("tomorrow", "UTC", "bad_time"),
        ("2027-01-01 10:00", "Mars/Base", "unknown_zone"),
    ],
)
def test_a_time_that_is_none_is_explained(world: World, at: str, zone: str, code: str) -> None:
    delivery = far(world)
    with pytest.raises(Invalid) as wrong, world.write() as session:
        rescheduling.move(session, world.settings, world.ada, delivery.post_id, at, zone, world.now)
    assert wrong.value.code == code
    assert world.again(delivery).due_at == delivery.due_at


def test_not_while_it_goes_out_and_not_by_everybody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = far(world)
    who = cast.person(world, "approver")
    with pytest.raises(Forbidden), world.write() as session:
        rescheduling.move(session, world.settings, who, delivery.post_id, "+6h", "UTC", world.now)
    refused: list[str] = []

    def between(point: str) -> None:
        if point == "publish.before_commit":
            with pytest.raises(Conflict) as late:
                move(world, delivery, delivery.due_at + timedelta(minutes=5))
            refused.append(late.value.code)

    monkeypatch.setattr(publish, "crashpoint", between)
    assert world.publish(delivery).state is DeliveryState.published
    assert refused == ["in_flight"]


def test_hundreds_of_moves_never_leave_the_window_that_was_agreed_to(world: World) -> None:
    """Moves, yeses and their undoing in any order; what goes out does so inside the window of its version."""
    chance, out = random.Random(7), 0
    for _ in range(12):
        delivery = _fresh(world)
        agreed = (delivery.due_at - WINDOW, delivery.due_at + WINDOW)
        for _ in range(25):
            _step(world, delivery, chance)
        row = world.again(delivery)
        if row.state is not DeliveryState.scheduled:
            continue
        assert world.publish(row).state is DeliveryState.published
        assert agreed[0] <= world.now <= agreed[1] + GRACE
        out += 1
    assert len(world.ledger) == out > 0


def _fresh(world: World) -> Delivery:
    version = world.version(world.post(at="+6h"))
    world.approve(version)
    return world.delivery(version)


def _step(world: World, delivery: Delivery, chance: random.Random) -> None:
    minutes = chance.choice([-150, -119, -30, -1, 0, 1, 45, 119])
    try:
        if chance.random() < 0.6:
            if abs(minutes) < 120:
                move(world, delivery, delivery.due_at + timedelta(minutes=minutes, seconds=1))
        elif chance.random() < 0.5:
            with world.write() as session:
                for row in session.exec(select(Approval).where(Approval.version_id == delivery.version_id)):
                    review.undo(session, world.ada, row.id, row.decided_at)
        else:
            with world.write() as session:
                version = session.get_one(Version, delivery.version_id)
            world.approve(version)
    except SchedulerError:
        pass  # what is refused is refused
