"""A script file: a description in TOML inside the first comment, then the words.

{#
title = "Tip of the day"
language = "en"
kind = "tip"

[variables.tip]
type = "text"
help = "One thing people can do today"
max_length = 160
example = "Salt the water before the pasta goes in"
#}
Here is my tip of the day. {{ tip }}.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.interaction import check_kind
from avatar_scheduler.scripts import spoken, text

VARIABLES = 20
CHOICES = 20
TEXT_LENGTH = 300
TEXT_LENGTH_MAX = 2_000
DESCRIPTION_BYTES = 8_000
LINE_LENGTH = 500
"""tomllib takes quadratic time for one long dotted key: 0.2 s for 8 kB."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
_TOML_PLACE = re.compile(
    r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)
# Jinja gives these a meaning of their own; a variable of that name would be unreadable or unreachable.
_RESERVED = frozenset(
    {
        "and", "block", "call", "caller", "context", "elif", "else", "extends", "false", "filter", "for", "if",
        "import", "in", "include", "is", "kwargs", "loop", "macro", "none", "not", "or", "raw", "recursive", "self",
        "set", "super", "true", "varargs", "with",
    }
)  # fmt: skip


class VariableType(StrEnum):
    text = "text"
    number = "number"
    date = "date"
    """YYYY-MM-DD"""
    time = "time"
    """HH:MM, 24 hours"""
    list = "list"
    """One item per line."""
    choice = "choice"


@dataclass(frozen=True)
class Variable:
    name: str
    type: VariableType
    help: str = ""
    required: bool = True
    default: str | None = None
    example: str | None = None
    max_length: int = TEXT_LENGTH
    """Characters, for text and for each item of a list."""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Script:
    title: str
    language: str
    """Empty, like title and kind, when the script has no description."""
    kind: str
    variables: tuple[Variable, ...]
    body: str

    def variable(self, name: str) -> Variable | None:
        return next((v for v in self.variables if v.name == name), None)


def parse(source: str) -> Script:
    """Reads the description only; the words are looked at by `render.validate`."""
    source = text.check_source(source)
    head, body = _split(source)
    if head is None:
        return Script("", "", "", (), body)
    table = _Table(_toml(head), head)
    title = table.text("title", 120, needed=True)
    language = table.text("language", 10, needed=True)
    if not _LANGUAGE.fullmatch(language):
        raise table.wrong("language", f"{language!r} is no language. Write it like 'en' or 'fr-CA'.")
    try:
        kind = check_kind(table.text("kind", 40, needed=True))
    except Invalid as error:
        raise table.wrong("kind", error.message) from None
    variables = _variables(table, language)
    table.nothing_else()
    return Script(title, language, kind, variables, body)


def _split(source: str) -> tuple[str | None, str]:
    """Description and body. The description keeps its place, so that its line numbers are those of the file."""
    start = len(source) - len(source.lstrip())
    if not source.startswith("{#", start):
        return None, source
    end = source.find("#}", start + 2)
    line = source.count("\n", 0, start) + 1
    if end < 0:
        message = "The comment is never closed. Write #} after it."
        raise text.wrong(source, line, "{#", message, code="script_description")
    opening = "{#-" if source.startswith("{#-", start) else "{#"
    head = source[:start] + " " * len(opening) + source[start + len(opening) : end].removesuffix("-")
    if len(head.encode("utf-8", "replace")) > DESCRIPTION_BYTES:
        message = f"The description is longer than {DESCRIPTION_BYTES:,} bytes. Shorten it."
        raise text.wrong(source, line, "{#", message, code="script_description")
    return head, source[end + 2 :].removeprefix("\n")


def _toml(head: str) -> dict[str, object]:
    for number, content in enumerate(head.split("\n"), 1):
        if len(content) > LINE_LENGTH:
            raise _description(number, f"This line is longer than {LINE_LENGTH} characters.")
    try:
        return tomllib.loads(head)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.fullmatch(str(error))
        what = place["what"] if place else str(error)
        line = int(place["line"]) if place and place["line"] else head.count("\n") + 1
        raise _description(line, f"{text.clean_line(what)}. The first comment describes the script in TOML.") from None
    except (ValueError, RecursionError):  # a number of thousands of digits, brackets in brackets in brackets
        raise _description(head.count("\n") + 1, "The description is not readable TOML.") from None


def _description(line: int, message: str) -> Invalid:
    return Invalid(f"Line {line}: {message}", code="script_description")


