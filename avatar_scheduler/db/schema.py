"""Bringing a database to the newest schema. Tests build theirs this way too."""

import io
from pathlib import Path

from alembic import command
from alembic.config import Config

from avatar_scheduler.config import Settings
from avatar_scheduler.db import wall
from avatar_scheduler.db.engine import engine_for

MIGRATIONS = Path(__file__).parent / "migrations"


def _config(settings: Settings) -> Config:
    config = Config(stdout=io.StringIO(), attributes={"engine": engine_for(settings)})
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    return config


def upgrade(settings: Settings) -> None:
    """Idempotent. The data folder is made when SQLite needs it."""
    if settings.database_url.startswith("sqlite"):
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    command.upgrade(_config(settings), "head")
    engine = engine_for(settings)
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            wall.build(connection)  # each time: a role that was missing may be there by now, and a new table needs it
        engine.dispose()  # connections remember whether there was a wall


def check(settings: Settings) -> None:
    """Raises alembic's CommandError when the tables here differ from the migrated schema."""
    command.check(_config(settings))


def revise(settings: Settings, message: str) -> None:
    command.revision(_config(settings), message=message, autogenerate=True)
