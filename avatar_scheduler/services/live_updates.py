"""What changed since a page was drawn. The log says that something did; what is shown is read anew."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Audit, Member, Post
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.queue import CLOCK
from avatar_scheduler.services import approvals, holds, pages, review
from avatar_scheduler.services.cards import QueueRow
from avatar_scheduler.services.holds import Stop
from avatar_scheduler.services.people import Person

CHANNEL = CLOCK
"""Redis channel that is rung after commits: a doorbell, the log is the truth."""


@dataclass(frozen=True)
class Meanwhile:
    """What became of the version somebody has open."""

    what: str
    """"changed" (there is a newer one), "editing" (somebody works on it) or "decided"."""
    by: str
    """Who did it; empty for a machine."""
    version_id: str
    """The one to look at now."""


@dataclass(frozen=True)
class Glimpse:
    seq: int
    """Last entry of the organization's log when it was taken."""
    waiting: list[QueueRow]
    holds: tuple[Stop, ...]
    meanwhile: Meanwhile | None


def newest(session: Session) -> int:
    """Sequence number of the last entry of the whole log."""
    return session.exec(select(func.max(Audit.seq))).one() or 0


def newest_of(session: Session, who: Person) -> int:
    """The same of this person's organization."""
    query = select(Audit.seq).where(Audit.organization_id == who.organization_id)
    return session.exec(query.order_by(col(Audit.number).desc(), col(Audit.seq).desc()).limit(1)).first() or 0


def glimpse(session: Session, settings: Settings, who: Person, version_id: str, now: datetime) -> Glimpse:
    """`version_id` may be empty. Raises NotFound for a version this person does not reach."""
    seen = meanwhile(session, who, version_id) if version_id else None
    return Glimpse(newest_of(session, who), pages.waiting(session, who, now), holds.shown(session, who), seen)


def meanwhile(session: Session, who: Person, version_id: str) -> Meanwhile | None:
    version, post = review.find(session, who, version_id)
    if post.version_id != version.id:
        return Meanwhile("changed", _last(session, post, "post.edited"), post.version_id or version.id)
    if post.state in (PostState.draft, PostState.rendering, PostState.checking):
        return Meanwhile("editing", _last(session, post, "post.edited", "post.draft"), version.id)
    mine = any(row.by == who.member_id for row in approvals.given(session, version.id))
    if post.state is PostState.in_review or mine:
        return None
    return Meanwhile("decided", _last(session, post, f"post.{post.state}"), version.id)


def _last(session: Session, post: Post, *actions: str) -> str:
    query = (
        select(Member.name)
        .join(Audit, col(Audit.actor) == Member.id)
        .where(Audit.noun_id == post.id, col(Audit.action).in_(actions))
        .order_by(col(Audit.seq).desc())
    )
    return session.exec(query.limit(1)).first() or ""
