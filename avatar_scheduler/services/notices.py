"""The outbox: what somebody is to be told, written in the transaction of what it is about.

One row for each person, item, kind and way: the unique key keeps it one, however often and by whomever it is asked for.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from avatar_scheduler.db.tables import Creator, Delivery, Hold, Member, Notice, Outlet, Post, Version
from avatar_scheduler.domain.quiet import Quiet, moment, quiet
from avatar_scheduler.domain.slots import zone_of
from avatar_scheduler.services import asked, people
from avatar_scheduler.services.roles import HOLD

ASKED, HALF, ESCALATED, NUDGED = "asked", "half", "escalated", "nudged"
KEPT_BACK, DECIDED, MENTION, HELD, TEST = "kept_back", "decided", "mention", "held", "test"
ASKING = frozenset({ASKED, HALF, ESCALATED, NUDGED})
"""They want a yes, so they are pointless once it was given or its time is over."""
WAITING, SENDING, SENT, FAILED, DROPPED = "waiting", "sending", "sent", "failed", "dropped"
MAIL = ""
"""The way that needs no outlet."""


def kind_of(notice: Notice) -> str:
    """Without the number that tells one nudge from the next."""
    return notice.kind.partition("-")[0]


def zone_for(member: Member, creator: Creator | None) -> ZoneInfo:
    return zone_of(member.zone or (creator.zone if creator else "") or "UTC")


def hours_of(member: Member, creator: Creator | None) -> Quiet | None:
    return quiet(member.quiet_from, member.quiet_to, zone_for(member, creator))


def ways(session: Session, member_id: str) -> list[str]:
    """E-mail, and every browser and chat that is still there."""
    query = select(Outlet.id).where(Outlet.member_id == member_id, col(Outlet.gone_at).is_(None))
    return [MAIL, *session.exec(query.order_by(col(Outlet.created_at)))]


def tell(session: Session, member: Member, about: str, kind: str, due_at: datetime, now: datetime, **words: str) -> int:
    """How many rows were new. One that still waits is moved to `due_at`."""
    query = select(Notice).where(Notice.member_id == member.id, Notice.about == about, Notice.kind == kind)
    there = {row.outlet_id: row for row in session.exec(query)}
    for row in there.values():
        if row.state == WAITING and row.tries == 0 and row.due_at != due_at:
            row.due_at = due_at
    fresh = [way for way in ways(session, member.id) if way not in there]
    for way in fresh:
        session.add(
            Notice(
                organization_id=member.organization_id, member_id=member.id, about=about, kind=kind, outlet_id=way,
                words=json.dumps(words, sort_keys=True), due_at=due_at, created_at=now,
            )
        )  # fmt: skip
    session.flush()
    return len(fresh)


def decided(session: Session, version: Version, by: str, decision: str, now: datetime) -> None:
    """Tells whoever wrote the post. `decision`: "approved", "rejected" or "changes_requested"."""
    post = session.get_one(Post, version.post_id)
    for member in _members(session, post.organization_id, set(asked.wrote(session, post)) - {by}):
        _politely(session, member, post, version.id, f"{DECIDED}-{decision}", now)


def kept_back(session: Session, delivery: Delivery, now: datetime) -> None:
    """Tells whoever wrote it and whoever was asked: nobody decided in time, and nothing went out."""
    post = session.get_one(Post, delivery.post_id)
    query = select(Notice.member_id).where(
        Notice.about == delivery.version_id, Notice.organization_id == post.organization_id
    )
    told = set(session.exec(query.distinct())) | set(asked.wrote(session, post))
    for member in _members(session, post.organization_id, told):
        _politely(session, member, post, delivery.version_id, KEPT_BACK, now)


def mention(session: Session, post: Post, comment_id: str, members: Iterable[str], by: str, now: datetime) -> None:
    """Tells members named in a comment, where they reach the creator at all."""
    for member in _members(session, post.organization_id, set(members) - {by}):
        reach = people.reach_of(session, member)
        if reach is None or post.creator_id in reach:
            _politely(session, member, post, comment_id, MENTION, now, page=post.id)


def held(session: Session, hold: Hold, now: datetime) -> None:
    """Tells everybody who may stop things that something was stopped. It does not wait for quiet hours to end."""
    query = select(Member).where(Member.organization_id == hold.organization_id, col(Member.disabled_at).is_(None))
    for member in session.exec(query):
        reach = people.reach_of(session, member)
        concerned = reach is None or hold.scope not in ("creator", "channel") or hold.target_id in reach
        if member.role in HOLD and member.id != hold.by and concerned:
            tell(session, member, hold.id, HELD, now, now)


def _politely(session: Session, member: Member, post: Post, about: str, kind: str, now: datetime, **more: str) -> None:
    hours = hours_of(member, session.get(Creator, post.creator_id))
    tell(session, member, about, kind, moment(now, None, hours, now), now, creator=post.creator_id, **more)


def _members(session: Session, organization: str, ids: set[str]) -> list[Member]:
    query = select(Member).where(
        col(Member.id).in_(ids), Member.organization_id == organization, col(Member.disabled_at).is_(None)
    )
    return list(session.exec(query.order_by(col(Member.created_at))))
