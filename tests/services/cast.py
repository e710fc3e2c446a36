"""More people: anybody in any role, and Cy, who owns another organization in the same installation."""

from sqlmodel import Session

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Creator, Member, Organization
from avatar_scheduler.services import installation
from avatar_scheduler.services.people import Person
from tests.world import World


def person(world: World, role: str, organization_id: str = "") -> Person:
    """Signed in by the browser, not at the terminal."""
    with world.write() as session:
        member = Member(
            organization_id=organization_id or world.ada.organization_id,
            name=role.title(),
            email=f"{role}{organization_id}@example.org",
            role=role,
            created_at=world.now,
        )
        session.add(member)
        session.flush()
        joined(session, member)
        return Person(member.id, member.organization_id, member.name, role, "en", "csrf", "session")


def joined(session: Session, member: Member) -> None:
    """A role is believed only as the log says it."""
    audits.append(
        session, at=member.created_at, organization=member.organization_id, actor=member.id, action="member.joined",
        noun="member", noun_id=member.id, data={"role": member.role},
    )  # fmt: skip


def outsider(world: World) -> Person:
    with world.write() as session:
        other = Organization(name="Elsewhere", created_at=world.now)
        session.add(other)
        session.flush()
        organization_id = other.id
    return person(world, "owner", organization_id)


def creator_of(world: World, who: Person, slug: str) -> Creator:
    with world.write() as session:
        new = installation.NewCreator(slug.title(), slug, "en", "UTC", "leo", "city", "fictional")
        return installation.add_creator(session, who, new, world.now)
