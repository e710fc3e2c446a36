"""More people: anybody in any role, and Cy, who owns another organization in the same installation."""

import json
from dataclasses import replace

from sqlmodel import Session, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Assignment, Consent, Creator, Member, Organization, Policy
from avatar_scheduler.domain.stages import ALL_KINDS, Stage, plain
from avatar_scheduler.services import installation, policy_changes
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


def agency(world: World) -> tuple[Person, Person, Creator]:
    """The organization becomes an agency: Nadia manages it, and Leo is a creator with a sign-in of his own."""
    nadia, leo = person(world, "manager"), person(world, "creator")
    with world.write() as session:
        session.get_one(Organization, world.ada.organization_id).kind = "agency"
    made = creator_of(world, world.ada, "leo")
    depicts(world, made, leo)
    with world.write() as session:
        return nadia, replace(leo, reach=frozenset({made.id})), session.get_one(Creator, made.id)


def depicts(world: World, creator: Creator, who: Person) -> None:
    with world.write() as session:
        session.get_one(Creator, creator.id).member_id = who.member_id
        audits.append(
            session, at=world.now, organization=creator.organization_id, actor=who.member_id, action="creator.person",
            noun="creator", noun_id=creator.id, data={"member": who.member_id},
        )  # fmt: skip


def policy(world: World, creator: Creator, *stages: Stage, kind: str = ALL_KINDS) -> Policy:
    """In force at once, as `policy_changes` writes it."""
    text = json.dumps(plain(stages))
    with world.write() as session:
        number = len(list(session.exec(select(Policy.id).where(Policy.creator_id == creator.id)))) + 1
        row = Policy(
            organization_id=creator.organization_id, creator_id=creator.id, kind=kind, number=number, stages=text,
            set_by=world.ada.member_id, created_at=world.now, effective_at=world.now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        policy_changes.record(session, world.ada, creator, "policy.set", policy_changes.said(row), world.now)
        return row


def reaches(world: World, who: Person, creator: Creator) -> Person:
    with world.write() as session:
        session.add(
            Assignment(
                organization_id=who.organization_id, member_id=who.member_id, creator_id=creator.id,
                created_at=world.now,
            )
        )  # fmt: skip
    return replace(who, reach=(who.reach or frozenset()) | {creator.id})


def consent_gone(world: World, session: Session) -> None:
    """The consent alone is taken back. A withdrawal also stops what waits, and then nobody further on is asked."""
    for row in session.exec(select(Consent).where(Consent.creator_id == world.maya.id)):
        row.revoked_at = world.now
        audits.append(
            session, at=world.now, organization=row.organization_id, actor=world.ada.member_id,
            action="consent.revoked", noun="consent", noun_id=row.id,
        )  # fmt: skip
