"""Directions in a script, in square brackets: what there is, how it is written, and where it stands.

`[smile]` `[neutral]` `[worried]` `[surprised]` `[look left]` `[look right]` `[look camera]` `[pause 1s]` `[show NAME]`
`[show NAME 3s]` `[clip NAME]`. They are never spoken and never in captions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from avatar_scheduler.domain.errors import Invalid

KNOWN = (
    "[smile], [neutral], [worried], [surprised], [look left], [look right], [look camera], [pause 1s], "
    "[show NAME], [show NAME 3s], [clip NAME]"
)
WAITING = ("pause", "clip")
"""The speech goes on after them."""
_FACES = ("smile", "neutral", "worried", "surprised")
_LOOKS = ("left", "right", "camera")
_SHOWN = ("image", "photo", "clip")
_BRACKETS = re.compile(r"\[([^\[\]\n]*)\]")
_SECONDS = re.compile(r"(\d+(?:[.,]\d+)?) ?s")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LONGEST_PAUSE, _LONGEST_SHOW = 10.0, 60.0


@dataclass(frozen=True)
class Direction:
    verb: str
    value: str
    """"left", "cake", "cake 3s" or "1s"; empty for a face."""


def parts(text: str) -> list[str | Direction]:
    """The text cut at its cues. Invalid for a cue nobody knows, or a bracket that is none."""
    found: list[str | Direction] = []
    position = 0
    for match in _BRACKETS.finditer(text):
        found += [_plain(text[position : match.start()]), _direction(match[1])]
        position = match.end()
    return [*found, _plain(text[position:])]


def check(text: str, materials: Mapping[str, str]) -> str:
    """The words without the cues. Invalid for an unknown cue, or one that names no material of a fitting kind.

    `materials` says the kind of each by its name.
    """
    plain = []
    for part in parts(text):
        if isinstance(part, str):
            plain.append(part)
        elif part.verb in ("show", "clip"):
            _check_material(part, materials)
    return " ".join(plain)


def clips(text: str) -> set[str]:
    """Names of the materials it shows as a person's own film. Invalid as for `parts`."""
    return {part.value for part in parts(text) if isinstance(part, Direction) and part.verb == "clip"}


def seconds(value: str) -> float:
    """Of "1.5s"."""
    return float(value.removesuffix("s").strip().replace(",", "."))


def shown(value: str) -> tuple[str, float | None]:
    """Name, and for how long if the script says: "cake 3s"."""
    name, _, duration = value.partition(" ")
    return name, seconds(duration) if duration else None


def _plain(text: str) -> str:
    for bracket in "[]":
        if bracket in text:
            around = text[max(0, text.index(bracket) - 12) : text.index(bracket) + 20].strip()
            raise Invalid(f"The bracket in “{around}” is not closed on its line. Known cues: {KNOWN}.", code="cue")
    return text


def _direction(inside: str) -> Direction:
    verb, _, value = " ".join(inside.split()).partition(" ")
    verb, value = verb.lower(), value.strip()
    if verb in _FACES and not value:
        return Direction(verb, "")
    if verb == "look" and value.lower() in _LOOKS:
        return Direction(verb, value.lower())
    if verb == "pause" and (match := _SECONDS.fullmatch(value)):
        _between(inside, seconds(value), _LONGEST_PAUSE)
        return Direction(verb, f"{match[1]}s")
    if verb in ("show", "clip") and (found := _named(inside, verb, value)):
        return found
    raise Invalid(
        f"“[{inside}]” is not a cue. Known cues: {KNOWN}. For brackets that are part of the text, use (round ones).",
        code="cue",
    )


def _named(inside: str, verb: str, value: str) -> Direction | None:
    name, _, duration = value.partition(" ")
    if not _NAME.fullmatch(name) or (duration and verb == "clip"):
        return None
    if not duration:
        return Direction(verb, name)
    if not (match := _SECONDS.fullmatch(duration)):
        return None
    _between(inside, seconds(duration), _LONGEST_SHOW)
    return Direction(verb, f"{name} {match[1]}s")


def _between(inside: str, value: float, most: float) -> None:
    if not 0 < value <= most:
        raise Invalid(f"“[{inside}]”: write more than 0 and at most {most:g} seconds.", code="cue")


def _check_material(cue: Direction, materials: Mapping[str, str]) -> None:
    name, _ = shown(cue.value)
    kinds = ("clip",) if cue.verb == "clip" else _SHOWN
    if name not in materials:
        known = ", ".join(sorted(materials)) or "none yet"
        raise Invalid(f"“[{cue.verb} {cue.value}]”: no material is named “{name}”. There are: {known}.", code="cue")
    if materials[name] not in kinds:
        raise Invalid(
            f"“[{cue.verb} {cue.value}]”: “{name}” is of kind {materials[name]}, not {' or '.join(kinds)}.", code="cue"
        )
