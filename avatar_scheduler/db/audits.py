"""Appending to the audit chain, always inside the transaction of the change it records."""

import json
from collections.abc import Generator
from contextlib import closing
from datetime import UTC, datetime

from sqlmodel import Session, col, select

from avatar_scheduler.audit import GENESIS, Entry, Verdict, verify
from avatar_scheduler.db.tables import Audit


def append(
    session: Session,
    *,
    at: datetime,
    organization: str,
    actor: str,
    action: str,
    noun: str,
    noun_id: str,
    data: dict[str, str] | None = None,
) -> str:
    """Returns the entry's hash. `db.engine` lets one writer in at a time, so entries have one order."""
    session.flush()
    at = at.astimezone(UTC)  # hashed as it will be read back
    last = session.exec(select(Audit).order_by(col(Audit.seq).desc()).limit(1)).first()
    entry = Entry(
        seq=last.seq + 1 if last else 1,
        at=at,
        organization=organization,
        actor=actor,
        action=action,
        noun=noun,
        noun_id=noun_id,
        data=json.dumps(data or {}, sort_keys=True, ensure_ascii=False),
        previous=last.hash if last else GENESIS,
    )
    row = Audit(
        seq=entry.seq,
        at=at,
        organization_id=organization,
        actor=actor,
        action=action,
        noun=noun,
        noun_id=noun_id,
        data=entry.data,
        previous=entry.previous,
        hash=entry.hash(),
    )
    session.add(row)
    session.flush()
    return row.hash


def walk(session: Session) -> Generator[tuple[Entry, str], None, None]:
    with closing(session.exec(select(Audit).order_by(col(Audit.seq)).execution_options(yield_per=500))) as rows:
        for row in rows:
            yield _entry(row), row.hash


def _entry(row: Audit) -> Entry:
    return Entry(
        row.seq, row.at, row.organization_id, row.actor, row.action, row.noun, row.noun_id, row.data, row.previous
    )


def check(session: Session, head: tuple[int, str] | None) -> Verdict:
    with closing(walk(session)) as rows:  # a broken log is not read to its end
        return verify(rows, head=head)


def about(session: Session, organization: str, noun_ids: list[str]) -> list[Audit]:
    query = select(Audit).where(col(Audit.noun_id).in_(noun_ids), Audit.organization_id == organization)
    return list(session.exec(query.order_by(col(Audit.seq).desc())))


def happened(session: Session, action: str, noun_id: str) -> bool:
    query = select(Audit.seq).where(Audit.noun_id == noun_id, Audit.action == action)
    return session.exec(query.limit(1)).first() is not None


def said(session: Session, noun: str, noun_id: str) -> dict[str, str]:
    """The last word on each thing the log says of it."""
    query = select(Audit.data).where(Audit.noun == noun, Audit.noun_id == noun_id).order_by(col(Audit.seq))
    found: dict[str, str] = {}
    for text in session.exec(query):
        found |= json.loads(text)
    return found


def actors(session: Session, noun_id: str, *actions: str) -> frozenset[str]:
    """Everybody the log names as the doer of any of these."""
    query = select(Audit.actor).where(Audit.noun_id == noun_id, col(Audit.action).in_(actions)).distinct()
    return frozenset(session.exec(query))
