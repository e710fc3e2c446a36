"""Where a person is signed in, and out again."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import WebSession
from avatar_scheduler.domain.errors import NotFound
from avatar_scheduler.services import people
from avatar_scheduler.services.people import HALF, IDLE_LIFE, Person


@dataclass(frozen=True)
class Device:
    id: str
    name: str
    """What its browser says of itself."""
    how: str
    last_seen: datetime
    here: bool


def listing(session: Session, who: Person, now: datetime) -> list[Device]:
    """This device first, then by when it was last used."""
    query = select(WebSession).where(
        WebSession.member_id == who.member_id,
        col(WebSession.revoked_at).is_(None),
        WebSession.expires_at > now,
        WebSession.how != HALF,
    )
    found = [
        Device(row.id, row.user_agent, row.how, row.last_seen_at or row.created_at, row.id == who.session_id)
        for row in session.exec(query)
    ]
    alive = [device for device in found if device.last_seen > now - IDLE_LIFE]
    return sorted(alive, key=lambda device: (not device.here, -device.last_seen.timestamp()))


def revoke(session: Session, who: Person, session_id: str, now: datetime) -> None:
    row = session.get(WebSession, session_id)
    if row is None or row.member_id != who.member_id or row.revoked_at is not None:
        raise NotFound("That device is signed out already.")
    row.revoked_at = now
    _note(session, who, {"devices": "1"}, now)


def revoke_others(session: Session, who: Person, now: datetime) -> int:
    count = people.revoke_sessions(session, who.member_id, now, but=who.session_id)
    _note(session, who, {"devices": str(count)}, now)
    return count


def _note(session: Session, who: Person, data: dict[str, str], now: datetime) -> None:
    audits.append(
        session, at=now, organization=who.organization_id, actor=who.member_id, action="member.signed_out_elsewhere",
        noun="member", noun_id=who.member_id, data=data,
    )  # fmt: skip
