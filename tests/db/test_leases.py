"""One clock leads; another takes over when it falls silent, with a higher term."""

from datetime import timedelta

from avatar_scheduler.db import leases
from avatar_scheduler.db.tables import Lease
from tests.world import World

TERM = timedelta(seconds=20)


def hold(world: World, owner: str) -> bool:
    with world.write() as session:
        return leases.hold(session, "clock", owner, world.now, TERM)


def term(world: World) -> int:
    with world.read() as session:
        return session.get_one(Lease, "clock").term


def test_the_first_leads_and_the_second_waits(world: World) -> None:
    assert [hold(world, "a"), hold(world, "b"), hold(world, "a")] == [True, False, True]


def test_a_leader_that_goes_on_keeps_its_term(world: World) -> None:
    hold(world, "a")
    for _ in range(5):
        world.later(seconds=15)
        assert hold(world, "a")
        assert not hold(world, "b")
    assert term(world) == 1


def test_a_silent_leader_is_followed_and_comes_back_second(world: World) -> None:
    hold(world, "a")
    world.later(seconds=20)
    assert hold(world, "b")
    assert term(world) == 2
    assert not hold(world, "a")
