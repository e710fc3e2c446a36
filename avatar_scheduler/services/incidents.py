"""What became of an item after it was published, and what people do about it.

An incident stays open until a person closes it. That it is to be taken down is an entry of the log; who takes it down
is the publish worker (`again`), because nobody else can open the channel's credentials.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, select

from avatar_scheduler.db import audits
from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.db.engine import ring_after_commit
from avatar_scheduler.db.tables import Audit, Channel, Creator, Delivery, Incident, Post
from avatar_scheduler.domain.errors import Conflict, NotFound
from avatar_scheduler.publishers.base import Absent, Found
from avatar_scheduler.queue import SETTLE
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import DECIDE, require

UNMARKED = "The AI disclosure is gone."
ANOTHER = "It is not the item that was approved."
VANISHED = "It is no longer there."

AUTO = "auto"
MOST = 100
"""Of one list."""
POLICY = "policy"
"""Who asks for a takedown when the creator said "auto"."""
WANTED, GIVEN_UP = "incident.takedown", "incident.takedown_failed"


def trouble(found: Found | Absent) -> str:
    """One sentence, or nothing when it is as it was sent."""
    if isinstance(found, Absent):
        return VANISHED
    if not found.marked:
        return UNMARKED
    return "" if found.same else ANOTHER


def report(session: Session, row: Delivery, found: Found | Absent, now: datetime) -> None:
    """Opens an incident when there is one and it is not open yet, and does what the creator's policy says.

    Taken down unasked is only what still shows our media without its marks: anything else a person looks at first.
    """
    what = trouble(found)
    if not what:
        return
    same = (col(Incident.delivery_id) == row.id, col(Incident.what) == what, col(Incident.closed_at).is_(None))
    incident = session.exec(select(Incident).where(*same)).first()
    if incident is None:
        incident = _open(session, row, what, now)
    if what == UNMARKED and isinstance(found, Found) and found.ours and _policy(session, row) == AUTO:
        _want(session, row, incident, POLICY, now)


def ask_down(session: Session, row: Delivery, why: str, actor: str, now: datetime) -> None:
    """An item nothing is wrong with, but that is to come down all the same. Asking twice changes nothing."""
    same = (col(Incident.delivery_id) == row.id, col(Incident.what) == why, col(Incident.closed_at).is_(None))
    incident = session.exec(select(Incident).where(*same)).first() or _open(session, row, why, now)
    session.flush()
    _want(session, row, incident, actor, now)


def _open(session: Session, row: Delivery, what: str, now: datetime) -> Incident:
    url = rows.receipt_of(session, row.id).url
    incident = Incident(organization_id=row.organization_id, delivery_id=row.id, what=what, url=url, found_at=now)
    session.add(incident)
    audits.append(
        session,
        at=now,
        organization=row.organization_id,
        actor="settle",
        action="delivery.incident",
        noun="delivery",
        noun_id=row.id,
        data={"what": what, "url": url},
    )
    return incident


def _policy(session: Session, row: Delivery) -> str:
    return session.get_one(Creator, session.get_one(Post, row.post_id).creator_id).takedown


def _want(session: Session, row: Delivery, incident: Incident, actor: str, now: datetime) -> None:
    if wanted(session, row.id) is not None:
        return
    _note(session, incident, actor, WANTED, now)
    rows.look_again(session, row, now)
    ring_after_commit(session, SETTLE, row.id)


def wanted(session: Session, delivery_id: str) -> Incident | None:
    """The open incident of a delivery that is to be taken down and is not yet."""
    query = select(Incident).where(
        Incident.delivery_id == delivery_id, col(Incident.closed_at).is_(None), col(Incident.taken_down_at).is_(None)
    )
    return next((one for one in session.exec(query) if _wish(session, one) == WANTED), None)


def _wish(session: Session, incident: Incident) -> str:
    """The last word of the log about taking it down; empty when nobody asked."""
    said = select(Audit.action).where(Audit.noun_id == incident.id, col(Audit.action).in_((WANTED, GIVEN_UP)))
    return session.exec(said.order_by(col(Audit.seq).desc()).limit(1)).first() or ""


def taken_down(session: Session, incident: Incident, now: datetime) -> None:
    once = (col(Incident.id) == incident.id, col(Incident.taken_down_at).is_(None))
    result = session.execute(update(Incident).where(*once).values(taken_down_at=now))
    if isinstance(result, CursorResult) and result.rowcount == 1:
        _note(session, incident, "publish", "incident.taken_down", now)


def give_up(session: Session, incident: Incident, reason: str, now: datetime) -> None:
    """The platform says no. A person may ask again."""
    _note(session, incident, "publish", GIVEN_UP, now, {"reason": reason})


@dataclass(frozen=True)
class Notice:
    id: str
    post_id: str
    delivery_id: str
    title: str
    creator: str
    platform: str
    what: str
    url: str
    found_at: datetime
    state: str
    """"open", "taking_down", "taken_down", "takedown_failed" or "closed"."""


def open_for(session: Session, who: Person) -> list[Notice]:
    """What a person of this organization must know of, newest first."""
    return listing(session, who)


def listing(session: Session, who: Person, *, closed: bool = False) -> list[Notice]:
    query = (
        select(Incident, Delivery, Post, Channel)
        .where(Incident.organization_id == who.organization_id, Incident.delivery_id == Delivery.id)
        .where(Delivery.post_id == Post.id, Delivery.channel_id == Channel.id)
        .order_by(col(Incident.found_at).desc(), col(Incident.id))
    )
    if not closed:
        query = query.where(col(Incident.closed_at).is_(None))
    return [
        Notice(
            id=one.id,
            post_id=post.id,
            delivery_id=row.id,
            title=post.title,
            creator=session.get_one(Creator, post.creator_id).name,
            platform=channel.platform,
            what=one.what,
            url=one.url,
            found_at=one.found_at,
            state=_state(session, one),
        )
        for one, row, post, channel in session.exec(query.limit(MOST))
    ]


def _state(session: Session, incident: Incident) -> str:
    if incident.closed_at is not None:
        return "closed"
    if incident.taken_down_at is not None:
        return "taken_down"
    return {WANTED: "taking_down", GIVEN_UP: "takedown_failed"}.get(_wish(session, incident), "open")


def get(session: Session, who: Person, incident_id: str) -> Incident:
    """By id, or by its first characters as the list prints them."""
    query = select(Incident).where(
        Incident.organization_id == who.organization_id, col(Incident.id).startswith(incident_id)
    )
    found = list(session.exec(query.limit(2))) if len(incident_id) >= 6 and incident_id.isalnum() else []
    if len(found) != 1:
        raise NotFound(
            f"There is no incident {incident_id[:40]}. See: avatar-scheduler incident list", code="unknown_incident"
        )
    return found[0]


def close(session: Session, who: Person, incident_id: str, now: datetime) -> Incident:
    """A person has seen to it. A takedown that has not happened yet is called off."""
    require(who, DECIDE, "close an incident")
    incident = get(session, who, incident_id)
    if incident.closed_at is not None:
        raise Conflict("This incident is closed already.", code="closed")
    incident.closed_at, incident.closed_by = now, who.member_id
    _note(session, incident, who.member_id, "incident.closed", now)
    return incident


def take_down(session: Session, who: Person, incident_id: str, now: datetime) -> Incident:
    """The publish worker removes the item within seconds. Asking twice changes nothing."""
    require(who, DECIDE, "take an item down")
    incident = get(session, who, incident_id)
    if incident.closed_at is not None:
        raise Conflict("This incident is closed.", code="closed")
    if incident.taken_down_at is not None:
        raise Conflict("It was taken down already.", code="taken_down")
    _want(session, session.get_one(Delivery, incident.delivery_id), incident, who.member_id, now)
    return incident


def _note(
    session: Session, incident: Incident, actor: str, action: str, now: datetime, data: dict[str, str] | None = None
) -> None:
    audits.append(
        session,
        at=now,
        organization=incident.organization_id,
        actor=actor,
        action=action,
        noun="incident",
        noun_id=incident.id,
        data={"delivery": incident.delivery_id, **(data or {})},
    )
