"""What the page of the log shows: entries this person may see, newest first."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlmodel import Session, col, or_, select, union_all

from avatar_scheduler.audit import Verdict
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Approval, Attempt, Audit, Creator, Delivery, Incident, Member, Post, Render
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.services import checkpoints, history
from avatar_scheduler.services.audit_export import ALL
from avatar_scheduler.services.cards import TimelineRow
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import AUDIT, reached, require

PAGE = 100


@dataclass(frozen=True)
class Filter:
    person: str = ""
    """A member's id."""
    action: str = ""
    day: str = ""
    """As YYYY-MM-DD, in UTC."""
    before: int = 0
    """Entries older than this one; 0 for the newest."""


@dataclass(frozen=True)
class Line:
    seq: int
    number: int
    row: TimelineRow


@dataclass(frozen=True)
class Listing:
    lines: tuple[Line, ...]
    more: int
    """`before` of the next page; 0 when there is none."""
    people: tuple[tuple[str, str], ...]
    actions: tuple[str, ...]


def listing(session: Session, who: Person, wanted: Filter) -> Listing:
    require(who, AUDIT, "read the log")
    visible = _visible(who)
    query = select(Audit).where(*visible, *_filtered(wanted)).order_by(col(Audit.seq).desc()).limit(PAGE + 1)
    rows = list(session.exec(query))
    members = select(Member.id, Member.name).where(Member.organization_id == who.organization_id)
    names = dict(session.exec(members.order_by(col(Member.name))).all())
    actions = session.exec(select(Audit.action).where(*visible).distinct().order_by(col(Audit.action)))
    return Listing(
        lines=tuple(_line(row, names) for row in rows[:PAGE]),
        more=rows[PAGE - 1].seq if len(rows) > PAGE else 0,
        people=tuple(names.items()) if who.role in ALL else ((who.member_id, who.name),),
        actions=tuple(actions),
    )


def _line(row: Audit, names: dict[str, str]) -> Line:
    try:
        data = {str(name): str(value) for name, value in json.loads(row.data).items()}
    except (ValueError, AttributeError):
        data = {}  # somebody wrote over it; checking says so, and the rest stays readable
    return Line(row.seq, row.number, TimelineRow(row.at, names.get(row.actor, row.actor), row.action, data, row.hash))


def _filtered(wanted: Filter) -> list[Any]:
    found: list[Any] = []
    if wanted.person:
        found.append(Audit.actor == wanted.person)
    if wanted.action:
        found.append(Audit.action == wanted.action)
    if wanted.before:
        found.append(col(Audit.seq) < wanted.before)
    if wanted.day:
        try:
            start = datetime.combine(date.fromisoformat(wanted.day), time(), UTC)
            found += [col(Audit.at) >= start, col(Audit.at) < start + timedelta(days=1)]
        except (ValueError, OverflowError):
            raise Invalid("That is not a day. Write it as 2026-11-23.", code="day") from None
    return found


def _visible(who: Person) -> list[Any]:
    """Owners, admins and auditors see all of the organization; others what is about posts and creators they reach."""
    own = Audit.organization_id == who.organization_id
    if who.role in ALL and who.reach is None:
        return [own]
    limit = reached(who)
    posts = select(Post.id).where(Post.organization_id == who.organization_id)
    creators = select(Creator.id).where(Creator.organization_id == who.organization_id)
    if limit is not None:
        posts, creators = posts.where(col(Post.creator_id).in_(limit)), creators.where(col(Creator.id).in_(limit))
    sent = select(Delivery.id).where(col(Delivery.post_id).in_(posts))
    under = (
        posts, creators, sent,
        select(Render.id).where(col(Render.post_id).in_(posts)),
        select(Approval.id).where(col(Approval.post_id).in_(posts)),
        select(Attempt.id).where(col(Attempt.delivery_id).in_(sent)),
        select(Incident.id).where(col(Incident.delivery_id).in_(sent)),
    )  # fmt: skip
    return [own, or_(col(Audit.noun_id).in_(union_all(*under)), Audit.actor == who.member_id)]


def verified(session: Session, settings: Settings, who: Person) -> Verdict:
    """Recomputes every hash and seal of the organization's part, against every checkpoint that was signed of it."""
    require(who, AUDIT, "check the log")
    lines = list(checkpoints.kept_of(settings, who.organization_id))
    known = checkpoints.read_lines(settings, lines) if lines else None
    verdict = audits.check(session, None, known, who.organization_id)
    if not verdict.ok:
        history.watch(settings, history.head(settings), whole=True)  # so that nothing leaves over it
    return verdict