class _Table:
    """One TOML table that knows which of its keys were asked for, and on which line of the file it stands."""

    def __init__(self, table: Mapping[str, object], head: str, name: str = "") -> None:
        self._table, self.head, self._name = table, head, name
        self._asked: set[str] = set()

    def wrong(self, key: str, message: str) -> Invalid:
        lines = self.head.split("\n")
        header = re.compile(rf"\s*\[\s*variables\s*\.\s*{re.escape(self._name)}\s*\]")
        first = next((i for i, line in enumerate(lines) if self._name and header.match(line)), 0)
        own = next((i for i in range(first, len(lines)) if re.match(rf"\s*{re.escape(key)}\s*=", lines[i])), first)
        return _description(own + 1, message)

    def take(self, key: str) -> object:
        self._asked.add(key)
        return self._table.get(key)

    def text(self, key: str, limit: int, *, needed: bool = False) -> str:
        value = self.take(key)
        if value is None and not needed:
            return ""
        if not isinstance(value, str) or not text.clean_line(value):
            raise self.wrong(key, f'{self.of(key)} is missing or no text. Write {key} = "...".')
        if len(value) > limit:
            raise self.wrong(key, f"{self.of(key)} is longer than {limit} characters.")
        return text.clean_line(value)

    def tables(self, key: str) -> dict[str, Mapping[str, object]]:
        value = self.take(key)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(v, dict) for v in value.values()):
            raise self.wrong(key, f"Describe each variable under its own [{key}.name].")
        return value

    def nothing_else(self) -> None:
        for key in self._table:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                raise self.wrong(key, f"{text.clean_line(self.of(key))[:60]} means nothing here. Known: {known}.")

    def of(self, key: str) -> str:
        return f"'{key}' of the variable '{self._name}'" if self._name else f"'{key}'"


def _variables(table: _Table, language: str) -> tuple[Variable, ...]:
    described = table.tables("variables")
    if len(described) > VARIABLES:
        raise table.wrong("variables", f"A script can have {VARIABLES} variables, this one has {len(described)}.")
    return tuple(_variable(name, _Table(described[name], table.head, name), language) for name in described)


def _variable(name: str, table: _Table, language: str) -> Variable:
    if not _NAME.fullmatch(name) or name in _RESERVED:
        shown = text.clean_line(name)[:40]
        raise table.wrong(
            "", f"A variable cannot be called {shown!r}. Use small letters, digits and _, and no word of Jinja's own."
        )
    try:
        kind = VariableType(table.text("type", 10, needed=True))
    except ValueError:
        known = ", ".join(VariableType)
        raise table.wrong("type", f"The variable '{name}' has an unknown type. Use one of: {known}.") from None
    if kind in (VariableType.date, VariableType.time) and spoken.base(language) not in spoken.LANGUAGES:
        known = ", ".join(spoken.LANGUAGES)
        raise table.wrong("type", f"'{name}': a {kind} can be spoken in {known} only. Use type = \"text\" instead.")
    default, example = _raw(table, "default"), _raw(table, "example")
    variable = Variable(
        name=name,
        type=kind,
        help=table.text("help", 200),
        required=_required(table, default),
        default=default,
        example=example,
        max_length=_max_length(table, kind),
        choices=_choices(table, kind),
    )
    table.nothing_else()
    return variable


def _raw(table: _Table, key: str) -> str | None:
    """A default or example the way a person would type it into the form."""
    value = table.take(key)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, str):
        return value
    raise table.wrong(key, f"{table.of(key)} must be a text, a number, a date, a time or a list of texts.")


def _required(table: _Table, default: str | None) -> bool:
    required = table.take("required")
    if required is None:
        return default is None
    if not isinstance(required, bool):
        raise table.wrong("required", f"{table.of('required')} must be true or false.")
    return required and default is None


def _max_length(table: _Table, kind: VariableType) -> int:
    length = table.take("max_length")
    if length is None:
        return TEXT_LENGTH
    if kind not in (VariableType.text, VariableType.list):
        raise table.wrong("max_length", f"{table.of('max_length')} is for text and list only.")
    if not isinstance(length, int) or isinstance(length, bool) or not 1 <= length <= TEXT_LENGTH_MAX:
        raise table.wrong("max_length", f"{table.of('max_length')} must be a number from 1 to {TEXT_LENGTH_MAX}.")
    return length


def _choices(table: _Table, kind: VariableType) -> tuple[str, ...]:
    choices = table.take("choices")
    if kind is not VariableType.choice:
        if choices is not None:
            raise table.wrong("choices", f'{table.of("choices")} is for type = "choice" only.')
        return ()
    if not isinstance(choices, list) or not 1 <= len(choices) <= CHOICES:
        raise table.wrong("choices", f"{table.of('choices')} must be a list of 1 to {CHOICES} texts.")
    cleaned = tuple(text.clean_line(c) if isinstance(c, str) else "" for c in choices)
    if not all(0 < len(c) <= 100 for c in cleaned):
        raise table.wrong("choices", f"Each of {table.of('choices')} must be a text of 1 to 100 characters.")
    return cleaned
