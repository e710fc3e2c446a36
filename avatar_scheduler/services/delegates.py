"""Whom a creator named to decide in their place."""

from datetime import datetime

from sqlmodel import Session


def named(session: Session, creator_id: str, member_id: str, kind: str, at: datetime) -> bool:
    """Believing the log."""
    return False
