"""Who may see, close and take down."""

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Incident
from avatar_scheduler.domain.errors import Conflict, Forbidden, NotFound
from avatar_scheduler.publishers.base import Absent, Found
from avatar_scheduler.services import incidents
from tests.services.cast import outsider, person
from tests.services.test_again import a_day_later, entries, removed, strip
from tests.world import World


@pytest.fixture
def incident(world: World) -> Incident:
    delivery = world.publish(world.approved())
    strip(world)
    a_day_later(world, delivery)
    with world.read() as session:
        return session.exec(select(Incident)).one()


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Found("1", "u", marked=True, same=True, ours=True), ""),
        (Found("1", "u", marked=True, same=False, ours=True), incidents.ANOTHER),
        (Found("1", "u", marked=False, same=True, ours=True), incidents.UNMARKED),
        (Found("1", "u", marked=False, same=False), incidents.UNMARKED),
        (Absent("gone"), incidents.VANISHED),
    ],
)
def test_each_finding_has_its_word(found: Found | Absent, told: str) -> None:
    assert incidents.trouble(found) == told


def test_another_organization_neither_sees_nor_touches_it(world: World, incident: Incident) -> None:
    cy = outsider(world)
    with world.read() as session:
        assert incidents.open_for(session, cy) == []
    for act in (incidents.close, incidents.take_down):
        with pytest.raises(NotFound), world.write() as session:
            act(session, cy, incident.id, world.now)


@pytest.mark.parametrize("role", ["editor", "analyst", "visitor"])
def test_who_may_not_decide_may_not_close_or_take_down(world: World, incident: Incident, role: str) -> None:
    who = person(world, role)
    for act in (incidents.close, incidents.take_down):
        with pytest.raises(Forbidden), world.write() as session:
            act(session, who, incident.id, world.now)
    assert entries(world, incident.id) == []


def test_it_is_closed_once_and_leaves_the_notices(world: World, incident: Incident) -> None:
    with world.write() as session:
        incidents.close(session, world.ada, incident.id, world.now)
    with world.read() as session:
        assert incidents.open_for(session, world.ada) == []
        assert [one.state for one in incidents.listing(session, world.ada, closed=True)] == ["closed"]
    for act in (incidents.close, incidents.take_down):
        with pytest.raises(Conflict, match="closed"), world.write() as session:
            act(session, world.ada, incident.id, world.now)
    closed = world.again(incident)
    assert (closed.closed_at, closed.closed_by) == (world.now, world.ada.member_id)
    assert removed(world) == [False]


@pytest.mark.parametrize("incident_id", ["", "abc", "%" * 8, "_" * 32, "f" * 32])
def test_an_unknown_one_is_said(world: World, incident: Incident, incident_id: str) -> None:
    with pytest.raises(NotFound, match="incident list"), world.write() as session:
        incidents.close(session, world.ada, incident_id, world.now)


def test_a_policy_nobody_knows_asks(world: World) -> None:
    world.sql("UPDATE creator SET takedown = 'sometimes'")
    delivery = world.publish(world.approved())
    strip(world)
    a_day_later(world, delivery)
    assert removed(world) == [False]
