"""What goes out in a week, and where else it could go."""

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from avatar_scheduler.db.tables import Creator, Delivery, Post, Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.slots import zone_of
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.rescheduling import OPEN, window_of
from avatar_scheduler.services.roles import reached

DAYS = 7
MOST = 1000
STEPS = (-timedelta(hours=1), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=2), timedelta(days=1))
"""From when it is planned: what is offered first."""


@dataclass(frozen=True)
class Option:
    at: datetime
    keeps: bool
    """The approval, or the request for one, stays."""


@dataclass(frozen=True)
class Event:
    post_id: str
    title: str
    language: str
    creator: str
    creator_slug: str
    platforms: tuple[str, ...]
    due_at: datetime
    """In the creator's zone."""
    zone: str
    state: str
    movable: bool
    window: tuple[datetime, datetime]
    """Inside it a move asks nobody again."""
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Day:
    on: date
    today: bool
    events: tuple[Event, ...]


def week(session: Session, who: Person, first: date, zone: str, now: datetime, creator_slug: str = "") -> list[Day]:
    """Seven days from `first`, as they are in `zone`. One query, however many creators."""
    tz = zone_of(zone)
    begin, end = _at(first, tz), _at(first + timedelta(days=DAYS), tz)
    query = (
        select(Delivery, Post, Creator, Version.manifest)
        .join(Post, col(Delivery.post_id) == Post.id)
        .join(Creator, col(Post.creator_id) == Creator.id)
        .join(Version, col(Delivery.version_id) == Version.id)
        .where(Delivery.organization_id == who.organization_id, Delivery.version_id == Post.version_id)
        .where(Delivery.due_at >= begin, Delivery.due_at < end, Delivery.state != DeliveryState.withdrawn)
    )
    if (limit := reached(who)) is not None:
        query = query.where(col(Post.creator_id).in_(limit))
    if creator_slug:
        query = query.where(Creator.slug == creator_slug)
    rows: dict[str, list[tuple[Delivery, Post, Creator, str]]] = {}
    for delivery, post, creator, manifest in session.exec(query.order_by(col(Delivery.due_at)).limit(MOST)):
        rows.setdefault(post.id, []).append((delivery, post, creator, manifest))
    events = [_event(group, now) for group in rows.values()]
    today = now.astimezone(tz).date()
    days = [first + timedelta(days=n) for n in range(DAYS)]
    return [
        Day(day, day == today, tuple(event for event in events if event.due_at.astimezone(tz).date() == day))
        for day in days
    ]


def _at(day: date, tz: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tz)


def _event(group: list[tuple[Delivery, Post, Creator, str]], now: datetime) -> Event:
    delivery, post, creator, manifest = group[0]
    tz = zone_of(creator.zone)
    due = delivery.due_at.astimezone(tz)
    targets = _targets(manifest)
    windows = [window_of(targets[row.id]) for row, *_ in group if row.id in targets]
    movable = len(windows) == len(group) and all(row.state in OPEN for row, *_ in group)
    begin = max((window[0] for window in windows), default=due).astimezone(tz)
    end = min((window[1] for window in windows), default=due).astimezone(tz)
    return Event(
        post_id=post.id,
        title=post.title,
        language=post.language,
        creator=creator.name,
        creator_slug=creator.slug,
        platforms=tuple(sorted({target["platform"] for target in targets.values()})),
        due_at=due,
        zone=creator.zone,
        state=str(delivery.state),
        movable=movable,
        window=(begin, end),
        options=tuple(Option(due + step, begin <= due + step <= end) for step in STEPS if movable and due + step > now),
    )


def _targets(manifest: str) -> dict[str, dict[str, Any]]:
    """None of a manifest that somebody damaged: the others are still shown."""
    try:
        return {target["delivery"]: target for target in json.loads(manifest)["targets"]}
    except (ValueError, KeyError, TypeError):
        return {}
