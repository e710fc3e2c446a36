"""What rules/reading.toml says of a language."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

_RULES = Path(__file__).parents[3] / "rules" / "reading.toml"


@dataclass(frozen=True, eq=False)
class Rules:
    numbers: str
    """num2words' name of the language."""
    group: str
    decimal: str
    words: Mapping[str, str]
    signs: Mapping[str, str]
    ordinal: str
    months_first: bool
    fractions: Mapping[str, str]
    nouns: Mapping[str, list[str]]
    money: Mapping[str, list[str]]
    large: Mapping[str, str]
    short: Mapping[str, str]


@cache
def of(language: str) -> Rules | None:
    """None for a language whose numbers its voice reads by itself."""
    table = tomllib.loads(_RULES.read_text("utf-8")).get(language)
    return Rules(**{field.name: table[field.name] for field in fields(Rules)}) if table else None
