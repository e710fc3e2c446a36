"""Row level security of PostgreSQL, built from the tables: whatever has an `organization_id` is held to it.

ENABLE, not FORCE: nobody but the owner escapes, and the pages are not the owner. FORCE would hold the owner too, who
serves all organizations, and `pg_dump`, which refuses to read a table that hides rows from it.
"""

import hashlib

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import ProgrammingError
from sqlmodel import SQLModel

from avatar_scheduler.db import tables  # noqa: F401  (fills the metadata)
from avatar_scheduler.db.tenants import ROLE, SETTING

OWN = f"= NULLIF(current_setting('{SETTING}', true), '')"
"""NULL, which equals nothing, when no organization was said."""
PARENTS = {
    "view": ("version_id", "version"),
    "attempt": ("delivery_id", "delivery"),
    "receipt": ("delivery_id", "delivery"),
    "login_link": ("member_id", "member"),
    "web_session": ("member_id", "member"),
    "one_time_code": ("member_id", "member"),
    "identity": ("member_id", "member"),
    "oidc_visit": ("provider_id", "identity_provider"),
}
"""Seen by whoever sees the row they belong to."""
OPEN = {
    "audit": "SELECT, INSERT",  # the chain is one for the installation: each entry holds the hash of the one before
    "challenge": "SELECT, INSERT, UPDATE, DELETE",  # random bytes, most of them for people who are not signed in yet
}
CLOSED = frozenset({"lease", "hook_event"})
"""Nothing for a signed-in person. A table named nowhere is closed too."""
_ALL = "SELECT, INSERT, UPDATE, DELETE"
# Holds of the operator stop every organization, so everybody sees them; only their own organization writes them.
_SHOWN = {"hold": f"scope = 'everything' AND current_setting('{SETTING}', true) <> ''"}


def rules() -> dict[str, str]:
    """What a row must fulfil to be seen or written, for each walled table."""
    found = {
        name: f"organization_id {OWN}"
        for name, table in SQLModel.metadata.tables.items()
        if "organization_id" in table.c and name not in OPEN
    }
    found["organization"] = f"id {OWN}"
    for name, (column, parent) in PARENTS.items():
        found[name] = f'EXISTS (SELECT 1 FROM "{parent}" AS parent WHERE parent.id = "{name}"."{column}")'  # noqa: S608
    return found


def policies() -> dict[tuple[str, str], str]:
    """By table and name. The name changes with the rule, so a policy that is there is the right one."""
    found: dict[tuple[str, str], str] = {}
    for name, rule in rules().items():
        found[name, _named(rule)] = f"FOR ALL TO {ROLE} USING ({rule}) WITH CHECK ({rule})"
    for name, rule in _SHOWN.items():
        found[name, _named(rule)] = f"FOR SELECT TO {ROLE} USING ({rule})"
    return found


def _named(rule: str) -> str:
    return f"wall_{hashlib.sha256(rule.encode()).hexdigest()[:8]}"


def build(connection: Connection) -> bool:
    """Idempotent. False, and nothing changed, when this database user neither has the role nor may make it."""
    if not (_role_is_usable(connection) or (_make_role(connection) and _role_is_usable(connection))):
        return False
    schema, wanted = inspect(connection).default_schema_name, policies()
    _run(connection, f'GRANT USAGE ON SCHEMA "{schema}" TO {ROLE}')
    for name, rights in {**dict.fromkeys(rules(), _ALL), **OPEN}.items():
        _run(connection, f'GRANT {rights} ON "{name}" TO {ROLE}')
    there = _there(connection)
    for name, policy in there - wanted.keys():
        _run(connection, f'DROP POLICY "{policy}" ON "{name}"')
    for name, policy in wanted.keys() - there:
        _run(connection, f'CREATE POLICY "{policy}" ON "{name}" {wanted[name, policy]}')
    for name in rules().keys() - _enabled(connection):
        _run(connection, f'ALTER TABLE "{name}" ENABLE ROW LEVEL SECURITY')
    return True


def stands(connection: Connection) -> bool:
    """Every rule is there as it should be, and this database user can step behind it."""
    whole = policies().keys() == _there(connection) and rules().keys() <= _enabled(connection)
    return whole and _role_is_usable(connection)


def _there(connection: Connection) -> set[tuple[str, str]]:
    asked = (
        "SELECT tablename, policyname FROM pg_policies"
        " WHERE schemaname = current_schema() AND starts_with(policyname, 'wall_')"
    )
    return {(str(table), str(policy)) for table, policy in connection.exec_driver_sql(asked)}


def _enabled(connection: Connection) -> set[str]:
    asked = "SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = current_schema()::regnamespace"
    return {str(name) for (name,) in connection.exec_driver_sql(asked)}


def _role_is_usable(connection: Connection) -> bool:
    """One that sees everything anyway would be no wall."""
    held = f"SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}' AND NOT rolsuper AND NOT rolbypassrls"  # noqa: S608
    there = connection.exec_driver_sql(held).first() is not None
    return there and _may(connection, f"SET LOCAL ROLE {ROLE}", keep=False)


def _make_role(connection: Connection) -> bool:
    """The grant is for PostgreSQL 16 and newer, where who makes a role may not act as it by that alone."""
    missing = f"SELECT NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}')"  # noqa: S608
    if connection.exec_driver_sql(missing).scalar() and not _may(connection, f"CREATE ROLE {ROLE} NOLOGIN"):
        return False
    return _may(connection, f"GRANT {ROLE} TO CURRENT_USER")


def _may(connection: Connection, statement: str, *, keep: bool = True) -> bool:
    """Does it, where the database lets us; a refusal does not end the transaction."""
    try:
        with connection.begin_nested() as savepoint:
            _run(connection, statement)
            if not keep:
                savepoint.rollback()
    except ProgrammingError:
        return False
    return True


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)
