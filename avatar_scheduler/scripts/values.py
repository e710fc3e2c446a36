"""What people typed, as the typed values a script works with."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from difflib import get_close_matches

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.scripts.source import Script, Variable, VariableType
from avatar_scheduler.scripts.spoken import Day, Moment, Number, Series
from avatar_scheduler.scripts.text import clean, clean_line

VALUES_BYTES = 64_000
ITEMS = 50
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}")


def bind(script: Script, values: Mapping[str, str], *, examples: bool = False) -> dict[str, object]:
    """Typed values by name. An optional variable without a value is left out. `examples` fills the other gaps."""
    for name in values:
        if script.variable(name) is None:
            raise _invalid(no_such_variable(name, (v.name for v in script.variables)))
    bound = {}
    for variable in script.variables:
        raw = _first_filled(values.get(variable.name), variable.default, variable.example if examples else None)
        if raw is not None:
            bound[variable.name] = coerce(variable, raw, script.language)
        elif variable.required:
            hint = f" {variable.help.rstrip('.')}." if variable.help else ""
            raise _invalid(f"'{variable.name}' is missing.{hint}")
    return bound


def check_described_values(script: Script) -> None:
    """Defaults and examples must themselves be good values: they are what a form starts with."""
    for variable in script.variables:
        for key, raw in (("default", variable.default), ("example", variable.example)):
            if raw is not None:
                try:
                    coerce(variable, raw, script.language)
                except Invalid as error:
                    raise _invalid(f"The {key} does not fit. {error.message}") from None


def no_such_variable(name: str, known: Iterable[str]) -> str:
    known = list(known)
    shown = clean_line(name)[:40]
    near = get_close_matches(shown, known, n=1)
    if near:
        return f"There is no variable '{shown}' in this script. Did you mean '{near[0]}'?"
    if known:
        return f"There is no variable '{shown}' in this script. It has: {', '.join(known)}."
    return (
        f"There is no variable '{shown}' in this script. Describe it in the first comment, under [variables.{shown}]."
    )


def coerce(variable: Variable, raw: str, language: str) -> object:
    match variable.type:
        case VariableType.text:
            return _within(variable, clean_line(raw))
        case VariableType.choice:
            return _choice(variable, clean_line(raw))
        case VariableType.list:
            return _series(variable, raw, language)
        case VariableType.number:
            if not _NUMBER.fullmatch(clean_line(raw)):
                raise _invalid(f"'{variable.name}' must be a number like 1200 or 9.90, with at most 12 digits.")
            return Number.of(Decimal(clean_line(raw)), language)
        case VariableType.date:
            return Day.of(_date(variable, clean_line(raw)), language)
        case VariableType.time:
            return Moment.of(_time(variable, clean_line(raw)), language)


def _first_filled(*candidates: str | None) -> str | None:
    return next((c for c in candidates if c is not None and clean(c).strip()), None)


def _within(variable: Variable, value: str) -> str:
    if len(value) > variable.max_length:
        over = len(value) - variable.max_length
        limit = variable.max_length
        raise _invalid(f"'{variable.name}' can have {limit} characters in a line. Shorten it by {over}.")
    return value


def _choice(variable: Variable, value: str) -> str:
    if value not in variable.choices:
        raise _invalid(f"'{variable.name}' must be one of: {', '.join(variable.choices)}.")
    return value


def _series(variable: Variable, raw: str, language: str) -> Series:
    items = [_within(variable, line) for line in clean(raw).split("\n") if line]
    if len(items) > ITEMS:
        raise _invalid(f"'{variable.name}' can have {ITEMS} items, one per line. Remove {len(items) - ITEMS}.")
    return Series.of(items, language)


def _date(variable: Variable, value: str) -> date:
    if _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise _invalid(f"'{variable.name}': there is no day {value}.") from None
    raise _invalid(f"'{variable.name}' must be a date like 2027-03-14.")


def _time(variable: Variable, value: str) -> time:
    if _TIME.fullmatch(value):
        try:
            return time.fromisoformat(value)
        except ValueError:
            raise _invalid(f"'{variable.name}': there is no time {value}.") from None
    raise _invalid(f"'{variable.name}' must be a time like 18:30.")


def _invalid(message: str) -> Invalid:
    return Invalid(message, code="script_value")
