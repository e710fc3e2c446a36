"""What is known about the renderers that are not our own: limits and prices, and since when."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import ceil
from pathlib import Path

from avatar_scheduler.domain.errors import Invalid

FILE = Path(__file__).with_name("renderers.toml")
BUILTIN = "builtin"


@dataclass(frozen=True)
class Vendor:
    name: str
    avatar_key: str
    """What it calls the number of an avatar."""
    cents_per_minute: int
    step_seconds: int
    """Started steps are charged whole."""
    longest_letters: int
    parallel: int
    """Most jobs at the same time."""
    price_of: str
    source: str
    checked: date

    def cents(self, seconds: float) -> int:
        charged = ceil(seconds / self.step_seconds) * self.step_seconds
        return ceil(charged * self.cents_per_minute / 60)


@functools.cache
def vendors() -> Mapping[str, Vendor]:
    return {key: Vendor(**row) for key, row in tomllib.loads(FILE.read_text("utf-8")).items()}


def vendor(key: str) -> Vendor:
    try:
        return vendors()[key]
    except KeyError:
        raise Invalid(f"There is no renderer “{key}”. There are: {', '.join([BUILTIN, *vendors()])}.") from None
