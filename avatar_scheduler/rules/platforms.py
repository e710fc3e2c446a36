"""What is known about a platform, and since when."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from avatar_scheduler.domain.errors import Invalid

FILE = Path(__file__).with_name("platforms.toml")


@dataclass(frozen=True)
class Fact:
    value: int | str | bool | list[str]
    source: str
    checked: date


@dataclass(frozen=True)
class Platform:
    name: str
    facts: Mapping[str, Fact]

    def number(self, fact: str) -> int:
        value = self.facts[fact].value
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{self.name}: {fact} is no number in {FILE.name}")
        return value

    def word(self, fact: str) -> str:
        value = self.facts[fact].value
        if not isinstance(value, str):
            raise TypeError(f"{self.name}: {fact} is no text in {FILE.name}")
        return value

    def words(self, fact: str) -> frozenset[str]:
        value = self.facts[fact].value
        if not isinstance(value, list):
            raise TypeError(f"{self.name}: {fact} is no list in {FILE.name}")
        return frozenset(value)


@functools.cache
def platforms() -> Mapping[str, Platform]:
    rows = tomllib.loads(FILE.read_text("utf-8"))
    return {
        key: Platform(row["name"], {fact: Fact(**known) for fact, known in row["facts"].items()})
        for key, row in rows.items()
    }


def platform(key: str) -> Platform:
    try:
        return platforms()[key]
    except KeyError:
        raise Invalid(f"Nothing is known about the platform “{key}”. Known: {', '.join(platforms())}.") from None
