"""The migrated schema is the one the tables describe, on both databases."""

import pytest
from alembic.util import CommandError
from sqlalchemy import inspect, text

from avatar_scheduler.config import Settings
from avatar_scheduler.db import schema
from avatar_scheduler.db.engine import engine_for, write_scope


def test_migrated_and_described_are_the_same(settings: Settings) -> None:
    schema.check(settings)  # raises when they are not


def test_a_difference_is_found(settings: Settings) -> None:
    with write_scope(settings) as session:
        session.execute(text("ALTER TABLE receipt DROP COLUMN marked"))
    with pytest.raises(CommandError):
        schema.check(settings)


def test_upgrading_again_keeps_everything(settings: Settings) -> None:
    with write_scope(settings) as session:
        session.execute(text("INSERT INTO lease VALUES ('clock', 'me', 7, '2026-01-01 00:00:00')"))
    schema.upgrade(settings)
    schema.upgrade(settings)
    with write_scope(settings) as session:
        assert session.execute(text("SELECT term FROM lease")).scalar() == 7


def test_the_due_index_covers_scheduled_rows_alone(settings: Settings) -> None:
    [due] = [i for i in inspect(engine_for(settings)).get_indexes("delivery") if i["name"] == "ix_delivery_due"]
    assert due["column_names"] == ["ready_at"]
    kind = engine_for(settings).dialect.name
    assert "scheduled" in str(due["dialect_options"][f"{kind}_where"])
