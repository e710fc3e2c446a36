"""Holds, the audit log, and who may act as the clock."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from avatar_scheduler.db.columns import at, new_id, text


class Hold(SQLModel, table=True):
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = ""
    scope: str
    """"everything", "organization", "creator" or "channel"."""
    target_id: str = ""
    reason: str = text()
    by: str
    since: datetime = at()
    lifted_at: datetime | None = at(nullable=True)


class Audit(SQLModel, table=True):
    __table_args__ = (Index("ix_audit_own", "organization_id", "number"),)
    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = at()
    organization_id: str = ""
    actor: str
    action: str
    noun: str
    noun_id: str = Field(index=True)
    data: str = text("{}")
    previous: str
    hash: str
    number: int = 0
    """In its organization's own chain, from 1; 0 for entries older than those chains."""
    own_previous: str = ""
    """Hash of the organization's entry before."""
    mac: str = ""
    """Under a key outside the database: whoever writes rows cannot write this."""


class Lease(SQLModel, table=True):
    """Who may act as the one clock. A higher term wins; an older holder's writes find 0 rows."""

    name: str = Field(primary_key=True)
    owner: str
    term: int
    until: datetime = at()
