"""Whose request this is, said to the database with every transaction: the second wall between organizations.

The first are the filters of our own queries. Should one be forgotten, PostgreSQL shows 0 rows of anybody else: pages
act as `ROLE`, which owns nothing and which the policies of `db.wall` hold. Clock, workers and commands serve all
organizations, so they stay the owner, as does a page until it is known who asks. SQLite has no such wall.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, Select
from sqlmodel import Session

ROLE = "avatar_scheduler_tenant"
SETTING = "avatar_scheduler.organization"
WALLED = "walled"
"""Noted with each pooled connection: its database has the wall. One without it is used as before; `doctor` says so."""
HAS_WALL = (
    "SELECT EXISTS (SELECT 1 FROM pg_policies WHERE schemaname = current_schema() AND starts_with(policyname, 'wall_'))"
)
NOBODY = ""
_organization: ContextVar[str] = ContextVar("organization", default=NOBODY)
# Local to the transaction: whoever gets the connection next begins as the owner, for nobody.
_ENTER = f"set_config('{SETTING}', %(organization)s, true), set_config('role', '{ROLE}', true)"


def enter(organization_id: str) -> None:
    """From here on, this request sees one organization alone; all of them with `NOBODY`."""
    _organization.set(organization_id)


@contextmanager
def everybody() -> Iterator[None]:
    """Transactions begun inside see all organizations: for what is shared, such as bytes that two of them uploaded."""
    token = _organization.set(NOBODY)
    try:
        yield
    finally:
        _organization.reset(token)


def begin(connection: Connection, *first: str) -> None:
    """`first` is asked in the same round trip."""
    organization = _organization.get()
    walled = bool(organization) and connection.info.get(WALLED)
    asked = [*first, _ENTER] if walled else first
    if asked:
        connection.exec_driver_sql(f"SELECT {', '.join(asked)}", {"organization": organization} if walled else {})


def beyond(session: Session, query: Select[Any]) -> Any:
    """First value of a query that looks over the wall: for what is unique in the whole installation.

    Should it fail, the transaction is over, and the role with it.
    """
    session.flush()  # what waits to be written is written behind the wall
    connection = session.connection()
    if not (_organization.get() and connection.info.get(WALLED)):
        return session.execute(query).scalar()
    connection.exec_driver_sql("SELECT set_config('role', 'none', true)")
    found = session.execute(query).scalar()
    connection.exec_driver_sql(f"SELECT set_config('role', '{ROLE}', true)")
    return found
