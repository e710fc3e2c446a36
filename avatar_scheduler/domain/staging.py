"""How a post is staged: format, voice, background, captions, music, and what is shown when.

Part of every version, so an approval covers it. Media are named here and bound by hash in the order.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from typing import Any

from avatar_scheduler.domain.errors import Invalid

FORMATS = {"9:16": (1080, 1920), "4:5": (1080, 1350), "1:1": (1080, 1080), "16:9": (1920, 1080)}
"""Width and height in pixels."""
OWN_FORMAT = {"video": "9:16", "stills": "4:5"}
"""Of a post of each form whose settings name no format."""
PLACES = ("full", "left", "right", "circle")
"""Where the figure stands: filling the frame, to a side, or in a circle over the picture."""
CAPTION_STYLES = ("karaoke", "pop", "plain", "none")
BACKGROUNDS = ("scene", "color", "gradient", "image", "video")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_MOST = 1e9
_COLOR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)


@dataclass(frozen=True)
class Background:
    kind: str = "scene"
    value: str = ""
    """A scene (empty: the avatar's own), "#rrggbb", "#rrggbb #rrggbb" from top to bottom, or a material by name."""


@dataclass(frozen=True)
class Music:
    material: str
    below: int = 18
    """Decibels below the voice while it speaks; between sentences it comes up by half."""


@dataclass(frozen=True)
class LowerThird:
    name: str
    about: str = ""
    at: float = 1.0
    """Seconds from the first frame."""
    seconds: float = 4.0


@dataclass(frozen=True)
class Card:
    """Full-screen words before or after: the avatar is not seen, the label is."""

    title: str
    text: str = ""
    seconds: float = 2.0


@dataclass(frozen=True)
class Staging:
    format: str = "9:16"
    place: str = "full"
    background: Background = Background()
    captions: str = "karaoke"
    voice: str = ""
    """A voice's id; empty means the language's own."""
    speed: float = 1.0
    """0.7 to 1.4 times the voice's natural pace."""
    recording: str = ""
    """Material with a person's recorded voice instead of a synthetic one."""
    music: Music | None = None
    lower_third: LowerThird | None = None
    intro: Card | None = None
    outro: Card | None = None
    materials: Mapping[str, str] = field(default_factory=dict)
    """Name used in the script and above -> name or id of an upload."""

    @property
    def size(self) -> tuple[int, int]:
        return FORMATS[self.format]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


_PARTS: Mapping[str, type[Any]] = {
    "background": Background,
    "music": Music,
    "lower_third": LowerThird,
    "intro": Card,
    "outro": Card,
}


def read(values: Mapping[str, Any]) -> Staging:
    """From parsed TOML or JSON. Raises Invalid that names the key, what is wrong and what may stand there."""
    given = dict(values)
    for key, kind in _PARTS.items():
        if given.get(key) is not None:
            given[key] = _part(key, kind, given[key])
        else:
            given.pop(key, None)
    staging: Staging = _part("staging", Staging, given)
    _check(staging)
    return staging


def _part(where: str, kind: type[Any], values: Any) -> Any:
    if not isinstance(values, Mapping):
        raise Invalid(f"{where}: write a table of settings, not “{values}”.", code="staging")
    known = {part.name: part for part in fields(kind)}
    if unknown := sorted(set(values) - set(known)):
        raise Invalid(f"{where}: there is no setting “{unknown[0]}”. There are: {', '.join(known)}.", code="staging")
    above = "" if kind is Staging else f"{where}."
    needed = {name: None for name, part in known.items() if part.default is part.default_factory is MISSING}
    return kind(**{name: _value(f"{above}{name}", known[name], one) for name, one in {**needed, **values}.items()})


def _value(where: str, part: Field[Any], value: Any) -> Any:
    """Of the type the setting has. A table within a table was read before."""
    if part.type is str:
        return _short(where, value)
    if part.type in (int, float):
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _MOST:
            raise Invalid(f"{where}: write a number.", code="staging")
        return float(value) if part.type is float else value
    if part.name == "materials":
        if not isinstance(value, Mapping):
            raise Invalid(f"{where}: write a table of name = upload.", code="staging")
        return {name: _short(f"{where}.{name}", upload) for name, upload in value.items()}
    return value


def _short(where: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise Invalid(f"{where}: write a short text.", code="staging")
    return value


def _check(staging: Staging) -> None:
    _one_of("format", staging.format, FORMATS)
    _one_of("place", staging.place, PLACES)
    _one_of("captions", staging.captions, CAPTION_STYLES)
    _one_of("background.kind", staging.background.kind, BACKGROUNDS)
    _between("speed", staging.speed, 0.7, 1.4)
    _check_background(staging.background)
    for card, where in ((staging.intro, "intro"), (staging.outro, "outro")):
        if card:
            _between(f"{where}.seconds", card.seconds, 0.5, 10)
    if staging.music:
        _between("music.below", staging.music.below, 6, 40)
    if staging.lower_third:
        _between("lower_third.at", staging.lower_third.at, 0, 600)
        _between("lower_third.seconds", staging.lower_third.seconds, 1, 30)
    for name in staging.materials:
        if not _NAME.fullmatch(name):
            raise Invalid(f"materials: “{name}” is not a name. Use a-z, 0-9, - and _.", code="staging")
    for name in needed(staging):
        if name not in staging.materials:
            raise Invalid(f"“{name}” is used but not listed under materials.", code="staging")


def _check_background(background: Background) -> None:
    colors = {"color": 1, "gradient": 2}.get(background.kind, 0)
    parts = background.value.split()
    if colors and (len(parts) != colors or not all(_COLOR.fullmatch(part) for part in parts)):
        example = "#1d3557" if colors == 1 else "#1d3557 #457b9d"
        raise Invalid(f"background.value: write {example}, not “{background.value}”.", code="staging")
    if background.kind in ("image", "video") and not background.value:
        raise Invalid("background.value: name the material to show.", code="staging")


def needed(staging: Staging) -> list[str]:
    """Materials named by the settings themselves; the script's cues may name more."""
    names = [staging.recording, staging.music.material if staging.music else ""]
    if staging.background.kind in ("image", "video"):
        names.append(staging.background.value)
    return [name for name in names if name]


def _one_of(where: str, value: object, known: Mapping[str, Any] | tuple[str, ...]) -> None:
    if value not in known:
        raise Invalid(f"{where}: “{value}” is not known. Use one of: {', '.join(known)}.", code="staging")


def _between(where: str, value: object, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise Invalid(f"{where}: write a number from {least:g} to {most:g}, not “{value}”.", code="staging")
