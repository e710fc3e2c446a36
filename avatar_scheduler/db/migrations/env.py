"""Runs migrations on the engine that `db.schema` hands over, or on the one the settings name."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import AutoString, SQLModel

from avatar_scheduler.config import Settings
from avatar_scheduler.db import tables  # noqa: F401  (fills the metadata)
from avatar_scheduler.db.columns import UtcDateTime
from avatar_scheduler.db.engine import engine_for


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Migrations name plain SQLAlchemy types: a change in SQLModel must not change history."""
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    if kind == "type" and isinstance(item, UtcDateTime):
        return "UtcDateTime()"
    return False


engine = context.config.attributes.get("engine") or engine_for(Settings())
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        compare_type=True,
        render_item=render_item,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
