"""avatar.toml: read, checked for its shape, and written in one canonical form."""

import re
import tomllib
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

import tomli_w

from avatar_scheduler.domain.errors import Invalid

NAME = "avatar.toml"
FORMAT = 1
LARGEST = 100_000
SLOTS = ("mouth", "eyes", "brows")
BOXES = ("head", *SLOTS)
_NO_LICENCE = 'licence is missing. Write the licence you hold, for example CC0-1.0 or "own work".'
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|(end of document))\)$")
_TEXT = 300
"""Characters of a name or a description."""

_NUMBERS: tuple[tuple[str, int, float, float], ...] = (
    ("artboard.width", 1, 1, 100_000),
    ("artboard.height", 1, 1, 100_000),
    ("placement.scale", 1, 0.2, 4),
    ("motion.pivot", 2, -4000, 4000),
    ("motion.bob", 2, -200, 200),
    ("motion.tilt", 2, -30, 30),
    ("blink.every", 2, 400, 60_000),
    ("blink.half", 1, 0, 1000),
    ("blink.closed", 1, 20, 1000),
)
"""Key, how many numbers, the least and the most they may be."""
_WHOLE = ("artboard", "blink")


def read(folder: Path) -> dict[str, Any]:
    """Raises Invalid for a file that cannot be read at all, or of another format: nothing more can be said then."""
    try:
        data = (folder / NAME).read_bytes()
        if len(data) > LARGEST:
            raise Invalid(f"{NAME} is {len(data) // 1000} kB, the limit is {LARGEST // 1000} kB.")
        table = tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise Invalid(f"{folder.name} has no readable {NAME}. A pack needs one.") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"{NAME} is not text. Save it as UTF-8.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Invalid(_where(str(error))) from error
    if table.get("format") != FORMAT:
        raise Invalid(f"This pack uses format {table.get('format')}. This version reads format {FORMAT}.")
    return table


def _where(message: str) -> str:
    found = _PLACE.search(message)
    what = _PLACE.sub("", message)
    what = 'expected a value after "="' if what == "Invalid value" else what[:1].lower() + what[1:]
    if found is None or found[2]:
        return f"{NAME}, at its end: {what}."
    return f"{NAME}, line {found[1]}: {what}."


def problems(table: Mapping[str, Any]) -> list[str]:
    """What is missing or of the wrong kind. With none of these, every value can be used without looking again."""
    found = [] if _is_text(table.get("name")) else [f"{NAME}: name is missing. Write a short text."]
    found += [] if _is_text(table.get("licence")) else [_NO_LICENCE]
    for key, count, least, most in _NUMBERS:
        numbers = _value(table, key) if count > 1 else [_value(table, key)]
        whole = key.startswith(_WHOLE)
        if not _are_numbers(numbers, count, whole=whole) or not all(least <= n <= most for n in numbers):
            kind = ("whole " if whole else "") + ("number" if count == 1 else "numbers")
            found.append(f"{NAME}: {key} needs {count} {kind} from {least:g} to {most:g}.")
    return [*found, *_layer_problems(table.get("layer")), *_box_problems(table.get("boxes"))]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= _TEXT and value.isprintable()


def _value(table: Mapping[str, Any], key: str) -> Any:
    section, _, name = key.partition(".")
    inner = table.get(section)
    return inner.get(name) if isinstance(inner, dict) else None


def _are_numbers(values: object, count: int, *, whole: bool) -> bool:
    kinds = int if whole else (int, float)
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(n, kinds) and not isinstance(n, bool) and isfinite(n) for n in values)
    )


def _layer_problems(layers: object) -> list[str]:
    if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers):
        return [f"{NAME}: the layers are missing. Write [[layer]] with part and moves once for each."]
    return [
        f'{NAME}: layer {number} needs a part, and moves = "head" or "no".'
        for number, layer in enumerate(layers, 1)
        if not isinstance(layer.get("part"), str) or layer.get("moves") not in ("head", "no")
    ]


def _box_problems(boxes: object) -> list[str]:
    if not isinstance(boxes, dict):
        return [f"{NAME}: the boxes are missing. Write [boxes] with head, mouth and eyes."]
    return [
        f"{name} box: write x, y, width, height."
        for name in BOXES
        if (name in boxes or name != "brows") and not _are_numbers(boxes.get(name), 4, whole=True)
    ]


def write(table: Mapping[str, Any], folder: Path) -> None:
    """Only what the format knows, always in the same order, without comments."""
    texts = {key: table[key] for key in ("id", "name", "description", "licence", "credit") if _is_text(table.get(key))}
    parts: dict[str, Any] = {"format": FORMAT, **texts}
    for section, keys in (
        ("artboard", ("width", "height")),
        ("placement", ("scale",)),
        ("motion", ("pivot", "bob", "tilt")),
        ("blink", ("every", "half", "closed")),
    ):
        parts[section] = {key: table[section][key] for key in keys}
    parts["placement"]["align"] = "bottom-center"
    parts["boxes"] = {name: table["boxes"][name] for name in BOXES if name in table["boxes"]}
    parts["layer"] = [{"part": layer["part"], "moves": layer["moves"]} for layer in table["layer"]]
    (folder / NAME).write_bytes(tomli_w.dumps(parts).encode())
