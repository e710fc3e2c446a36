"""What every command shares: settings, the operator, and printing for people or machines."""

import dataclasses
import json
import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.markup import escape

from avatar_scheduler.clock import utc_now
from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.services import people
from avatar_scheduler.services.people import Person

console = Console(highlight=False)
DATABASES = ("postgresql://", "postgres://", "sqlite:///")
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def settings() -> Settings:
    """Raises Invalid naming the variable that cannot be used."""
    try:
        found = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"AVATAR_SCHEDULER_{first['loc'][0]}".upper()
        raise Invalid(f"{name} cannot be used: {first['msg']}.", code="setting") from None
    except SettingsError:
        raise Invalid(
            'AVATAR_SCHEDULER_ALLOW_HOSTS is not JSON. Write {"host": ["10.0.0.0/8"]}.', code="setting"
        ) from None
    if found.database and not found.database.startswith(DATABASES):
        raise Invalid("AVATAR_SCHEDULER_DATABASE cannot be used: write postgresql://user@host/name.", code="setting")
    return found


def use_data(folder: Path | None) -> None:
    """`--data` is told to child processes the way everything is: by the environment."""
    if folder is not None:
        os.environ["AVATAR_SCHEDULER_DATA"] = str(folder.expanduser().resolve())


def operator() -> Person:
    with read_scope(settings()) as session:
        return people.operator(session)


def emit(value: Any) -> None:
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n")


def table(rows: Sequence[Mapping[str, object]], as_json: bool, empty: str) -> None:
    """`empty` is what people read where there are no rows; machines get an empty list."""
    from rich.table import Table

    if as_json:
        emit(list(rows))
        return
    if not rows:
        console.print(empty)
        return
    made = Table(*rows[0])
    for row in rows:
        made.add_row(*(shown(str(value)) for value in row.values()))
    console.print(made)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def shown(text: str) -> str:
    """What somebody typed, for the screen: neither rich's markup nor the terminal's own codes act on it."""
    return escape("".join(c if _harmless(c) else f"\\u{ord(c):04x}" for c in text))


def _harmless(c: str) -> bool:
    # Joiners hold emoji together; every other invisible character could hide or turn around what is being approved.
    return c in "\n\u200c\u200d" or unicodedata.category(c)[0] != "C"


def when(moment: datetime | None, zone: str = "UTC") -> str:
    from zoneinfo import ZoneInfo

    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}" if moment else "-"


now = utc_now
