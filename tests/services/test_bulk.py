"""Several secondary posts at once: each by its own approval, or none at all."""

from typing import Any

import pytest

from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import bulk, review
from avatar_scheduler.services.bulk import Pair
from avatar_scheduler.services.people import Person
from tests.services.cast import outsider, person
from tests.world import World


def pair(version: Any) -> Pair:
    return Pair(version.id, version.sha256)


def approve(world: World, *pairs: Pair, who: Person | None = None) -> list[str]:
    with world.write() as session:
        return bulk.approve(session, world.settings, who or world.ada, "maya", list(pairs), world.now)


def states(world: World, *versions: Any) -> set[str]:
    with world.read() as session:
        return {str(review.find(session, world.ada, v.id)[1].state) for v in versions}


def offered(world: World, who: Person | None = None, slug: str = "maya") -> list[str]:
    with world.read() as session:
        cards = bulk.offered(session, world.settings, who or world.ada, slug, world.now)
        return [card.title for card in cards]


def test_each_gets_its_own_approval_and_a_second_time_changes_nothing(world: World) -> None:
    versions = [world.version(world.post("tip", title=f"Tip {n}", at=f"+{n + 1}h")) for n in range(3)]
    assert offered(world) == ["Tip 0", "Tip 1", "Tip 2"]
    given = approve(world, *map(pair, versions))
    assert len(set(given)) == 3
    assert states(world, *versions) == {"approved"}
    assert approve(world, *map(pair, versions)) == given


def test_one_core_post_in_the_list_refuses_all_of_it(world: World) -> None:
    tip, reply = world.version(world.post("tip")), world.version(world.post("reply"))
    world.watch(reply)  # even one that was watched
    assert offered(world) == ["Onions"]
    with pytest.raises(Invalid, match="its own card"):
        approve(world, pair(tip), pair(reply))
    assert states(world, tip, reply) == {PostState.in_review}


def test_what_changed_meanwhile_refuses_all_of_it(world: World) -> None:
    tip, other = world.version(world.post("tip")), world.version(world.post("recap"))
    with pytest.raises(Conflict):
        approve(world, pair(tip), Pair(other.id, tip.sha256))
    assert states(world, tip, other) == {PostState.in_review}


def test_what_is_too_late_is_neither_offered_nor_taken(world: World) -> None:
    tip = world.version(world.post("tip"))
    world.now = world.delivery(tip).latest_start
    world.later(seconds=1)
    assert offered(world) == []
    with pytest.raises(Invalid):
        approve(world, pair(tip))


@pytest.mark.parametrize("count", [0, 21])
def test_at_most_twenty_and_at_least_one(world: World, count: int) -> None:
    with pytest.raises(Invalid, match="1 to 20"):
        approve(world, *(Pair(f"v{n}", "0" * 64) for n in range(count)))


def test_the_same_one_twice_is_refused(world: World) -> None:
    tip = world.version(world.post("tip"))
    with pytest.raises(Invalid, match="each once"):
        approve(world, pair(tip), pair(tip))


def test_needs_a_role_that_decides_and_reaches_the_creator(world: World) -> None:
    tip = world.version(world.post("tip"))
    with pytest.raises(Forbidden):
        approve(world, pair(tip), who=person(world, "editor"))
    cy = outsider(world)
    with pytest.raises(NotFound):
        approve(world, pair(tip), who=cy)
    with pytest.raises(NotFound):
        offered(world, cy)
    assert states(world, tip) == {PostState.in_review}
