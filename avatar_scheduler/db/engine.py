"""The engine, and the only place that commits.

One writer at a time, on both databases: what a transaction reads is still true when it commits, so a check such as
`gate.may_send` and the write that rests on it cannot be parted. Every state change takes the audit chain's lock anyway.

SQLite is SQLite >= 3.51.3 from a package: older ones can corrupt a WAL when two processes checkpoint at once
(https://www.sqlite.org/wal.html#walresetbug), and the one that comes with Python is usually older.
"""

import functools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DataError, DBAPIError
from sqlmodel import Session

from avatar_scheduler.audit import Keeper
from avatar_scheduler.config import Settings
from avatar_scheduler.db import tenants
from avatar_scheduler.domain.errors import Conflict, Invalid, Refused, SchedulerError
from avatar_scheduler.queue import ring

WAL_SAFE = (3, 51, 3)
LOCK_MS = 10_000
STATEMENT_MS = 30_000
_WRITER = 0x61_76_73
"""PostgreSQL's advisory lock of the one writer; held until its transaction ends."""


def engine_for(settings: Settings) -> Engine:
    return _engine(settings.database_url)


@functools.lru_cache(maxsize=8)
def _engine(url: str) -> Engine:
    return _sqlite(url) if url.startswith("sqlite") else _postgres(url)


def _sqlite(url: str) -> Engine:
    from pysqlite3 import dbapi2

    if dbapi2.sqlite_version_info < WAL_SAFE:
        raise Refused(
            f"SQLite {dbapi2.sqlite_version} can damage a shared database. Install pysqlite3 with 3.51.3 or newer.",
            code="sqlite_too_old",
        )
    engine = create_engine(
        url,
        module=dbapi2,
        connect_args={"timeout": LOCK_MS / 1000, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        # FULL: with NORMAL a power cut may lose the last commits, and a lost intent would be sent again.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later would fail with SQLITE_BUSY_SNAPSHOT: take the lock at once.
        reading = bool(connection.get_execution_options().get("readonly"))
        connection.exec_driver_sql(f"PRAGMA query_only={int(reading)}")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _postgres(url: str) -> Engine:
    url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
    options = (
        f"-c lock_timeout={LOCK_MS} -c statement_timeout={STATEMENT_MS} -c idle_in_transaction_session_timeout=60000"
    )
    engine = create_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=30,
        connect_args={"connect_timeout": 10, "options": options},
    )

    @event.listens_for(engine, "connect")
    def look(connection: Any, record: Any) -> None:
        record.info[tenants.WALLED] = connection.execute(tenants.HAS_WALL).fetchone()[0]
        connection.rollback()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writing = not connection.get_execution_options().get("postgresql_readonly")
        tenants.begin(connection, *([f"pg_advisory_xact_lock({_WRITER})"] if writing else []))

    return engine


@contextmanager
def write_scope(settings: Settings) -> Iterator[Session]:
    """One transaction: committed when the block ends, rolled back when it raises. Bells ring only after the commit."""
    with Session(engine_for(settings), expire_on_commit=False, info=_at_hand(settings)) as session:
        try:
            yield session
            session.commit()
        except DBAPIError as error:
            raise plain(error) from error
        bells: list[tuple[str, str]] = session.info.pop("bells", [])
    for name, noun_id in bells:
        ring(settings, name, noun_id)


_READING: dict[str, dict[str, Any]] = {
    "sqlite": {"readonly": True},
    "postgresql": {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"},
}


@contextmanager
def read_scope(settings: Settings) -> Iterator[Session]:
    """One moment of the database, however many statements ask. The database itself refuses writes here."""
    engine = engine_for(settings)
    reading = engine.execution_options(**_READING[engine.dialect.name])
    with Session(reading, expire_on_commit=False, info=_at_hand(settings)) as session:
        try:
            yield session
        except DBAPIError as error:
            raise plain(error) from error
        finally:
            session.expunge_all()  # what was read stays readable after the transaction
            session.rollback()


def _at_hand(settings: Settings) -> dict[str, Any]:
    """What `audits` needs of the settings, so that writing an entry needs no more than a session."""
    return {"audit_key": Keeper(settings.keys)}


def ring_after_commit(session: Session, name: str, noun_id: str) -> None:
    session.info.setdefault("bells", []).append((name, noun_id))


_PLAIN: tuple[tuple[tuple[str, ...], Callable[[], SchedulerError]], ...] = (
    (
        ("disk is full", "no space left", "disk i/o"),
        lambda: Refused(
            "The disk of the database is full or failing. Free some space, then try again; nothing was kept.",
            code="disk_full",
        ),
    ),
    (
        ("no such table", "does not exist", "unable to open database file"),
        lambda: Refused("This installation is not set up yet. Run: avatar-scheduler init", code="not_set_up"),
    ),
    (
        ("database is locked", "lock timeout", "deadlock detected"),
        lambda: Conflict("The database is busy. Nothing was changed; try again in a moment.", code="busy"),
    ),
    (
        ("unique constraint",),
        lambda: Conflict("Somebody else did the same a moment ago. Look again.", code="lost_race"),
    ),
)


def plain(error: DBAPIError) -> Exception:
    """What a person can act on, in words; anything else as it was."""
    text = str(error.orig).lower()
    if isinstance(error, DataError) or "nul (0x00)" in text:
        return Invalid("That text has a character the database cannot keep. Remove it, then try again.", code="text")
    return next((make() for signs, make in _PLAIN if any(sign in text for sign in signs)), error)
