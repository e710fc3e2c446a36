"""PNGTuber pictures, such as closed.png and open.png, become a pack: the mouth box is what differs between them."""

from collections.abc import Iterable, Mapping
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.avatar import pack_pictures, pack_table
from avatar_scheduler.studio.avatar.pack import refuse

Picture = NDArray[np.uint8]

NAMES = ("closed", "open", "half", "e", "u", "eyes_closed")
_SHAPES = {
    "A": ("closed",),
    "B": ("half", "closed"),
    "C": ("e", "open"),
    "D": ("open",),
    "E": ("half", "open"),
    "F": ("u", "half", "closed"),
}
"""Mouth to picture, the first that is there. G, H and X follow B, C and A by the pack's own fallbacks."""
_DIFFERS = 24
"""Steps of 255 between two pixels. Less is what saving did to them."""
_SMALLEST, _LARGEST = 540, 2160
_TALLEST = 1500
"""Frame pixels a figure may fill, of 1920."""
_FOOT = 48
"""Rows at the bottom edge that stand still, so that no gap opens there when the figure rises."""


def is_one(folder: Path) -> bool:
    return not (folder / pack_table.NAME).exists() and (folder / "closed.png").exists()


def convert(folder: Path, target: Path, *, name: str) -> list[str]:
    """Writes a pack into a new folder and returns warnings. Raises Invalid with all problems."""
    pictures = _read(folder)
    still = pictures["closed"]
    _differing(still, [pictures["open"]])
    mouths = {letter: next(pictures[n] for n in names if n in pictures) for letter, names in _SHAPES.items()}
    mouth = _differing(still, mouths.values())
    eyes = _differing(still, [pictures["eyes_closed"]]) if "eyes_closed" in pictures else (0, 0, 2, 2)
    target.mkdir()
    head = _opened(still, [*mouths.values(), pictures.get("eyes_closed", still)])
    parts = {"head": head, "body": _only(still, (0, len(still) - _FOOT, still.shape[1], _FOOT))}
    parts |= {f"mouth_{letter}": _only(picture, mouth) for letter, picture in mouths.items()}
    parts |= {"eyes_open": _only(still, eyes), "eyes_closed": _only(pictures.get("eyes_closed", still), eyes)}
    for part, picture in parts.items():
        Image.fromarray(picture, "RGBA").save(target / f"{part}.png")
    pack_table.write(_table(name, still, mouth, eyes), target)
    return [] if len(pictures) > 2 else ["Only closed and open were found: the lips have two shapes."]


def _read(folder: Path) -> dict[str, Picture]:
    found = [folder / f"{name}.png" for name in NAMES if (folder / f"{name}.png").exists()]
    problems = []
    if not (folder / "open.png").exists():
        problems.append("open.png is missing. A figure needs closed.png and open.png.")
    pictures: dict[str, Image.Image] = {}
    for path in found:
        if path.stat().st_size > pack_pictures.LARGEST_FILE:
            problems.append(f"{path.name} is {path.stat().st_size / 1_000_000:.1f} MB, the limit is 1 MB.")
            continue
        try:
            with Image.open(path, formats=["PNG"]) as picture:
                if max(picture.size) > 2 * _LARGEST or min(picture.size) < 64:
                    problems.append(f"{path.name} is {picture.width}x{picture.height}. Use 64 to 4320 pixels a side.")
                    continue
                pictures[path.stem] = picture.convert("RGBA")
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
            problems.append(f"{path.name} cannot be read: it is not a complete PNG picture.")
    sizes = {name: picture.size for name, picture in pictures.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {width}x{height}" for name, (width, height) in sizes.items())
        problems.append(f"The pictures differ in size: {told}. Save them all at one size.")
    if "closed" in pictures and pictures["closed"].getchannel("A").getextrema()[0] == 255:
        problems.append("closed.png has no transparent pixels. Cut the figure out of its background.")
    refuse(problems)
    return {name: np.asarray(_fitted(picture)) for name, picture in pictures.items()}


def _fitted(picture: Image.Image) -> Image.Image:
    """On an artboard of the format: scaled into its sizes, and padded to even numbers on top and to the right."""
    width, height = picture.size
    scale = min(1.0, _LARGEST / max(width, height))
    if min(width, height) * scale < _SMALLEST:
        scale = _SMALLEST / min(width, height)
    if max(width, height) * scale > _LARGEST:
        raise Invalid(f"The figure is {width}x{height}: too narrow for a frame. Crop it nearer to a square.")
    size = (round(width * scale), round(height * scale))
    scaled = picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)
    board = Image.new("RGBA", (2 * ceil(size[0] / 2), 2 * ceil(size[1] / 2)))
    board.paste(scaled, (0, board.height - size[1]))
    return board


def _differing(still: Picture, others: Iterable[Picture]) -> tuple[int, int, int, int]:
    """The even box around all pixels that are not the same, one step wider for their soft edges."""
    apart = np.zeros(still.shape[:2], bool)
    flat = _premultiplied(still)
    for other in others:
        apart |= np.abs(flat - _premultiplied(other)).max(axis=-1) > _DIFFERS
    rows, columns = np.flatnonzero(apart.any(axis=1)), np.flatnonzero(apart.any(axis=0))
    if not len(rows):
        raise Invalid("closed.png and open.png are the same picture. Draw the mouth open in one of them.")
    height, width = still.shape[:2]
    x, y = max(0, int(columns[0]) - 4) // 2 * 2, max(0, int(rows[0]) - 4) // 2 * 2
    right, bottom = min(width, int(columns[-1]) + 5), min(height, int(rows[-1]) + 5)
    return x, y, 2 * ceil((right - x) / 2), 2 * ceil((bottom - y) / 2)


def _premultiplied(picture: Picture) -> NDArray[np.int16]:
    alpha = picture[..., 3:].astype(np.int16)
    flat: NDArray[np.int16] = np.concatenate([picture[..., :3].astype(np.int32) * alpha // 255, alpha], -1).astype("i2")
    return flat


def _only(picture: Picture, box: tuple[int, int, int, int]) -> Picture:
    x, y, width, height = box
    part = np.zeros_like(picture)
    part[y : y + height, x : x + width] = picture[y : y + height, x : x + width]
    return part


def _opened(still: Picture, shapes: list[Picture]) -> Picture:
    """The still figure, clear wherever a shape is: a mouth laid on top can cover pixels, but not take them away."""
    head = still.copy()
    head[..., 3] = np.min([still[..., 3], *(shape[..., 3] for shape in shapes)], axis=0)
    return head


def _table(name: str, still: Picture, mouth: tuple[int, ...], eyes: tuple[int, ...]) -> Mapping[str, Any]:
    height, width = still.shape[:2]
    moves = [{"part": part, "moves": "no" if part == "body" else "head"} for part in ("body", "head", "mouth", "eyes")]
    return {
        "name": name,
        "description": "PNGTuber pictures.",
        "licence": "not stated",
        "artboard": {"width": width, "height": height},
        "placement": {"scale": round(min(1080 / width, _TALLEST / height), 3)},
        "layer": moves,
        "boxes": {"head": [0, 0, width, height], "mouth": list(mouth), "eyes": list(eyes)},
        "motion": {"pivot": [width / 2, height], "bob": [-6, 6], "tilt": [0, 0]},
        "blink": {"every": [2600, 5400], "half": 34, "closed": 100},
    }
