"""Stronger at once, weaker by two owners and a day, never below the floor."""

from datetime import timedelta

import pytest

from avatar_scheduler.db.tables import Creator, Organization
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused, SchedulerError
from avatar_scheduler.domain.stages import ALL_KINDS, ANYONE, CLIENT, CREATOR, Stage
from avatar_scheduler.services import policies, policy_changes
from avatar_scheduler.services.people import Person
from tests.services import cast
from tests.world import World

STRONG = (Stage((CREATOR,)), Stage(("role:approver",)))
WEAK = (Stage((ANYONE,)),)
DAY = timedelta(hours=24)


@pytest.fixture
def creator(world: World) -> Creator:
    return cast.agency(world)[2]


def put(world: World, who: Person, creator: Creator, *stages: Stage, kind: str = ALL_KINDS) -> str:
    with world.write() as session:
        return policy_changes.put(session, who, creator, kind, stages, world.now).id


def in_force(world: World, creator: Creator, kind: str = "reply") -> tuple[Stage, ...]:
    with world.read() as session:
        return policies.of(session, creator, kind, world.now).stages


def test_a_stronger_one_holds_at_once(world: World, creator: Creator) -> None:
    put(world, world.ada, creator, *STRONG)
    assert in_force(world, creator) == STRONG


def test_a_weaker_one_takes_another_owner_and_a_day(world: World, creator: Creator) -> None:
    other = cast.person(world, "owner")
    row = put(world, world.ada, creator, *WEAK)
    before = in_force(world, creator)
    with world.write() as session, pytest.raises(Forbidden):
        policy_changes.second(session, world.ada, row, world.now)
    with world.write() as session:
        policy_changes.second(session, other, row, world.now)
    world.later(seconds=DAY.total_seconds() - 1)
    assert in_force(world, creator) == before
    world.later(seconds=1)
    assert in_force(world, creator) == WEAK


def test_a_stronger_one_meanwhile_outlives_it(world: World, creator: Creator) -> None:
    other = cast.person(world, "owner")
    row = put(world, world.ada, creator, *WEAK)
    with world.write() as session:
        policy_changes.second(session, other, row, world.now)
    put(world, world.ada, creator, *STRONG)
    world.later(days=2)
    assert in_force(world, creator) == STRONG


def test_one_owner_alone_weakens_nothing(world: World, creator: Creator) -> None:
    with pytest.raises(Refused) as refused:
        put(world, world.ada, creator, *WEAK)
    assert refused.value.code == "one_owner"


def test_who_is_alone_waits_a_day_too(world: World) -> None:
    put(world, world.ada, world.maya, *WEAK)
    assert in_force(world, world.maya) == (Stage((CREATOR,)),)
    world.later(days=1)
    assert in_force(world, world.maya) == WEAK


def test_agreement_grows_old_and_can_be_dropped(world: World, creator: Creator) -> None:
    other = cast.person(world, "owner")
    row = put(world, world.ada, creator, *WEAK)
    with world.write() as session, pytest.raises(Conflict):
        policy_changes.second(session, other, row, world.now + timedelta(days=7))
    with world.write() as session:
        policy_changes.drop(session, cast_admin(world), row, world.now)
    with world.write() as session, pytest.raises(Conflict):
        policy_changes.second(session, other, row, world.now)


def cast_admin(world: World) -> Person:
    with world.read() as session:
        assert session.get_one(Organization, world.ada.organization_id)
    return Person(**{**vars(world.ada), "role": "admin", "session_id": "x"})


@pytest.mark.parametrize("role", ["manager", "editor", "approver", "client", "analyst", "auditor", "api"])
def test_others_set_none(world: World, role: str) -> None:
    with pytest.raises(Forbidden):
        put(world, cast.person(world, role), world.maya, *STRONG)


def test_a_creator_makes_their_own_stronger_and_not_weaker(world: World) -> None:
    _, leo, creator = cast.agency(world)
    put(world, leo, creator, *STRONG)
    with pytest.raises(Forbidden):
        put(world, leo, creator, Stage((CREATOR,)))
    assert in_force(world, creator) == STRONG


def test_an_admin_weakens_nothing(world: World, creator: Creator) -> None:
    cast.person(world, "owner")
    with pytest.raises(Forbidden):
        put(world, cast.person(world, "admin"), creator, *WEAK)


@pytest.mark.parametrize(
    ("kind", "stages"),
    [
        (ALL_KINDS, ()), ("reply", ()), ("nonsense", (Stage((CREATOR,)),)), ("reply", (Stage(("role:analyst",)),)),
        ("reply", (Stage(("role:api",)),)), ("reply", (Stage(("member:nobody",)),)), ("reply", (Stage(("true",)),)),
        ("reply", (Stage(()),)), ("reply", (Stage((CREATOR, CREATOR)),)), ("reply", (Stage((CLIENT,)),) * 6),
    ],
)  # fmt: skip
def test_below_the_floor_is_no_policy(world: World, creator: Creator, kind: str, stages: tuple[Stage, ...]) -> None:
    cast.person(world, "owner")
    with pytest.raises(Invalid):
        put(world, world.ada, creator, *stages, kind=kind)
    assert in_force(world, creator) == (Stage((CREATOR,)),)


def test_a_secondary_kind_may_have_no_stage(world: World) -> None:
    put(world, world.ada, world.maya, kind="tip")
    world.later(days=1)
    assert in_force(world, world.maya, "tip") == ()
    assert in_force(world, world.maya, "reply") == (Stage((CREATOR,)),)


def test_others_creators_are_not_there(world: World, creator: Creator) -> None:
    with pytest.raises(NotFound):
        put(world, cast.outsider(world), creator, *STRONG)


def test_time_set_by_sql_weakens_nothing(world: World, creator: Creator) -> None:
    cast.person(world, "owner")
    put(world, world.ada, creator, *WEAK)
    world.sql("UPDATE policy SET effective_at = created_at, seconded_by = 'x'")
    world.later(days=9)
    assert in_force(world, creator) == (Stage((CREATOR,)),)
    with world.read() as session:
        for row in policy_changes.pending(session, world.ada, world.now):
            with pytest.raises(SchedulerError):
                policy_changes.second(session, world.ada, row.id, world.now)
