"""Whom a creator named to decide in their place: which kinds, and until when. Believed as the log has it."""

import json
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Creator, Delegate, Member
from avatar_scheduler.domain.errors import Forbidden, Invalid, NotFound
from avatar_scheduler.domain.interaction import check_kind
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import DECIDE, own, require

LONGEST = timedelta(days=366)


def name(
    session: Session, who: Person, creator: Creator, member_id: str, kinds: tuple[str, ...], days: int, now: datetime
) -> Delegate:
    """Raises Forbidden unless the creator themselves asks, or an owner where nobody is depicted."""
    _check_may(session, who, creator)
    member = session.get(Member, member_id)
    if member is None or member.organization_id != creator.organization_id or member.disabled_at is not None:
        raise NotFound("There is no such person here.")
    if member.role not in DECIDE:
        raise Invalid(f"{member.name}'s role ({member.role}) does not decide. Change the role first.", code="role")
    if member.id == who.member_id:
        raise Invalid("You decide for yourself already.", code="self")
    if not kinds or not 1 <= days <= LONGEST.days:
        raise Invalid(f"Name at least one kind, and 1 to {LONGEST.days} days.", code="delegate")
    row = Delegate(
        organization_id=creator.organization_id, creator_id=creator.id, member_id=member.id,
        kinds=json.dumps(sorted({check_kind(kind) for kind in kinds})), named_by=who.member_id, created_at=now,
        ends_at=now + timedelta(days=days),
    )  # fmt: skip
    session.add(row)
    session.flush()
    said = {"creator": creator.id, "member": member.id, "kinds": row.kinds, "ends_at": row.ends_at.isoformat()}
    _note(session, row, who, "delegate.named", now, said)
    return row


def revoke(session: Session, who: Person, delegate_id: str, now: datetime) -> None:
    """By the creator, by whoever was named, or by somebody who rules: less is always allowed."""
    row = session.get(Delegate, delegate_id)
    if row is None or row.revoked_at is not None:
        raise NotFound("There is nobody named like that.")
    own(who, row)
    creator = session.get_one(Creator, row.creator_id)
    if who.member_id not in (creator.member_id, row.member_id) and who.role not in ("owner", "admin"):
        raise Forbidden("Only the creator, or who was named, can end this.", code="delegate")
    end(session, row, who, now)


def end(session: Session, row: Delegate, who: Person, now: datetime) -> None:
    row.revoked_at = now
    _note(session, row, who, "delegate.revoked", now, {"revoked": now.isoformat()})


def named(session: Session, creator_id: str, member_id: str, kind: str, at: datetime) -> bool:
    """Whether the log knows a delegation of this kind that holds at that time."""
    query = select(Delegate.id).where(Delegate.creator_id == creator_id, Delegate.member_id == member_id)
    return any(
        _holds(audits.said(session, "delegate", one), creator_id, member_id, kind, at) for one in session.exec(query)
    )


def _holds(said: dict[str, str], creator_id: str, member_id: str, kind: str, at: datetime) -> bool:
    return (
        (said.get("creator"), said.get("member")) == (creator_id, member_id)
        and "revoked" not in said
        and kind in json.loads(said["kinds"])
        and at < datetime.fromisoformat(said["ends_at"])
    )


def of_creator(session: Session, creator_id: str, at: datetime) -> list[tuple[Delegate, Member]]:
    """In force, soonest end first."""
    query = select(Delegate, Member).where(
        Delegate.member_id == Member.id, Delegate.creator_id == creator_id, col(Delegate.revoked_at).is_(None),
        Delegate.ends_at > at,
    )  # fmt: skip
    return list(session.exec(query.order_by(col(Delegate.ends_at))))


def _check_may(session: Session, who: Person, creator: Creator) -> None:
    own(who, creator)
    require(who, DECIDE, "name a delegate")
    said = audits.said(session, "creator", creator.id).get("member", "")
    if who.member_id != said and (said or who.role != "owner"):
        raise Forbidden(f"Only {creator.name} can name somebody to decide for them.", code="delegate")


def _note(session: Session, row: Delegate, who: Person, action: str, now: datetime, data: dict[str, str]) -> None:
    audits.append(
        session, at=now, organization=row.organization_id, actor=who.member_id, action=action, noun="delegate",
        noun_id=row.id, data=data,
    )  # fmt: skip
