"""Another time for a post: inside the window its reviewer saw, the yes stays; outside, a new version asks again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.db.tables import Delivery, Post, Version
from avatar_scheduler.domain import slots
from avatar_scheduler.domain.approval import UNDO
from avatar_scheduler.domain.delivery import GRACE, IN_FLIGHT, DeliveryState
from avatar_scheduler.domain.errors import Conflict, Refused
from avatar_scheduler.domain.slots import Slot
from avatar_scheduler.services import approvals, posts, renders, versions
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.posts import Edit
from avatar_scheduler.services.roles import WRITE, require

OPEN = (DeliveryState.waiting, DeliveryState.scheduled)


@dataclass(frozen=True)
class Moved:
    post: Post
    kept: bool
    """The approval, or the request for one, still holds. Otherwise a new version is being made and asks again."""
    before: Slot | None
    """When it was to go out until now."""


def window_of(target: dict[str, Any]) -> tuple[datetime, datetime]:
    """Versions older than windows have their one time."""
    begin, end = target.get("window", (target["due_at"], target["due_at"]))
    return datetime.fromisoformat(begin), datetime.fromisoformat(end)


def due_of(session: Session, delivery: Delivery, target: dict[str, Any]) -> tuple[datetime, datetime]:
    """The due time and latest start that the manifest and the log stand for.

    Raises Refused for a logged move outside the window: nobody agreed to that time.
    """
    said = audits.said(session, "delivery", delivery.id)
    if "due_at" not in said:
        return datetime.fromisoformat(target["due_at"]), datetime.fromisoformat(target["latest_start"])
    due, latest = datetime.fromisoformat(said["due_at"]), datetime.fromisoformat(said["latest_start"])
    begin, end = window_of(target)
    if not begin <= due <= end or latest != due + GRACE:
        raise Refused("It was moved out of the time somebody agreed to.", code="delivery_changed")
    return due, latest


def keeps(session: Session, post: Post, slot: Slot) -> bool:
    """Whether this time lies in the window of everything of the post that has not left."""
    version = session.get(Version, post.version_id) if post.version_id else None
    waiting = _open(session, post)
    if version is None or not waiting:
        return False
    manifest = versions.read(version)
    windows = [window_of(target) for row in waiting if (target := manifest.target(row.id)) is not None]
    return len(windows) == len(waiting) and all(begin <= slot.due_at <= end for begin, end in windows)


def move(session: Session, settings: Settings, who: Person, post_id: str, at: str, zone: str, now: datetime) -> Moved:
    """Raises Conflict while it is going out, Invalid for a time that is past or does not exist."""
    require(who, WRITE, "move posts")
    post = posts.get(session, who, post_id)
    every = list(session.exec(select(Delivery).where(Delivery.post_id == post.id)))
    if any(row.state in IN_FLIGHT for row in every):
        raise Conflict("It is going out right now. It cannot be moved any more.", code="in_flight")
    before = _slot_of(_open(session, post))
    slot = slots.resolve(at, zone, now=now)
    if not keeps(session, post, slot):
        changed = posts.edit(session, settings, who, post_id, Edit(at=at, zone=zone), now)
        renders.submit(session, settings, who, changed, now)
        return Moved(changed, False, before)
    effective = max((approvals.in_force_from(row) for row in approvals.given(session, post.version_id)), default=now)
    for row in _open(session, post):
        rows.reschedule(
            session, row, now, who.member_id, due_at=slot.due_at, latest_start=slot.due_at + GRACE,
            ready_at=max(slot.due_at, effective, now + UNDO), local_time=slot.local, zone=slot.zone,
        )  # fmt: skip
    return Moved(post, True, before)


def _open(session: Session, post: Post) -> list[Delivery]:
    query = select(Delivery).where(Delivery.version_id == post.version_id, col(Delivery.state).in_(OPEN))
    return list(session.exec(query))


def _slot_of(rows_of: list[Delivery]) -> Slot | None:
    return next((Slot(row.local_time, row.zone, row.due_at) for row in rows_of), None)
