"""Avatar packs: a folder with avatar.toml and pictures on one artboard. The format is described in packs/FORMAT.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.avatar import pack_pictures, pack_table

SLOTS = pack_table.SLOTS
NEEDED = (
    "body",
    "head",
    *(f"mouth_{letter}" for letter in "ABCDEF"),
    "eyes_open",
    "eyes_closed",
)
_MOUTH_FALLBACKS = {"G": "B", "H": "C", "X": "A"}
_MOST_SAID = 40
"""Problems in one message: enough to work through, not a screen of noise for a file that is no pack at all."""
_FARTHEST_BOB, _FARTHEST_TILT = 20.0, 20.0
"""Never more than a head can move without leaving its neck."""


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
    table = pack_table.read(folder)
    files = pack_pictures.find(folder)
    refuse(problems(folder, table, files)[0])
    return build(table, files)


def refuse(found: list[str]) -> None:
    if found:
        more = [f"And {len(found) - _MOST_SAID} more."] if len(found) > _MOST_SAID else []
        raise Invalid(" ".join([*found[:_MOST_SAID], *more]), code="pack")


def problems(folder: Path, table: Mapping[str, Any], files: dict[str, Path]) -> tuple[list[str], dict[str, Path]]:
    """Everything that can be said without drawing, and the pictures that can be drawn.

    A table of the wrong shape does not hide the pictures' problems.
    """
    misshapen = pack_table.problems(table)
    found = [*misshapen, *_missing_parts(files)]
    artboard, first = None, ""
    if not misshapen:
        artboard = (table["artboard"]["width"], table["artboard"]["height"])
        parts = [layer["part"] for layer in table["layer"]]
        first = parts[0] if parts else ""
        found += [*_wrong_size(artboard), *_wrong_layers(parts, files)]
        found += _wrong_boxes(table["boxes"], artboard, brows="brows_neutral" in files)
        artboard = None if _wrong_size(artboard) else artboard
    found += pack_pictures.pack_problems(folder)
    sound: dict[str, Path] = {}
    for part, path in files.items():
        wrong = pack_pictures.problems(path, artboard, may_be_opaque=part in (first, "body"))
        found += wrong
        if not wrong:
            sound[part] = path
    return found, sound


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


def _wrong_layers(parts: list[str], files: dict[str, Path]) -> list[str]:
    found = [f'"{part}" is not a file name.' for part in parts if not pack_pictures.PART.fullmatch(part)]
    fileless = [part for part in parts if part not in SLOTS and part not in files]
    found += [f'Layer "{part}" has no file {part}.svg or {part}.png.' for part in fileless]
    if any(parts.count(part) != 1 for part in ("body", "head", "mouth", "eyes")) or len(set(parts)) != len(parts):
        found.append("The layer list must name body, head, mouth and eyes once each.")
    return found


def _wrong_boxes(boxes: dict[str, list[int]], size: tuple[int, int], *, brows: bool) -> list[str]:
    found: list[str] = []
    for name in pack_table.BOXES if brows else ("head", "mouth", "eyes"):
        if name not in boxes:
            found.append(f"{name} box: write x, y, width, height.")
            continue
        found += [f"{name} box: {number} is odd. Use even numbers." for number in boxes[name] if number % 2]
        box = Box(*boxes[name])
        if min(box.x, box.y) < 0 or min(box.width, box.height) < 2 or box.right > size[0] or box.bottom > size[1]:
            found.append(f"{name} box reaches outside the artboard.")
    return found


def build(table: Mapping[str, Any], files: dict[str, Path]) -> Pack:
    """From a table without problems."""
    motion, blink, artboard = table["motion"], table["blink"], table["artboard"]
    return Pack(
        name=table["name"],
        width=artboard["width"],
        height=artboard["height"],
        scale=float(table["placement"]["scale"]),
        layers=tuple(Layer(layer["part"], layer["moves"] == "head") for layer in table["layer"]),
        boxes={name: Box(*table["boxes"][name]) for name in pack_table.BOXES if name in table["boxes"]},
        motion=Motion(
            (float(motion["pivot"][0]), float(motion["pivot"][1])),
            min(_FARTHEST_BOB, _reach(motion["bob"])),
            min(_FARTHEST_TILT, _reach(motion["tilt"])),
        ),
        blink=Blink((min(blink["every"]), max(blink["every"])), blink["half"], blink["closed"]),
        files=files,
    )


def _reach(span: list[float]) -> float:
    return max(abs(float(end)) for end in span)
