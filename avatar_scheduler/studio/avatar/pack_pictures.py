"""The picture files of a pack: which exist, and what in them cannot be drawn. Draws nothing."""

import re
import struct
from pathlib import Path

LARGEST_FILE = 1_000_000
LARGEST_PACK = 20_000_000
MOST_FILES = 80

_UNDRAWN = {
    "filter": "Filters",
    "mask": "Masks",
    "style": "Style sheets",
    "text": "Texts",
    "use": "References",
    "image": "Embedded pictures",
    "script": "Scripts",
    "foreignObject": "Foreign objects",
}
_TAG = re.compile(r"<(" + "|".join(_UNDRAWN) + r")\b")
_OUTSIDE = re.compile(r"\bhref\s*=\s*[\"'](?!#)|url\(\s*[\"']?(?!#)|<!ENTITY", re.IGNORECASE)
_VIEW_BOX = re.compile(r"\bviewBox\s*=\s*[\"']\s*([-\d.]+)[\s,]+([-\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)\s*[\"']")


def find(folder: Path) -> dict[str, Path]:
    """Part name to file. With both, the SVG is used."""
    pictures = sorted(folder.glob("*.png")) + sorted(folder.glob("*.svg"))
    return {path.stem: path for path in pictures}


def problems(path: Path, artboard: tuple[int, int]) -> list[str]:
    try:
        data = path.read_bytes()
    except OSError:
        return [f"{path.name} cannot be read."]
    if len(data) > LARGEST_FILE:
        return [f"{path.name} is {len(data) / 1_000_000:.1f} MB, the limit is 1 MB."]
    inspect = _svg_problems if path.suffix == ".svg" else _png_problems
    return inspect(path.name, data, artboard)


def pack_problems(files: dict[str, Path]) -> list[str]:
    total = sum(path.stat().st_size for path in files.values())
    found = [f"The pack has {len(files)} pictures, the limit is {MOST_FILES}."] if len(files) > MOST_FILES else []
    return found + ([f"The pack is {total // 1_000_000} MB, the limit is 20 MB."] if total > LARGEST_PACK else [])


def _svg_problems(name: str, data: bytes, artboard: tuple[int, int]) -> list[str]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return [f"{name} cannot be read: it is not text."]
    view = _VIEW_BOX.search(text)
    if "<svg" not in text or "</svg>" not in text or view is None:
        return [f"{name} cannot be read: it is not a complete SVG picture with a viewBox."]
    found = []
    width, height = round(float(view[3])), round(float(view[4]))
    if (width, height) != artboard:
        found.append(f"{name} is {width}x{height}, the artboard is {artboard[0]}x{artboard[1]}.")
    for tag in _TAG.finditer(text):
        line = text.count("\n", 0, tag.start()) + 1
        found.append(f"{name} uses <{tag[1]}> (line {line}). {_UNDRAWN[tag[1]]} are not drawn.")
    if _OUTSIDE.search(text):
        found.append(f"{name} links to another address. A pack must be complete in itself.")
    return found


def _png_problems(name: str, data: bytes, artboard: tuple[int, int]) -> list[str]:
    if len(data) < 33 or data[:8] != b"\x89PNG\r\n\x1a\n":
        return [f"{name} cannot be read: it is not a PNG picture."]
    width, height, _, kind = struct.unpack(">IIBB", data[16:26])
    found = []
    if (width, height) not in (artboard, (artboard[0] * 2, artboard[1] * 2)):
        found.append(f"{name} is {width}x{height}, the artboard is {artboard[0]}x{artboard[1]}.")
    if kind != 6:
        found.append(f"{name} has no transparent pixels; it would hide the face. Save it as RGBA.")
    return found
