"""What every command shares: settings, the operator, and printing for people or machines."""

import dataclasses
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from avatar_scheduler.clock import utc_now
from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.services import people
from avatar_scheduler.services.people import Person

console = Console(highlight=False)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def settings() -> Settings:
    return Settings()


def use_data(folder: Path | None) -> None:
    """`--data` is told to child processes the way everything is: by the environment."""
    if folder is not None:
        os.environ["AVATAR_SCHEDULER_DATA"] = str(folder.expanduser().resolve())


def operator() -> Person:
    with read_scope(settings()) as session:
        return people.operator(session)


def emit(value: Any) -> None:
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def when(moment: datetime | None, zone: str = "UTC") -> str:
    from zoneinfo import ZoneInfo

    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}" if moment else "-"


now = utc_now
