"""The engine, and the only place that commits.

SQLite is SQLite >= 3.51.3 from a package: older ones can corrupt a WAL when two processes checkpoint at once
(https://www.sqlite.org/wal.html#walresetbug), and the one that comes with Python is usually older.
"""

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.queue import ring

WAL_SAFE = (3, 51, 3)
LOCK_MS = 10_000
STATEMENT_MS = 30_000


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
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later would fail with SQLITE_BUSY_SNAPSHOT: take the lock at once.
        mode = "" if connection.get_execution_options().get("readonly") else " IMMEDIATE"
        connection.exec_driver_sql(f"BEGIN{mode}")

    return engine


def _postgres(url: str) -> Engine:
    url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
    options = (
        f"-c lock_timeout={LOCK_MS} -c statement_timeout={STATEMENT_MS} -c idle_in_transaction_session_timeout=60000"
    )
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=30,
        connect_args={"connect_timeout": 10, "options": options},
    )


@contextmanager
def write_scope(settings: Settings) -> Iterator[Session]:
    """One transaction: committed when the block ends, rolled back when it raises. Bells ring only after the commit."""
    with Session(engine_for(settings), expire_on_commit=False) as session:
        try:
            yield session
            session.commit()
        except OperationalError as error:
            raise _plain(error) from error
        bells: list[tuple[str, str]] = session.info.pop("bells", [])
    for name, noun_id in bells:
        ring(settings, name, noun_id)


@contextmanager
def read_scope(settings: Settings) -> Iterator[Session]:
    """A consistent view. Nothing is committed."""
    engine = engine_for(settings)
    options = {"readonly": True} if engine.dialect.name == "sqlite" else {"postgresql_readonly": True}
    with Session(engine.execution_options(**options), expire_on_commit=False) as session:
        try:
            yield session
        except OperationalError as error:
            raise _plain(error) from error
        finally:
            session.expunge_all()  # what was read stays readable after the transaction
            session.rollback()


def ring_after_commit(session: Session, name: str, noun_id: str) -> None:
    session.info.setdefault("bells", []).append((name, noun_id))


def _plain(error: DBAPIError) -> Exception:
    text = str(error.orig).lower()
    if "disk is full" in text or "no space left" in text or "disk i/o" in text:
        return Refused(
            "The disk of the database is full. Free some space, then try again; nothing was kept.",
            code="disk_full",
        )
    if "no such table" in text or "does not exist" in text:
        return Refused(
            "This installation is not set up yet. Run: avatar-scheduler init",
            code="not_set_up",
        )
    return error
