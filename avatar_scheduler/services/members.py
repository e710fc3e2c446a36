"""The people of an organization: inviting, joining, roles and reach, leaving. Every step is believed from the log."""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, func, select

from avatar_scheduler.db import audits, tenants
from avatar_scheduler.db.tables import (
    Assignment,
    Creator,
    Delegate,
    Invitation,
    Member,
    Organization,
    Passkey,
)
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound
from avatar_scheduler.services import api_keys, approvals, delegates, mail, people
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import ASSIGNED, MANAGE, PEOPLE, RULE, own, require

INVITATION_LIFE = timedelta(hours=24)
KINDS = ("solo", "agency")
LONGEST_NAME = 80


@dataclass(frozen=True)
class Offer:
    """What an invitation shows before any account exists."""

    organization: str
    invited_by: str
    email: str
    name: str
    role: str
    creators: tuple[str, ...]


def invite(
    session: Session, who: Person, email: str, name: str, role: str, creator_ids: tuple[str, ...], now: datetime
) -> tuple[Invitation, str]:
    """The row, and the token that is shown or sent once. An earlier invitation to the same address ends."""
    require(who, MANAGE if role in ASSIGNED else RULE, "invite people")
    email, name = mail.address(email.strip().lower()), name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"A name has 1 to {LONGEST_NAME} characters.", code="name")
    _check_role(who, role)
    if tenants.beyond(session, select(Member.id).where(Member.email == email)):
        raise Conflict("Somebody with this address is here already.", code="known")
    creators = _creators(session, who, role, creator_ids)
    for earlier in session.exec(select(Invitation).where(Invitation.email == email, col(Invitation.used_at).is_(None))):
        if earlier.organization_id == who.organization_id:
            earlier.revoked_at = earlier.revoked_at or now
    token = "inv_" + secrets.token_urlsafe(32)
    row = Invitation(
        organization_id=who.organization_id, email=email, name=name, role=role,
        creator_ids=json.dumps([creator.id for creator in creators]), token_sha256=people.digest(token),
        invited_by=who.member_id, created_at=now, expires_at=now + INVITATION_LIFE,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _note(session, row.organization_id, who.member_id, "member.invited", "invitation", row.id, {"role": role}, now)
    return row, token


def _check_role(who: Person, role: str) -> None:
    if role not in PEOPLE:
        raise Invalid(f"There is no role “{role}”. Use one of: {', '.join(sorted(PEOPLE))}.", code="role")
    if role == "owner" and who.role != "owner":
        raise Forbidden("Only an owner makes another owner.", code="role")


def _creators(session: Session, who: Person, role: str, ids: tuple[str, ...]) -> list[Creator]:
    found = [session.get(Creator, one) for one in dict.fromkeys(ids)]
    creators = [one for one in found if one is not None]
    if len(creators) < len(found):
        raise NotFound("There is no such creator.")
    for creator in creators:
        own(who, creator)
    if not creators and (role in ASSIGNED or who.reach is not None):
        raise Invalid("Say which creator this is about.", code="creator")
    if role == "creator" and (len(creators) != 1 or creators[0].member_id):
        raise Conflict("A creator's invitation is about one creator who does not sign in yet.", code="creator")
    return creators


def creator_of(session: Session, who: Person, creator_id: str) -> Creator:
    [found] = _creators(session, who, "", (creator_id,))
    return found


def peek(session: Session, token: str, now: datetime) -> Offer:
    """Looking changes nothing: mail scanners look too."""
    row = _open(session, token, now)
    inviter = session.get(Member, row.invited_by)
    names = session.exec(select(Creator.name).where(col(Creator.id).in_(json.loads(row.creator_ids))))
    organization = session.get_one(Organization, row.organization_id)
    return Offer(
        organization.name, inviter.name if inviter else "", row.email, row.name, row.role, tuple(sorted(names))
    )


def _open(session: Session, token: str, now: datetime) -> Invitation:
    row = session.exec(select(Invitation).where(Invitation.token_sha256 == people.digest(token))).first()
    if row is None or row.used_at is not None or row.revoked_at is not None or row.expires_at <= now:
        raise NotFound("This invitation was used already or has ended. Ask whoever invited you for a new one.")
    return row


def accept(session: Session, token: str, now: datetime) -> str:
    """Makes the member. Returns a welcome link's token, with which they choose how to sign in."""
    row = _open(session, token, now)
    once = update(Invitation).where(col(Invitation.id) == row.id, col(Invitation.used_at).is_(None))
    result = session.execute(once.values(used_at=now))
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        raise NotFound("This invitation was used already.")
    ids = json.loads(row.creator_ids)
    member = Member(
        organization_id=row.organization_id, name=row.name, email=row.email, role=row.role,
        reach="assigned" if ids else "all", created_at=now,
    )  # fmt: skip
    session.add(member)
    session.flush()
    _note(session, row.organization_id, member.id, "member.joined", "member", member.id, {"role": member.role}, now)
    _assign(session, member, ids, now)
    if member.role == "creator":
        creator = session.get_one(Creator, ids[0])
        if creator.member_id:
            raise Conflict("Somebody is this creator already.", code="creator")
        creator.member_id = member.id
        said = {"member": member.id}
        _note(session, row.organization_id, member.id, "creator.person", "creator", creator.id, said, now)
    return people.make_link(session, member, now)


def _assign(session: Session, member: Member, ids: list[str], now: datetime) -> None:
    for row in session.exec(select(Assignment).where(Assignment.member_id == member.id)):
        session.delete(row)
    session.flush()
    for creator_id in ids:
        session.add(
            Assignment(
                organization_id=member.organization_id, member_id=member.id, creator_id=creator_id, created_at=now
            )
        )
    session.flush()


def of(session: Session, who: Person, member_id: str) -> Member:
    row = session.get(Member, member_id)
    if row is None or row.organization_id != who.organization_id:
        raise NotFound("There is no such person here.")
    return row


def change(
    session: Session, who: Person, member_id: str, role: str, creator_ids: tuple[str, ...], now: datetime
) -> Member:
    """Another role, or other creators. No creators named: all of them."""
    require(who, RULE, "change roles")
    member = of(session, who, member_id)
    _check_role(who, role)
    if "creator" in (role, member.role) and role != member.role:
        raise Conflict("Who a creator is cannot be changed by a role. Invite them.", code="creator")
    if member.role == "owner" and role != "owner":
        _check_other_owner(session, who, member)
    ids = [] if role == "creator" else [c.id for c in _creators(session, who, role, creator_ids)]
    if role != "creator":
        member.reach = "assigned" if ids else "all"
        _assign(session, member, ids, now)
    member.role = role
    people.revoke_sessions(session, member.id, now)
    api_keys.end_of(session, member.id, who, now)
    _note(session, member.organization_id, who.member_id, "member.role", "member", member.id, {"role": role}, now)
    return member


def _check_other_owner(session: Session, who: Person, member: Member) -> None:
    if who.role != "owner":
        raise Forbidden("Only an owner changes an owner.", code="role")
    owners = select(func.count()).where(
        Member.organization_id == member.organization_id, Member.role == "owner", col(Member.disabled_at).is_(None)
    )
    if session.exec(owners).one() < 2:
        raise Conflict("The last owner has to stay. Make somebody else an owner first.", code="last_owner")


def disable(session: Session, who: Person, member_id: str, now: datetime) -> int:
    """Out at once, with sessions, keys and delegations; how many of their yeses that had not left are void."""
    require(who, RULE, "remove people")
    member = of(session, who, member_id)
    if member.disabled_at is not None:
        raise Conflict(f"{member.name} is out already.", code="state")
    if member.role == "owner":
        _check_other_owner(session, who, member)
    member.disabled_at = now
    people.revoke_sessions(session, member.id, now)
    api_keys.end_of(session, member.id, who, now)
    named = select(Delegate).where(Delegate.member_id == member.id, col(Delegate.revoked_at).is_(None))
    for row in session.exec(named):
        delegates.end(session, row, who, now)
    said = {"disabled": "yes"}
    _note(session, member.organization_id, who.member_id, "member.disabled", "member", member.id, said, now)
    return approvals.void_of(session, member.id, now)


def enable(session: Session, who: Person, member_id: str, now: datetime) -> Member:
    """What was void stays void."""
    require(who, RULE, "let people in again")
    member = of(session, who, member_id)
    if member.disabled_at is None:
        raise Conflict(f"{member.name} is not out.", code="state")
    member.disabled_at = None
    said = {"disabled": "no"}
    _note(session, member.organization_id, who.member_id, "member.enabled", "member", member.id, said, now)
    return member


def withdraw(session: Session, who: Person, invitation_id: str, now: datetime) -> None:
    require(who, MANAGE, "withdraw invitations")
    row = session.get(Invitation, invitation_id)
    if row is None or row.used_at is not None or row.revoked_at is not None:
        raise NotFound("There is no such invitation.")
    own(who, row)
    row.revoked_at = now
    said = {"role": row.role}
    _note(session, row.organization_id, who.member_id, "member.uninvited", "invitation", row.id, said, now)


def become(session: Session, who: Person, kind: str, now: datetime) -> Organization:
    """Solo or agency. From solo to agency the owner stays whoever they are for the creators there are."""
    require(who, frozenset({"owner"}), "change what the organization is")
    if kind not in KINDS:
        raise Invalid(f"An organization is one of: {', '.join(KINDS)}.", code="kind")
    row = session.get_one(Organization, who.organization_id)
    row.kind = kind
    _note(session, row.id, who.member_id, "organization.kind", "organization", row.id, {"kind": kind}, now)
    return row


@dataclass(frozen=True)
class Row:
    member: Member
    creators: tuple[str, ...]
    """Names of those they reach; none means all."""
    is_creator: str
    """Name of the creator they are, or empty."""
    passkeys: int


def listing(session: Session, who: Person) -> list[Row]:
    """Everybody, those who are out last."""
    rows = session.exec(select(Member).where(Member.organization_id == who.organization_id))
    creators = {c.id: c for c in session.exec(select(Creator).where(Creator.organization_id == who.organization_id))}
    keys = select(Passkey.member_id, func.count()).where(
        Passkey.organization_id == who.organization_id, col(Passkey.revoked_at).is_(None)
    )
    have = {member: count for member, count in session.exec(keys.group_by(Passkey.member_id))}  # noqa: C416
    found = []
    for member in rows:
        reach = people.reach_of(session, member)
        names = () if reach is None else tuple(sorted(creators[one].name for one in reach if one in creators))
        is_creator = next((c.name for c in creators.values() if c.member_id == member.id), "")
        found.append(Row(member, names, is_creator, have.get(member.id, 0)))
    return sorted(found, key=lambda row: (row.member.disabled_at is not None, row.member.name.lower()))


def invitations(session: Session, who: Person, now: datetime) -> list[Invitation]:
    """Those that can still be used, newest first."""
    query = select(Invitation).where(
        Invitation.organization_id == who.organization_id, col(Invitation.used_at).is_(None),
        col(Invitation.revoked_at).is_(None), Invitation.expires_at > now,
    )  # fmt: skip
    return list(session.exec(query.order_by(col(Invitation.created_at).desc())))


def _note(
    session: Session, organization: str, actor: str, action: str, noun: str, noun_id: str, data: dict[str, str],
    now: datetime,
) -> None:  # fmt: skip
    audits.append(
        session, at=now, organization=organization, actor=actor, action=action, noun=noun, noun_id=noun_id, data=data
    )
