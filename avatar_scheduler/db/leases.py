"""Named leases with a term: who may act as the one clock."""

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from avatar_scheduler.db.tables import Lease


def hold(session: Session, name: str, owner: str, now: datetime, term: timedelta) -> bool:
    """True when `owner` holds the lease until now + term. Taking over an ended lease raises its term number."""
    row = session.get(Lease, name)
    if row is None:
        try:
            with session.begin_nested():
                session.add(Lease(name=name, owner=owner, term=1, until=now + term))
        except IntegrityError:
            return False
        return True
    mine = row.owner == owner
    if not mine and row.until > now:
        return False
    if mine and row.until - now > term / 2:
        return True  # fresh enough: no write on every sweep
    unchanged = (col(Lease.name) == name, col(Lease.owner) == row.owner, col(Lease.term) == row.term)
    values = {"owner": owner, "term": row.term + (0 if mine else 1), "until": now + term}
    result = session.execute(update(Lease).where(*unchanged).values(**values))
    return isinstance(result, CursorResult) and result.rowcount == 1
