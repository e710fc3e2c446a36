"""Avatar packs: a folder with avatar.toml and pictures on one artboard. The format is described in packs/FORMAT.md."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.avatar import pack_pictures

FORMAT = 1
SLOTS = ("mouth", "eyes", "brows")
NEEDED = (
    "body",
    "head",
    *(f"mouth_{letter}" for letter in "ABCDEF"),
    "eyes_open",
    "eyes_closed",
)
_MOUTH_FALLBACKS = {"G": "B", "H": "C", "X": "A"}
_NO_LICENCE = 'licence is missing. Write the licence you hold, for example CC0-1.0 or "own work".'
_BOXES = ("head", "mouth", "eyes")


@dataclass(frozen=True)
class Box:
    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    def meets(self, other: "Box") -> bool:
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom

    def around(self, other: "Box") -> "Box":
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Box(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)

    def within(self, width: int, height: int) -> "Box":
        x, y = max(0, self.x), max(0, self.y)
        return Box(x, y, min(self.right, width) - x, min(self.bottom, height) - y)


@dataclass(frozen=True)
class Layer:
    part: str
    moves: bool


@dataclass(frozen=True)
class Motion:
    pivot: tuple[float, float]
    bob: float
    """Artboard pixels, up and down from the middle."""
    tilt: float
    """Degrees, to each side."""


@dataclass(frozen=True)
class Blink:
    every: tuple[int, int]
    half: int
    closed: int


@dataclass(frozen=True)
class Pack:
    name: str
    width: int
    height: int
    scale: float
    layers: tuple[Layer, ...]
    boxes: dict[str, Box]
    motion: Motion
    blink: Blink
    files: dict[str, Path]
    """Picture of each part that exists."""

    def mouth(self, letter: str, *, smiling: bool = False) -> str:
        """The part to draw, after the fallbacks for missing pictures."""
        for part in ([f"mouth_smile_{letter}"] if smiling else []) + [f"mouth_{letter}"]:
            if part in self.files:
                return part
        return self.mouth(_MOUTH_FALLBACKS[letter], smiling=smiling)

    def eyes(self, state: str) -> str:
        return f"eyes_{state}" if f"eyes_{state}" in self.files else "eyes_open"

    def brows(self, state: str) -> str:
        """Empty for a pack whose brows are part of the head."""
        wanted = (f"brows_{state}", "brows_neutral")
        return next((part for part in wanted if part in self.files), "")


def load(folder: Path) -> Pack:
    """A pack is taken whole or not at all: Invalid names every problem at once, in one line."""
    table = _table(folder)
    if table.get("format") != FORMAT:
        raise Invalid(f"This pack uses format {table.get('format')}. This version reads format {FORMAT}.")
    files = pack_pictures.find(folder)
    try:
        problems = _problems(table, files)
        if problems:
            raise Invalid(" ".join(problems))
        return _build(table, files)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # A table of the wrong shape: a word where a number belongs, a missing key.
        raise Invalid(f"avatar.toml of {folder.name} is incomplete: {error}. Compare it with another.") from error


def _table(folder: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / "avatar.toml").read_text("utf-8"))
    except OSError as error:
        raise Invalid(f"{folder.name} has no readable avatar.toml. A pack needs one.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"avatar.toml of {folder.name}: {error}.") from error


def _problems(table: dict[str, Any], files: dict[str, Path]) -> list[str]:
    size = (int(table["artboard"]["width"]), int(table["artboard"]["height"]))
    return [
        *_missing_parts(files),
        *_wrong_size(size),
        *_wrong_layers(table["layer"], files),
        *_wrong_boxes(table["boxes"], size, brows="brows_neutral" in files),
        *([] if table.get("licence") else [_NO_LICENCE]),
        *pack_pictures.pack_problems(files),
        *(problem for path in files.values() for problem in pack_pictures.problems(path, size)),
    ]


def _missing_parts(files: dict[str, Path]) -> list[str]:
    missing = [part for part in NEEDED if part not in files]
    if not missing:
        return []
    verb = "is" if len(missing) == 1 else "are"
    return [f"{', '.join(missing)} {verb} missing. A pack needs mouths A to F, eyes open and closed, body and head."]


def _wrong_size(size: tuple[int, int]) -> list[str]:
    if all(540 <= side <= 2160 and side % 2 == 0 for side in size):
        return []
    return [f"The artboard is {size[0]}x{size[1]}. Use even numbers from 540 to 2160."]


def _wrong_layers(layers: list[dict[str, str]], files: dict[str, Path]) -> list[str]:
    parts = [layer["part"] for layer in layers]
    problems = [f'"{part}" is not a file name.' for part in parts if not re.fullmatch(r"[A-Za-z0-9_]+", part)]
    fileless = [part for part in parts if part not in SLOTS and part not in files]
    problems += [f'Layer "{part}" has no file {part}.svg or {part}.png.' for part in fileless]
    if any(parts.count(part) != 1 for part in ("body", "head", "mouth", "eyes")) or len(set(parts)) != len(parts):
        problems.append("The layer list must name body, head, mouth and eyes once each.")
    return problems


def _wrong_boxes(boxes: dict[str, list[int]], size: tuple[int, int], *, brows: bool) -> list[str]:
    problems: list[str] = []
    for name in (*_BOXES, "brows") if brows else _BOXES:
        if name not in boxes or len(boxes[name]) != 4:
            problems.append(f"{name} box: write x, y, width, height.")
            continue
        problems += [f"{name} box: {number} is odd. Use even numbers." for number in boxes[name] if number % 2]
        box = Box(*boxes[name])
        if min(box.x, box.y) < 0 or min(box.width, box.height) < 2 or box.right > size[0] or box.bottom > size[1]:
            problems.append(f"{name} box reaches outside the artboard.")
    return problems


def _build(table: dict[str, Any], files: dict[str, Path]) -> Pack:
    motion, blink, artboard = table["motion"], table["blink"], table["artboard"]
    return Pack(
        name=str(table["name"]),
        width=int(artboard["width"]),
        height=int(artboard["height"]),
        scale=float(table["placement"]["scale"]),
        layers=tuple(Layer(layer["part"], layer["moves"] == "head") for layer in table["layer"]),
        boxes={name: Box(*numbers) for name, numbers in table["boxes"].items()},
        motion=Motion(_pair(motion["pivot"]), _reach(motion["bob"]), _reach(motion["tilt"])),
        blink=Blink((int(blink["every"][0]), int(blink["every"][1])), int(blink["half"]), int(blink["closed"])),
        files=files,
    )


def _pair(numbers: list[float]) -> tuple[float, float]:
    x, y = numbers
    return float(x), float(y)


def _reach(span: list[float]) -> float:
    """Never more than a head can move without leaving its neck."""
    return min(20.0, max(abs(float(end)) for end in span))
