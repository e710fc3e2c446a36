"""How much of a version a person has watched, as far as the server can know."""

import json
from datetime import datetime

from sqlmodel import Session, select

from avatar_scheduler.db.tables import Version, View
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.services import versions
from avatar_scheduler.services.disclosing import VIDEO

FASTEST = 2
"""Players offer up to double speed; nobody watches more video than that in the time that passed."""
SLACK_MS = 1500
END_MS = 400
"""Browsers stop reporting a few frames early."""

Ranges = list[tuple[int, int]]


def merge(ranges: Ranges, duration_ms: int) -> Ranges:
    """Sorted, joined and cut to the video. Gaps below 300 ms are reporting noise."""
    merged: Ranges = []
    for start, end in sorted((max(0, a), min(duration_ms, b)) for a, b in ranges):
        if end <= start:
            continue
        if merged and start <= merged[-1][1] + 300:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def total(ranges: Ranges) -> int:
    return sum(end - start for start, end in ranges)


def view_of(session: Session, version_id: str, member_id: str) -> View | None:
    return session.exec(select(View).where(View.version_id == version_id, View.member_id == member_id)).first()


def open_view(session: Session, version: Version, member_id: str, now: datetime) -> View:
    """Starts the clock of this person's viewing; called when the card is drawn."""
    view = view_of(session, version.id, member_id)
    if view is None:
        view = View(version_id=version.id, member_id=member_id, opened_at=now)
        session.add(view)
        session.flush()
    return view


def record(session: Session, version: Version, member_id: str, ranges: Ranges, now: datetime) -> View:
    """Adds what was played. Raises Invalid when more is claimed than the time since opening allows."""
    manifest = versions.read(version)
    if manifest.form != VIDEO:
        raise Invalid("This post has no video to watch. Look at its pictures.", code="no_video")
    view = open_view(session, version, member_id, now)
    duration = int(manifest.data["media"]["video"]["duration_ms"])
    known: Ranges = [(a, b) for a, b in json.loads(view.ranges)]
    joined = merge(known + ranges, duration)
    elapsed = int((now - view.opened_at).total_seconds() * 1000)
    if total(joined) > elapsed * FASTEST + SLACK_MS:
        raise Invalid("That is more than can have been watched in this time.", code="too_fast")
    view.ranges, view.seen_ms = json.dumps(joined), total(joined)
    if view.completed_at is None and _complete(joined, duration):
        view.completed_at = now
    session.flush()
    return view


def _complete(ranges: Ranges, duration_ms: int) -> bool:
    return len(ranges) == 1 and ranges[0][0] <= END_MS and ranges[0][1] >= duration_ms - END_MS


def read_to_end(session: Session, version: Version, member_id: str, now: datetime) -> View:
    """The transcript was shown to its end in a terminal, line by line: counts as much as watching.

    Not for pictures: no terminal shows them.
    """
    view = open_view(session, version, member_id, now)
    if versions.read(version).form == VIDEO:
        view.completed_at = view.completed_at or now
    session.flush()
    return view
