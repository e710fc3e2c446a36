"""Kill switches: while a hold is on, nothing it covers is claimed or sent.

Anybody who takes part may stop what they reach, at once and without being asked why: a hold too many costs a minute.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, true
from sqlmodel import Session, col, or_, select

from avatar_scheduler.db import audits, recall
from avatar_scheduler.db.engine import ring_after_commit
from avatar_scheduler.db.tables import Channel, Creator, Hold, Member
from avatar_scheduler.domain.errors import Forbidden, Invalid, NotFound
from avatar_scheduler.queue import CLOCK
from avatar_scheduler.services import notices
from avatar_scheduler.services.people import API, Person
from avatar_scheduler.services.roles import HOLD, own, reached, require

SCOPES = ("everything", "organization", "creator", "channel")
MAX_REASON = 200
LIFT = HOLD - {API}
"""A program may stop things, never start them again."""


@dataclass(frozen=True)
class Stop:
    """A hold that is on, as pages show it."""

    id: str
    scope: str
    target: str
    """Name of the creator, or platform of the channel; empty for wider ones."""
    creator: str
    """Name of the creator it concerns, for a creator or a channel."""
    reason: str
    by: str
    since: datetime
    liftable: bool
    """By the person it is shown to."""


@dataclass(frozen=True)
class Stoppable:
    """Something a person may stop with one tap."""

    scope: str
    target_id: str
    name: str
    creator_slug: str
    held: bool
    """By a hold of exactly this scope."""


def put(session: Session, who: Person, scope: str, target_id: str, reason: str, now: datetime) -> Hold:
    require(who, HOLD, "put a hold on")
    if scope not in SCOPES:
        raise Invalid(f"“{scope}” cannot be held. Use one of: {', '.join(SCOPES)}.", code="scope")
    if len(reason) > MAX_REASON:
        raise Invalid(f"The reason is too long; {MAX_REASON} characters is the most.", code="reason")
    _check_target(session, who, scope, target_id)
    if same := _same(session, who, scope, target_id):
        return same  # a second tap asks for what is already there
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
    notices.held(session, hold, now)
    return hold


def _check_target(session: Session, who: Person, scope: str, target_id: str) -> None:
    """Nobody stops another tenant, except whoever runs the machine; nobody more than they reach."""
    if scope == "everything" and not who.at_terminal:
        raise Forbidden("Only the operator of this installation may hold everything. Hold your organization.")
    if scope == "organization" and who.reach is not None:
        raise Forbidden("You reach some creators, not all. Hold those.", code="reach")
    if scope in ("creator", "channel"):
        row = session.get(Creator, target_id) if scope == "creator" else session.get(Channel, target_id)
        if row is None:
            raise NotFound(f"There is no such {scope}.")
        own(who, row)


def _same(session: Session, who: Person, scope: str, target_id: str) -> Hold | None:
    mine = (Hold.organization_id == who.organization_id, Hold.scope == scope, Hold.target_id == target_id)
    return session.exec(select(Hold).where(*mine, col(Hold.lifted_at).is_(None))).first()


def lift(session: Session, who: Person, now: datetime) -> int:
    """Lifts every hold of the organization that this person may lift. Raises NotFound when there is none."""
    require(who, LIFT, "lift a hold")
    found = [hold for hold in active(session, who) if _may_lift(session, who, hold)]
    if not found:
        raise NotFound("No hold is on.")
    for hold in found:
        _lift(session, who, hold, now)
    return len(found)


def lift_one(session: Session, who: Person, hold_id: str, now: datetime) -> None:
    """What it kept back, and is still within its time, goes out. A second one changes nothing."""
    require(who, LIFT, "lift a hold")
    hold = session.get(Hold, hold_id)
    if hold is None or hold.organization_id != who.organization_id:
        raise NotFound("There is no such hold.")
    if not _may_lift(session, who, hold):
        raise Forbidden("This hold covers more than you reach. Ask who put it on.", code="reach")
    if hold.lifted_at is None:
        _lift(session, who, hold, now)


def _lift(session: Session, who: Person, hold: Hold, now: datetime) -> None:
    hold.lifted_at = now
    _note(session, who, hold, "hold.off", now)
    ring_after_commit(session, CLOCK, "")


def _may_lift(session: Session, who: Person, hold: Hold) -> bool:
    if hold.scope == "everything":
        return who.at_terminal
    return who.role in LIFT and (who.reach is None or _creator_of(session, hold) in who.reach)


def _creator_of(session: Session, hold: Hold) -> str:
    """Id of the one creator it concerns, or empty."""
    channel = session.get(Channel, hold.target_id) if hold.scope == "channel" else None
    return channel.creator_id if channel else hold.target_id if hold.scope == "creator" else ""


def covering(session: Session, organization: str, creator: str, channel: str) -> Hold | None:
    """The first hold that covers a delivery. "everything" covers all tenants; any other only its own."""
    query = select(Hold).where(col(Hold.lifted_at).is_(None)).order_by(col(Hold.since))
    for hold in recall.once(session, "holds", lambda: list(session.exec(query))):
        target = {"organization": hold.target_id, "creator": creator, "channel": channel}.get(hold.scope)
        ours = hold.organization_id == organization and hold.target_id == target
        if hold.scope == "everything" or ours:
            return hold
    return None


def active(session: Session, who: Person) -> list[Hold]:
    query = select(Hold).where(Hold.organization_id == who.organization_id, col(Hold.lifted_at).is_(None))
    return list(session.exec(query))


def shown(session: Session, who: Person) -> tuple[Stop, ...]:
    """Every hold that stops something this person reaches, newest first. One query while none is on."""
    query = (
        select(Hold, Creator, Channel, Member)
        .outerjoin(Channel, (col(Hold.scope) == "channel") & (col(Channel.id) == Hold.target_id))
        .outerjoin(Creator, or_(col(Creator.id) == Hold.target_id, col(Creator.id) == Channel.creator_id))
        .outerjoin(Member, col(Member.id) == Hold.by)
        .where(col(Hold.lifted_at).is_(None), _concerns(who))
        .order_by(col(Hold.since).desc())
    )
    found = []
    for hold, creator, channel, member in session.exec(query):
        target = channel.platform if channel else creator.name if creator else ""
        # Of another tenant's operator only that there is a hold, not who or why.
        ours = hold.organization_id == who.organization_id
        name, reason = (member.name if member else hold.by, hold.reason) if ours else ("", "")
        about = (hold.id, hold.scope, target, creator.name if creator else "", reason, name, hold.since)
        found.append(Stop(*about, _may_lift(session, who, hold)))
    return tuple(found)


def _concerns(who: Person) -> ColumnElement[bool]:
    wide = col(Hold.scope) == "organization"
    reach = reached(who)
    near = true() if reach is None else or_(wide, col(Creator.id).in_(reach))
    return or_(col(Hold.scope) == "everything", (col(Hold.organization_id) == who.organization_id) & near)


def stoppable(session: Session, who: Person) -> list[Stoppable]:
    """What this person may stop: the organization if they reach all of it, then each creator with their channels."""
    on = {(hold.scope, hold.target_id) for hold in active(session, who)}
    found = [Stoppable("organization", "", "", "", ("organization", "") in on)] if who.reach is None else []
    query = (
        select(Creator, Channel)
        .outerjoin(Channel, (col(Channel.creator_id) == Creator.id) & col(Channel.disabled_at).is_(None))
        .where(Creator.organization_id == who.organization_id)
        .order_by(col(Creator.name), col(Creator.id), col(Channel.created_at))
    )
    if (creators := reached(who)) is not None:
        query = query.where(col(Creator.id).in_(creators))
    for creator, channel in session.exec(query):
        one = Stoppable("creator", creator.id, creator.name, creator.slug, ("creator", creator.id) in on)
        if one not in found:
            found.append(one)
        if channel is not None:
            held = ("channel", channel.id) in on
            found.append(Stoppable("channel", channel.id, channel.platform, creator.slug, held))
    return found


def _note(session: Session, who: Person, hold: Hold, action: str, now: datetime) -> None:
    audits.append(
        session,
        at=now,
        organization=who.organization_id,
        actor=who.member_id,
        action=action,
        noun="hold",
        noun_id=hold.id,
        data={"scope": hold.scope, "target": hold.target_id, "reason": hold.reason},
    )
