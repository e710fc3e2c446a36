"""Appending to the audit log, always inside the transaction of the change it records, and believing what it says.

`db.engine` lets one writer in at a time, so entries have one order, and puts the log's key within a session's reach.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Generator, Iterable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, update
from sqlmodel import Session, col, select

from avatar_scheduler.audit import GENESIS, Entry, Keeper, Known, Stored, Verdict, genuine, seal, verify
from avatar_scheduler.db import recall
from avatar_scheduler.db.tables import Audit
from avatar_scheduler.domain.errors import Refused

KEEPER = "audit_key"
"""Where a session keeps the `Keeper`."""
_ROWS = Audit.__table__  # type: ignore[attr-defined]
_ENTRY = tuple(
    _ROWS.c[name]
    for name in ("seq", "at", "organization_id", "actor", "action", "noun", "noun_id", "data", "previous", "number",
                 "own_previous")
)  # fmt: skip
_NAMES = tuple(column.name for column in _ENTRY)
# Plain columns rather than objects: a log has hundreds of thousands of rows, and each is looked at once.
_ALL: Select[Any] = select(*_ENTRY, _ROWS.c.hash, _ROWS.c.mac)  # type: ignore[call-overload]
_LAST = select(_ROWS.c.seq, _ROWS.c.hash, _ROWS.c.mac).order_by(_ROWS.c.seq.desc()).limit(1)
_LAST_OWN = (
    select(_ROWS.c.number, _ROWS.c.hash)
    .where(_ROWS.c.organization_id == bindparam("whose"), _ROWS.c.number > 0)
    .order_by(_ROWS.c.number.desc())
    .limit(1)
)
_INSERT = insert(_ROWS)


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
    """Returns the entry's hash. Raises Refused (audit_key) when the log's key is gone."""
    session.flush()
    connection = session.connection()  # nothing here is an object the session should know
    last: Any = recall.once(session, "last", lambda: connection.execute(_LAST).first()) or (0, GENESIS, "")
    key = _key_for(session, last[1], last[2])
    whose = {"whose": organization}
    own: Any = recall.once(session, ("own", organization), lambda: connection.execute(_LAST_OWN, whose).first())
    own = own or (0, GENESIS)
    entry = Entry(
        seq=last[0] + 1,
        at=at.astimezone(UTC),  # hashed as it will be read back
        organization=organization,
        actor=actor,
        action=action,
        noun=noun,
        noun_id=noun_id,
        data=json.dumps(data or {}, sort_keys=True, ensure_ascii=False),
        previous=last[1],
        number=own[0] + 1,
        own_previous=own[1],
    )
    digest = entry.hash()
    row = Stored(entry, digest, seal(key, digest))
    connection.execute(_INSERT, {**dict(zip(_NAMES, entry, strict=True)), "hash": row.hash, "mac": row.mac})
    _recall(session, row)
    return digest


def _recall(session: Session, row: Stored) -> None:
    known = recall.kept(session)
    if known is None:
        return
    entry = row.entry
    known["last"], known["own", entry.organization] = (entry.seq, row.hash, row.mac), (entry.number, row.hash)
    if (Entry, entry.noun_id) in known:
        known[Entry, entry.noun_id].append(entry)


def _key_for(session: Session, digest: str, mac: str) -> bytes:
    """The key new entries are sealed with; made now when nothing was ever sealed."""
    keeper = _keeper(session)
    key = keeper.find()
    if key is not None and not keeper.pending:
        return key
    if key is not None and mac == seal(key, digest):
        keeper.settle()
        return key
    if session.execute(select(_ROWS.c.seq).where(_ROWS.c.mac != "").limit(1)).first():
        raise _lost(keeper)
    return _begin(session, keeper)


def _begin(session: Session, keeper: Keeper) -> bytes:
    """What is older than the key is checked as it could be until now, then sealed in one go."""
    if problem := check(session, None).problem:
        raise Refused(f"The log is damaged, so it is not sealed: {problem}", code="log_damaged")
    key = keeper.make()
    seals = [{"one": row.entry.seq, "sealed": seal(key, row.hash)} for row in list(walk(session))]
    if seals:
        session.connection().execute(
            update(_ROWS).where(_ROWS.c.seq == bindparam("one")).values(mac=bindparam("sealed")), seals
        )
    return key


def prepare(session: Session) -> None:
    """Makes the log's key when there is none, and seals what an older version wrote. Does nothing otherwise."""
    last = session.execute(_LAST).first() or (0, GENESIS, "")
    _key_for(session, last[1], last[2])


def walk(session: Session, organization: str | None = None) -> Generator[Stored, None, None]:
    """The whole log in its order, or one organization's part of it."""
    query = _ALL.order_by(_ROWS.c.seq)
    if organization is not None:
        query = query.where(_ROWS.c.organization_id == organization)
    with closing(session.execute(query.execution_options(yield_per=2000))) as rows:
        for row in rows:
            yield Stored(Entry(*row[:-2]), row[-2], row[-1])


