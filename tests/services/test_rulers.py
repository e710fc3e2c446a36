"""Whoever rules gets round neither two owners and a day, nor their own reach."""

from dataclasses import replace

import pytest

from avatar_scheduler.db.tables import Creator, Organization
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.domain.stages import ALL_KINDS, ANYONE, Stage
from avatar_scheduler.services import api_keys, members, policy_changes
from avatar_scheduler.services.people import Person
from tests.services import cast
from tests.world import World

STRONG = (Stage((ANYONE,)), Stage(("role:approver",)))
WEAK = (Stage((ANYONE,)),)


def put(world: World, creator: Creator) -> None:
    with world.write() as session:
        policy_changes.put(session, world.ada, creator, ALL_KINDS, WEAK, world.now)


@pytest.fixture
def limited(world: World) -> Person:
    """An admin of one creator."""
    noa = cast.creator_of(world, world.ada, "noa")
    return replace(cast.person(world, "admin"), reach=frozenset({noa.id}))


def test_no_longer_an_agency_weakens_nothing_for_another_person(world: World) -> None:
    _, _, leo = cast.agency(world)
    with world.write() as session:
        members.become(session, world.ada, "solo", world.now)
    with pytest.raises(Refused):
        put(world, leo)


def test_a_kind_written_by_sql_weakens_nothing_for_another_person(world: World) -> None:
    _, _, leo = cast.agency(world)
    with world.write() as session:
        session.get_one(Organization, world.ada.organization_id).kind = "solo"
    with pytest.raises(Refused):
        put(world, leo)


def test_one_of_two_owners_does_not_weaken_alone_by_ending_the_agency(world: World) -> None:
    cast.agency(world)
    cast.person(world, "owner")
    noa = cast.creator_of(world, world.ada, "noa")
    with world.write() as session:
        members.become(session, world.ada, "solo", world.now)
        policy_changes.put(session, world.ada, noa, ALL_KINDS, STRONG, world.now)
        row = policy_changes.put(session, world.ada, noa, ALL_KINDS, WEAK, world.now)
        assert row.effective_at is None


def test_a_key_reaches_no_more_than_its_maker(world: World, limited: Person) -> None:
    with pytest.raises(Invalid), world.write() as session:
        api_keys.make(session, limited, "k", (), 30, world.now)


def test_nobody_is_given_more_than_the_giver_reaches(world: World, limited: Person) -> None:
    with pytest.raises(Invalid), world.write() as session:
        members.change(session, limited, limited.member_id, "admin", (), world.now)
    with pytest.raises(Invalid), world.write() as session:
        members.invite(session, limited, "w@example.org", "W", "editor", (), world.now)


def test_a_key_ends_with_the_role_it_was_made_in(world: World) -> None:
    admin = cast.person(world, "admin")
    with world.write() as session:
        _, token = api_keys.make(session, admin, "k", (), 30, world.now)
    with world.write() as session:
        members.change(session, world.ada, admin.member_id, "analyst", (), world.now)
    with world.read() as session:
        assert api_keys.who_is(session, token, world.now) is None


def test_what_waits_is_listed_within_reach(world: World, limited: Person) -> None:
    _, _, leo = cast.agency(world)
    cast.person(world, "owner")
    put(world, leo)
    with world.read() as session:
        assert policy_changes.pending(session, limited, world.now) == []
        assert len(policy_changes.pending(session, world.ada, world.now)) == 1
