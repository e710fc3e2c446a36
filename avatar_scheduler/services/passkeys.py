"""WebAuthn: enrolling, signing in, and answers that are kept with an approval."""

from sqlmodel import Session, col, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Passkey
from avatar_scheduler.domain.errors import Refused


def has_any(session: Session, member_id: str) -> bool:
    query = select(Passkey.id).where(Passkey.member_id == member_id, col(Passkey.revoked_at).is_(None))
    return session.exec(query.limit(1)).first() is not None


def check_assertion(
    session: Session, settings: Settings, member_id: str, assertion: str, challenge: bytes, *, fresh: bool
) -> Passkey:
    raise Refused("No passkey of this kind is known.", code="passkey")
