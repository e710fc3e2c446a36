"""Kill switches, and how far each reaches."""

from dataclasses import replace

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Channel, Hold
from avatar_scheduler.domain.errors import Forbidden, Invalid, NotFound
from avatar_scheduler.services import holds
from avatar_scheduler.services.people import API, Person
from tests.services.cast import creator_of, outsider, person
from tests.world import World


def put(world: World, who: Person, scope: str, target_id: str = "") -> None:
    with world.write() as session:
        holds.put(session, who, scope, target_id, "stop", world.now)


def lift(world: World, who: Person) -> int:
    with world.write() as session:
        return holds.lift(session, who, world.now)


def covered(world: World, organization: str, creator: str = "c", channel: str = "k") -> bool:
    with world.read() as session:
        return holds.covering(session, organization, creator, channel) is not None


def test_each_scope_covers_its_own_and_no_more(world: World) -> None:
    mine, cy = world.ada.organization_id, outsider(world)
    with world.read() as session:
        channel = session.exec(select(Channel.id)).one()
    for scope, target, reach in (
        ("organization", "", (True, True, True, False)),
        ("creator", world.maya.id, (False, True, False, False)),
        ("channel", channel, (False, False, True, False)),
        ("everything", "", (True, True, True, True)),
    ):
        put(world, world.ada, scope, target)
        assert reach == (
            covered(world, mine),
            covered(world, mine, creator=world.maya.id),
            covered(world, mine, channel=channel),
            covered(world, cy.organization_id),
        ), scope
        assert lift(world, world.ada) == 1
        assert not covered(world, mine, world.maya.id, channel)


def test_nobody_holds_another_organization(world: World) -> None:
    cy = outsider(world)
    with pytest.raises(NotFound):
        put(world, cy, "creator", world.maya.id)
    with pytest.raises(Forbidden):
        put(world, cy, "everything")
    put(world, cy, "organization")
    assert not covered(world, world.ada.organization_id, world.maya.id)


def test_a_hold_row_of_another_organization_covers_nothing_here(world: World) -> None:
    """However it came into the table."""
    cy = outsider(world)
    with world.write() as session:
        for scope, target in (("creator", world.maya.id), ("channel", "k"), ("organization", "")):
            session.add(
                Hold(organization_id=cy.organization_id, scope=scope, target_id=target, by="cy", since=world.now)
            )
    assert not covered(world, world.ada.organization_id, world.maya.id, "k")
    assert covered(world, cy.organization_id)


def test_holding_everything_needs_the_machine_itself(world: World) -> None:
    with pytest.raises(Forbidden):
        put(world, person(world, "owner"), "everything")
    put(world, world.ada, "everything")  # at the terminal


def test_only_one_s_own_holds_are_seen_and_lifted(world: World) -> None:
    cy = outsider(world)
    put(world, world.ada, "organization")
    with world.read() as session:
        assert holds.active(session, cy) == []
        assert len(holds.active(session, world.ada)) == 1
    with pytest.raises(NotFound, match="No hold"):
        lift(world, cy)
    assert covered(world, world.ada.organization_id)


def test_lifting_twice_says_there_is_none(world: World) -> None:
    put(world, world.ada, "organization")
    put(world, world.ada, "creator", world.maya.id)
    assert lift(world, world.ada) == 2
    with pytest.raises(NotFound):
        lift(world, world.ada)


def test_an_unknown_scope_and_a_target_that_is_not_there(world: World) -> None:
    with pytest.raises(Invalid):
        put(world, world.ada, "planet")
    with pytest.raises(NotFound):
        put(world, world.ada, "creator", "nobody")
    with pytest.raises(NotFound):
        put(world, world.ada, "channel", leo_id(world))


def leo_id(world: World) -> str:
    return creator_of(world, world.ada, "leo").id


class TestOne:
    def one(self, world: World, who: Person, scope: str, target_id: str = "") -> str:
        with world.write() as session:
            return holds.put(session, who, scope, target_id, "", world.now).id

    def lift_one(self, world: World, who: Person, hold_id: str) -> None:
        with world.write() as session:
            holds.lift_one(session, who, hold_id, world.now)

    def test_is_lifted_alone_and_twice_is_once(self, world: World) -> None:
        wide = self.one(world, world.ada, "organization")
        self.one(world, world.ada, "creator", world.maya.id)
        self.lift_one(world, world.ada, wide)
        self.lift_one(world, world.ada, wide)
        assert not covered(world, world.ada.organization_id)
        assert covered(world, world.ada.organization_id, world.maya.id)

    def test_tapping_twice_stops_once(self, world: World) -> None:
        first = self.one(world, world.ada, "creator", world.maya.id)
        assert self.one(world, world.ada, "creator", world.maya.id) == first

    def test_a_program_stops_and_never_starts_again(self, world: World) -> None:
        program = replace(person(world, "manager"), role=API)
        hold_id = self.one(world, program, "organization")
        with pytest.raises(Forbidden):
            self.lift_one(world, program, hold_id)
        with pytest.raises(Forbidden):
            lift(world, program)

    def test_who_reaches_one_creator_stops_and_starts_only_theirs(self, world: World) -> None:
        leo = creator_of(world, world.ada, "leo")
        client = replace(person(world, "client"), reach=frozenset({leo.id}))
        with pytest.raises(Forbidden):
            self.one(world, client, "organization")
        with pytest.raises(NotFound):
            self.one(world, client, "creator", world.maya.id)
        wide, hers = self.one(world, world.ada, "organization"), self.one(world, world.ada, "creator", world.maya.id)
        his = self.one(world, client, "creator", leo.id)
        for hold_id in (wide, hers):
            with pytest.raises(Forbidden):
                self.lift_one(world, client, hold_id)
        with world.read() as session:
            assert {(stop.scope, stop.liftable) for stop in holds.shown(session, client)} == {
                ("organization", False), ("creator", True),
            }  # fmt: skip
            assert [one.name for one in holds.stoppable(session, client)][:1] == ["Leo"]
        self.lift_one(world, client, his)

    def test_everything_is_lifted_where_it_was_put_and_shown_to_all_without_a_name(self, world: World) -> None:
        hold_id = self.one(world, world.ada, "everything")
        cy = outsider(world)
        with world.read() as session:
            (shown,) = holds.shown(session, cy)
            assert (shown.scope, shown.by, shown.reason, shown.liftable) == ("everything", "", "", False)
        with pytest.raises(Forbidden):
            self.lift_one(world, replace(world.ada, session_id="s"), hold_id)
        self.lift_one(world, world.ada, hold_id)

    def test_of_another_organization_is_not_there(self, world: World) -> None:
        hold_id = self.one(world, world.ada, "organization")
        with pytest.raises(NotFound):
            self.lift_one(world, outsider(world), hold_id)