def check(
    session: Session, head: tuple[int, str] | None, known: Known | None = None, organization: str | None = None
) -> Verdict:
    """Recomputes everything. `head` and `known` come from outside the database; `organization` looks at its part alone.

    Raises Refused (audit_key) when entries are sealed and the key is gone.
    """
    keeper = _keeper(session)
    key = keeper.find()
    if key is None and session.execute(select(_ROWS.c.seq).where(_ROWS.c.mac != "").limit(1)).first():
        raise _lost(keeper)
    expected = {**(known or {}), **({("*", head[0]): head[1]} if head and head[0] else {})}
    with closing(walk(session, organization)) as rows:  # a broken log is not read to its end
        return verify(rows, key=key, known=expected, whole=organization is None)


def about(session: Session, organization: str, noun_ids: list[str]) -> list[Audit]:
    query = select(Audit).where(col(Audit.noun_id).in_(noun_ids), Audit.organization_id == organization)
    return list(session.exec(query.order_by(col(Audit.seq).desc())))


def happened(session: Session, action: str, noun_id: str) -> bool:
    """Raises Refused (log_damaged), as all of these, when any entry about it is not genuine."""
    return any(entry.action == action for entry in of(session, noun_id))


def given_at(session: Session, action: str, noun_id: str) -> int:
    """Number in the whole log of the first such entry; 0 when there is none."""
    return next((entry.seq for entry in of(session, noun_id) if entry.action == action), 0)


def said(session: Session, noun: str, noun_id: str) -> dict[str, str]:
    """The last word on each thing the log says of it."""
    found: dict[str, str] = {}
    for entry in of(session, noun_id):
        if entry.noun == noun:
            found |= json.loads(entry.data)
    return found


def actors(session: Session, noun_id: str, *actions: str) -> frozenset[str]:
    """Everybody the log names as the doer of any of these."""
    return frozenset(entry.actor for entry in of(session, noun_id) if entry.action in actions)


def of(session: Session, noun_id: str) -> list[Entry]:
    """All about one thing, in order, each with its hash and its seal recomputed."""
    known = recall.kept(session)
    if known is not None and (Entry, noun_id) in known:
        found: list[Entry] = known[Entry, noun_id]
        return found
    return fetch(session, [noun_id])[noun_id]


def fetch(session: Session, noun_ids: Collection[str]) -> dict[str, list[Entry]]:
    """The same for many, in one statement."""
    entries: defaultdict[str, list[Entry]] = defaultdict(list, {noun_id: [] for noun_id in noun_ids})
    for entry in believed(session, _ALL.where(_ROWS.c.noun_id.in_(noun_ids)).order_by(_ROWS.c.seq)):
        entries[entry.noun_id].append(entry)
    known = recall.kept(session)
    if known is not None:
        known |= {(Entry, noun_id): found for noun_id, found in entries.items()}
    return entries


def believed(session: Session, query: Select[Any]) -> list[Entry]:
    """The entries a query of all columns finds, each with its hash and its seal recomputed."""
    session.flush()
    rows = [Stored(Entry(*row[:-2]), row[-2], row[-1]) for row in session.execute(query)]
    check_rows(session, rows)
    return [row.entry for row in rows]


def check_rows(session: Session, rows: Iterable[Stored]) -> None:
    """Raises Refused (log_damaged) naming the first entry that this installation did not write as it stands."""
    for row in rows:
        if not genuine(_keeper(session).find(), row):
            raise Refused(
                f"Entry {row.entry.seq} of the log is not as this installation wrote it. "
                "Run: avatar-scheduler audit verify",
                code="log_damaged",
            )


def at_heads(session: Session) -> list[Stored]:
    """The last entry of the whole log and of each organization's part, in that order."""
    ends = (
        select(_ROWS.c.organization_id, func.max(_ROWS.c.number).label("last"))
        .where(_ROWS.c.number > 0)
        .group_by(_ROWS.c.organization_id)
        .subquery()
    )
    own = _ALL.join(
        ends, (_ROWS.c.organization_id == ends.c.organization_id) & (_ROWS.c.number == ends.c.last)
    ).order_by(_ROWS.c.organization_id)
    last = session.execute(_ALL.order_by(_ROWS.c.seq.desc()).limit(1)).all()
    return [Stored(Entry(*row[:-2]), row[-2], row[-1]) for row in [*last, *session.execute(own)]]


def hash_at(session: Session, organization: str, number: int) -> str:
    """Of an organization's entry, or with "*" of the whole log's; empty when it is not there."""
    where = (
        _ROWS.c.seq == number
        if organization == "*"
        else (_ROWS.c.organization_id == organization) & (_ROWS.c.number == number)
    )
    found = session.execute(select(_ROWS.c.hash).where(where)).first()
    return str(found[0]) if found else ""


def _keeper(session: Session) -> Keeper:
    keeper: Keeper = session.info[KEEPER]
    return keeper


def _lost(keeper: Keeper) -> Refused:
    return Refused(
        f"The key of the log, {keeper.path}, is missing, and entries are sealed with it. Restore it from your backup.",
        code="audit_key",
    )
