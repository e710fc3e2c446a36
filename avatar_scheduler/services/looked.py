"""Which pictures of a version a person has looked at, as far as the server can know.

A picture counts once this person's browser fetched it here, and said that it was on the screen. Neither alone does: a
page fetches pictures nobody scrolls to, and a report without a fetch is about a picture that was never there.
"""

import json
from datetime import datetime

from sqlmodel import Session

from avatar_scheduler.db.tables import Version, View
from avatar_scheduler.domain.errors import Invalid, NotFound
from avatar_scheduler.services import seen, versions

SHORTEST_MS = 400
"""Nobody looks at a picture in less time than this, one after the other."""


def fetched(session: Session, version: Version, member_id: str, number: int, now: datetime) -> str:
    """Notes that picture `number` (from 1) was handed to this person. Its SHA-256."""
    pictures = versions.read(version).pictures()
    if not 1 <= number <= len(pictures):
        raise NotFound("There is no such picture.")
    view = seen.open_view(session, version, member_id, now)
    noted = _noted(view)
    if number not in noted["fetched"]:
        noted["fetched"].add(number)
        _write(session, view, noted, len(pictures), now)
    sha256: str = pictures[number - 1]["sha256"]
    return sha256


def shown(session: Session, version: Version, member_id: str, numbers: list[int], now: datetime) -> View:
    """Adds what was on the screen. Raises Invalid when more is claimed than the time since opening allows."""
    pictures = versions.read(version).pictures()
    view = seen.open_view(session, version, member_id, now)
    noted = _noted(view)
    noted["shown"] |= {number for number in numbers if 1 <= number <= len(pictures)}
    elapsed = int((now - view.opened_at).total_seconds() * 1000)
    if len(noted["shown"]) * SHORTEST_MS > elapsed:
        raise Invalid("That is more than can have been looked at in this time.", code="too_fast")
    _write(session, view, noted, len(pictures), now)
    return view


def looked_at(view: View | None) -> list[int]:
    noted = _noted(view) if view else {}
    return sorted(noted["fetched"] & noted["shown"]) if noted else []


def _noted(view: View) -> dict[str, set[int]]:
    """A new view holds the empty list of ranges a film starts with."""
    noted = json.loads(view.ranges) or {}
    return {name: set(noted.get(name, [])) for name in ("fetched", "shown")}


def _write(session: Session, view: View, noted: dict[str, set[int]], pictures: int, now: datetime) -> None:
    view.ranges = json.dumps({name: sorted(numbers) for name, numbers in noted.items()})
    if view.completed_at is None and pictures and len(looked_at(view)) == pictures:
        view.completed_at = now
    session.flush()
