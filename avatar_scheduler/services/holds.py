"""Kill switches: while a hold is on, nothing it covers is claimed or sent."""

from datetime import datetime

from sqlmodel import Session, col, or_, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.engine import ring_after_commit
from avatar_scheduler.db.tables import Channel, Creator, Hold
from avatar_scheduler.domain.errors import Forbidden, Invalid, NotFound
from avatar_scheduler.queue import CLOCK
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import HOLD, own, require

SCOPES = ("everything", "organization", "creator", "channel")


def put(session: Session, who: Person, scope: str, target_id: str, reason: str, now: datetime) -> Hold:
    require(who, HOLD, "put a hold on")
    if scope not in SCOPES:
        raise Invalid(f"“{scope}” cannot be held. Use one of: {', '.join(SCOPES)}.", code="scope")
    _check_target(session, who, scope, target_id)
    hold = Hold(
        organization_id=who.organization_id,
        scope=scope,
        target_id=target_id,
        reason=reason,
        by=who.member_id,
        since=now,
    )
    session.add(hold)
    session.flush()
    _note(session, who, hold, "hold.on", now)
    return hold


def _check_target(session: Session, who: Person, scope: str, target_id: str) -> None:
    """Nobody stops another tenant, except whoever runs the machine."""
    if scope == "everything" and not who.at_terminal:
        raise Forbidden("Only the operator of this installation may hold everything. Hold your organization.")
    if scope in ("creator", "channel"):
        row = session.get(Creator, target_id) if scope == "creator" else session.get(Channel, target_id)
        if row is None:
            raise NotFound(f"There is no such {scope}.")
        own(who, row)


def lift(session: Session, who: Person, now: datetime) -> int:
    """Lifts every hold of the organization."""
    require(who, HOLD, "lift a hold")
    query = select(Hold).where(Hold.organization_id == who.organization_id, col(Hold.lifted_at).is_(None))
    count = 0
    for hold in session.exec(query):
        hold.lifted_at = now
        _note(session, who, hold, "hold.off", now)
        count += 1
    if not count:
        raise NotFound("No hold is on.")
    ring_after_commit(session, CLOCK, "")
    return count


def covering(session: Session, organization: str, creator: str, channel: str) -> Hold | None:
    """The first hold that covers a delivery. "everything" covers all tenants; any other only its own."""
    ours = col(Hold.organization_id) == organization
    query = select(Hold).where(
        col(Hold.lifted_at).is_(None),
        or_(
            Hold.scope == "everything",
            ours & (col(Hold.scope) == "organization"),
            ours & (col(Hold.scope) == "creator") & (col(Hold.target_id) == creator),
            ours & (col(Hold.scope) == "channel") & (col(Hold.target_id) == channel),
        ),
    )
    return session.exec(query.order_by(col(Hold.since)).limit(1)).first()


def active(session: Session, who: Person) -> list[Hold]:
    query = select(Hold).where(Hold.organization_id == who.organization_id, col(Hold.lifted_at).is_(None))
    return list(session.exec(query))


def _note(session: Session, who: Person, hold: Hold, action: str, now: datetime) -> None:
    audits.append(
        session,
        at=now,
        organization=who.organization_id,
        actor=who.member_id,
        action=action,
        noun="hold",
        noun_id=hold.id,
        data={"scope": hold.scope, "reason": hold.reason},
    )
