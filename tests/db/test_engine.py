"""Transactions: one writer, readers that see one moment, bells after the commit, and failures in words."""

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from avatar_scheduler.config import Settings
from avatar_scheduler.db import engine as engines
from avatar_scheduler.db.engine import read_scope, ring_after_commit, write_scope
from avatar_scheduler.db.tables import Member, Organization, View
from avatar_scheduler.domain.errors import Conflict, Invalid, Refused
from avatar_scheduler.queue import PUBLISH
from tests.world import World


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    bells: list[str] = []
    monkeypatch.setattr(engines, "ring", lambda _, name, noun_id: bells.append(f"{name} {noun_id}"))
    return bells


def test_an_old_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pysqlite3 import dbapi2

    monkeypatch.setattr(dbapi2, "sqlite_version_info", (3, 51, 2))
    with pytest.raises(Refused, match=r"pysqlite3 with 3\.51\.3") as refused:
        engines._sqlite(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    assert refused.value.code == "sqlite_too_old"


def test_sqlite_keeps_a_log_and_flushes_every_commit(settings: Settings) -> None:
    """synchronous=2 is FULL: a power cut must not take back an intent that was acted on."""
    if engines.engine_for(settings).dialect.name == "postgresql":
        with read_scope(settings) as session:
            assert session.execute(text("SHOW synchronous_commit")).scalar() == "on"
        return
    with read_scope(settings) as session:
        values = [session.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
    assert values == ["wal", 2]


def test_a_read_scope_cannot_write_and_the_next_write_scope_can(world: World) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)read-?only"), world.read() as session:
        session.execute(text("UPDATE member SET name = 'Mallory'"))
    with world.write() as session:
        session.execute(text("UPDATE member SET name = 'Ada L.'"))
    with world.read() as session:
        assert session.exec(select(Member.name)).one() == "Ada L."


def test_a_read_scope_sees_one_moment(world: World) -> None:
    with world.read() as session:
        before = session.exec(select(Member.name)).one()
        thread = threading.Thread(target=world.sql, args=("UPDATE member SET name = 'New'",))
        thread.start()
        thread.join()
        assert session.exec(select(Member.name)).one() == before
    with world.read() as session:
        assert session.exec(select(Member.name)).one() == "New"


def test_what_was_read_stays_readable(world: World) -> None:
    with world.read() as session:
        member = session.exec(select(Member)).one()
    assert member.name == "Ada"


def test_a_writer_waits_for_the_writer_before_it(world: World) -> None:
    """What a transaction has read is still true when it commits: 60 read-add-writes lose none."""

    def add(times: int) -> None:
        for _ in range(times):
            with world.write() as session:
                member = session.exec(select(Member)).one()
                member.failed_sign_ins += 1

    threads = [threading.Thread(target=add, args=(10,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with world.read() as session:
        assert session.exec(select(Member.failed_sign_ins)).one() == 60


def test_bells_ring_only_after_the_commit(world: World, rung: list[str]) -> None:
    with world.write() as session:
        ring_after_commit(session, PUBLISH, "d1")
        assert rung == []
    assert rung == ["publish.run d1"]

    def ring_and_fail() -> None:
        with world.write() as session:
            ring_after_commit(session, PUBLISH, "d2")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        ring_and_fail()
    assert rung == ["publish.run d1"]


@pytest.mark.parametrize(
    ("said", "kind", "code"),
    [
        ("database or disk is full", Refused, "disk_full"),
        ("could not extend file: No space left on device", Refused, "disk_full"),
        ("disk I/O error", Refused, "disk_full"),
        ("database is locked", Conflict, "busy"),
        ("canceling statement due to lock timeout", Conflict, "busy"),
        ("deadlock detected", Conflict, "busy"),
    ],
)
def test_a_failing_database_is_said_in_words(settings: Settings, said: str, kind: type[Exception], code: str) -> None:
    with pytest.raises(kind) as raised, write_scope(settings):
        raise DBAPIError("UPDATE", {}, Exception(said))
    assert getattr(raised.value, "code", "") == code


def test_an_unknown_failure_is_not_dressed_up(settings: Settings) -> None:
    with pytest.raises(DBAPIError, match="never heard of"), write_scope(settings):
        raise DBAPIError("UPDATE", {}, Exception("never heard of"))


def test_a_doubled_row_is_a_conflict(world: World) -> None:
    version = world.version(world.post())
    with pytest.raises(Conflict) as raised, world.write() as session:
        session.add_all(
            View(version_id=version.id, member_id=world.ada.member_id, opened_at=world.now) for _ in range(2)
        )
    assert raised.value.code == "lost_race"


def test_a_locked_database_is_busy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that holds the lock longer than anybody waits."""
    monkeypatch.setattr(engines, "LOCK_MS", 200)
    engines.engine_for(world.settings).dispose()
    engines._engine.cache_clear()
    with world.write() as session:
        session.exec(select(Member)).all()
        with pytest.raises(Conflict) as raised, world.write() as other:
            other.exec(select(Member)).all()
    assert raised.value.code == "busy"
    engines.engine_for(world.settings).dispose()
    engines._engine.cache_clear()


def test_a_character_the_database_cannot_keep_is_invalid(settings: Settings, world: World) -> None:
    if engines.engine_for(settings).dialect.name == "sqlite":
        return  # SQLite keeps any
    with pytest.raises(Invalid, match="cannot keep"), world.write() as session:
        session.add(Organization(name="a\0b", created_at=world.now))


def test_without_tables_the_way_out_is_named(settings: Settings, tmp_path: Path) -> None:
    changed: dict[str, Any] = {"data": tmp_path / "empty"}
    if settings.database:
        with write_scope(settings) as session:
            session.execute(text("DROP TABLE member CASCADE"))
        empty = settings
    else:
        empty = settings.model_copy(update=changed)
    with pytest.raises(Refused, match="avatar-scheduler init"), read_scope(empty) as session:
        session.exec(select(Member)).all()
    with pytest.raises(Refused, match="avatar-scheduler init"), write_scope(empty) as session:
        session.exec(select(Member)).all()
