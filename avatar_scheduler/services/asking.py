"""Asking in time: who is asked for a version now, when, by when, and what is at risk of not being decided."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Approval, Audit, Creator, Delivery, Member, Post, Render, Version
from avatar_scheduler.domain.approval import DELEGATE, UNDO
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Conflict, NotFound
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.quiet import Plan, moment, plan, unreachable
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.services import approvals, asked, notices
from avatar_scheduler.services.people import API, Person
from avatar_scheduler.services.roles import DECIDE, WRITE, reached, require

NUDGE = (WRITE | DECIDE) - {API}
NUDGE_AGAIN = timedelta(minutes=30)
SOON = timedelta(hours=2)
USUAL_RENDER = timedelta(minutes=3)
"""Assumed where nothing was rendered yet."""
DEADLINE, RENDER, QUIET, NOBODY = "deadline", "render", "quiet", "nobody"


@dataclass(frozen=True)
class Asked:
    """The open stage of a version: who is asked at once, who in their place later, and when."""

    first: list[Member]
    instead: list[Member]
    """Delegates of the person depicted."""
    plan: Plan


@dataclass(frozen=True)
class Risk:
    """Something that may not be decided in time, and why."""

    post_id: str
    version_id: str
    """Empty while it is rendered."""
    creator_id: str
    title: str
    reason: str
    """"deadline", "render", "quiet" or "nobody"."""
    seconds: int
    """Left until the deadline; below zero when it has passed."""
    waiting_for: tuple[str, ...] = ()
    """Names."""


def deadline_of(due_at: datetime, latest_start: datetime) -> datetime:
    """The time people are told. A yes works a little longer: while its undo time still fits before the latest start."""
    return min(due_at, latest_start - UNDO)


def deadline(session: Session, version_id: str) -> datetime | None:
    """The soonest of what waits for this version; None when nothing does."""
    query = select(Delivery.due_at, Delivery.latest_start).where(
        Delivery.version_id == version_id, Delivery.state == DeliveryState.waiting
    )
    return min((deadline_of(*row) for row in session.exec(query)), default=None)


def who_is_asked(session: Session, version: Version, now: datetime) -> Asked | None:
    """None when no yes is missing, or nothing waits for one."""
    until = deadline(session, version.id)
    data, given = json.loads(version.manifest), approvals.given(session, version.id)
    found = asked.open_stage(data, given)
    if found is None or until is None:
        return None
    number, stage = found
    yeses = [asked.yes_of(row) for row in given if row.stage == number]
    since = max((row.decided_at for row in given if row.stage < number), default=version.created_at)
    first: list[Member] = []
    instead: list[Member] = []
    for member in asked.members(session, data, stage, yeses, now):
        as_whom = asked.stands_for(session, member, data, stage, yeses, now)
        (instead if as_whom.endswith(DELEGATE) else first).append(member)
    return Asked(first, instead, plan(since, until)) if first else Asked(instead, [], plan(since, until))


def ask(session: Session, version: Version, post: Post, now: datetime) -> int:
    """Writes what is to be said about this version, now and later; how many rows were new. Again, it adds nothing."""
    found = who_is_asked(session, version, now) if is_open(post, version) else None
    if found is None or found.plan.deadline <= now:
        return 0
    creator, times, new = session.get_one(Creator, post.creator_id), found.plan, 0
    told = [(m, notices.ASKED, times.asked_at) for m in found.first]
    if times.half_at > now:  # whoever is asked later than that is not reminded in the same breath
        told += [(m, notices.HALF, times.half_at) for m in found.first]
    told += [(m, notices.ESCALATED, times.escalated_at) for m in found.instead]
    for member, kind, planned in told:
        hours = notices.hours_of(member, creator)
        due = max(moment(planned, times.deadline, hours, times.asked_at), times.asked_at)
        new += notices.tell(session, member, version.id, kind, due, now, creator=creator.id, item=post.kind)
    return new


def is_open(post: Post, version: Version) -> bool:
    return post.state is PostState.in_review and post.version_id == version.id


def signatures(session: Session) -> dict[str, tuple[object, ...]]:
    """Version in review -> what changes when it has to be asked about anew."""
    yeses = (
        select(Approval.version_id, func.count().label("number"))
        .where(col(Approval.undone_at).is_(None), col(Approval.revoked_at).is_(None))
        .group_by(Approval.version_id)
        .subquery()
    )
    query = (
        select(Delivery.version_id, func.min(Delivery.due_at), func.max(yeses.c.number))
        .join(Post, col(Post.version_id) == Delivery.version_id)
        .outerjoin(yeses, yeses.c.version_id == Delivery.version_id)
        .where(Post.state == PostState.in_review, Delivery.state == DeliveryState.waiting)
        .group_by(Delivery.version_id)
    )
    return {version_id: (due, number) for version_id, due, number in session.exec(query)}


def nudge(session: Session, who: Person, version_id: str, now: datetime) -> str:
    """Asks the same people again; returns the post’s id. Raises Conflict within half an hour of the last time."""
    require(who, NUDGE, "remind others")
    version = session.get(Version, version_id)
    post = session.get(Post, version.post_id) if version else None
    if (
        version is None
        or post is None
        or version.organization_id != who.organization_id
        or not who.reaches(post.creator_id)
    ):
        raise NotFound("There is nothing to remind anybody of here.")
    found = who_is_asked(session, version, now) if is_open(post, version) else None
    if found is None or found.plan.deadline <= now:
        raise Conflict("Nobody is asked about this any more.", code="decided")
    query = select(Audit.at).where(Audit.noun_id == version_id, Audit.action == "version.nudged")
    before = list(session.exec(query.order_by(col(Audit.seq).desc())))
    if before and now < before[0] + NUDGE_AGAIN:
        raise Conflict("They were reminded less than half an hour ago. Wait a little.", code="nudged")
    creator = session.get_one(Creator, post.creator_id)
    for member in found.first:
        due = moment(now, found.plan.deadline, notices.hours_of(member, creator), now)
        kind = f"{notices.NUDGED}-{len(before) + 1}"
        notices.tell(session, member, version_id, kind, due, now, creator=creator.id, item=post.kind)
    audits.append(
        session, at=now, organization=post.organization_id, actor=who.member_id, action="version.nudged",
        noun="version", noun_id=version_id, data={"people": str(len(found.first))},
    )  # fmt: skip
    return post.id


def at_risk(session: Session, who: Person, now: datetime, most: int = 100) -> list[Risk]:
    """What this person reaches and may not be decided in time, the soonest first."""
    query = select(Post).where(
        Post.organization_id == who.organization_id,
        col(Post.state).in_([PostState.in_review, PostState.rendering, PostState.checking]),
    )
    if (only := reached(who)) is not None:
        query = query.where(col(Post.creator_id).in_(only))
    usual = _usual_render(session, who.organization_id)
    found = [_risk(session, post, now, usual) for post in session.exec(query)]
    return sorted((risk for risk in found if risk is not None), key=lambda risk: risk.seconds)[:most]


def _risk(session: Session, post: Post, now: datetime, usual: timedelta) -> Risk | None:
    def risk(reason: str, until: datetime, version: str = "", names: tuple[str, ...] = ()) -> Risk:
        left = int((until - now).total_seconds())
        return Risk(post.id, version, post.creator_id, post.title, reason, left, names)

    if post.state is not PostState.in_review:
        dues = [datetime.fromisoformat(target["due_at"]) for target in json.loads(post.targets)]
        late = bool(dues) and _rendered_at(session, post, now, usual) > min(dues)
        return risk(RENDER, min(dues)) if late else None
    version = session.get_one(Version, post.version_id)
    found = who_is_asked(session, version, now)
    if found is None:
        return None
    until, creator = found.plan.deadline, session.get_one(Creator, post.creator_id)
    names = tuple(member.name for member in found.first)
    if not names:
        return risk(NOBODY, until, version.id)
    if all(unreachable(now, until, notices.hours_of(member, creator)) for member in found.first):
        return risk(QUIET, until, version.id, names)
    return risk(DEADLINE, until, version.id, names) if until <= now + SOON else None


def _rendered_at(session: Session, post: Post, now: datetime, usual: timedelta) -> datetime:
    """A guess: at the pace so far, else as long as others took."""
    render = session.get(Render, post.render_id)
    if render is None:
        return now + usual
    took = now - render.created_at
    if render.state is RenderState.running and 5 <= render.percent < 100:
        return now + took * (100 - render.percent) / render.percent
    return max(render.created_at + usual, now)


def _usual_render(session: Session, organization: str) -> timedelta:
    """The median of the last twenty."""
    query = (
        select(Render.created_at, Render.finished_at)
        .where(
            Render.organization_id == organization,
            Render.state == RenderState.done,
            col(Render.finished_at).is_not(None),
        )
        .order_by(col(Render.finished_at).desc())
        .limit(20)
    )
    took = sorted(end - start for start, end in session.exec(query) if end is not None)
    return took[len(took) // 2] if took else USUAL_RENDER
