"""The picture files of a pack: which exist, and what in them cannot be drawn. Draws nothing."""

import re
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from avatar_scheduler.studio.avatar import pack_svg
from avatar_scheduler.studio.avatar.pack_table import SLOTS

LARGEST_FILE = 1_000_000
LARGEST_PACK = 20_000_000
MOST_FILES = 80
PART = re.compile(r"[A-Za-z0-9_]{1,40}")


def find(folder: Path) -> dict[str, Path]:
    """Part name to file. With both, the SVG is used."""
    pictures = sorted(folder.glob("*.png")) + sorted(folder.glob("*.svg"))
    return {path.stem: path for path in pictures}


def used(files: dict[str, Path], layers: list[str]) -> dict[str, Path]:
    """The pictures that can ever be seen."""
    return {part: path for part, path in files.items() if part in layers or part.partition("_")[0] in SLOTS}


def problems(path: Path, artboard: tuple[int, int] | None, *, may_be_opaque: bool = False) -> list[str]:
    """Without an artboard the sizes are not compared."""
    if not PART.fullmatch(path.stem):
        return [f'"{path.name}" is not a file name.']
    try:
        data = path.read_bytes()
    except OSError:
        return [f"{path.name} cannot be read."]
    if len(data) > LARGEST_FILE:
        return [f"{path.name} is {len(data) / 1_000_000:.1f} MB, the limit is 1 MB."]
    if path.suffix == ".svg":
        return pack_svg.problems(path.name, data, artboard)
    return _png_problems(path, artboard, may_be_opaque=may_be_opaque)


def pack_problems(folder: Path) -> list[str]:
    paths = [path for path in folder.iterdir() if path.is_file()]
    total = sum(path.stat().st_size for path in paths)
    found = [f"The pack has {len(paths)} files, the limit is {MOST_FILES}."] if len(paths) > MOST_FILES else []
    return found + ([f"The pack is {total / 1_000_000:.1f} MB, the limit is 20 MB."] if total > LARGEST_PACK else [])


def _png_problems(path: Path, artboard: tuple[int, int] | None, *, may_be_opaque: bool) -> list[str]:
    name = path.name
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            if wrong := _wrong_size(name, picture.size, artboard):
                return [wrong]
            picture.load()
            clear = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
            clear = clear and picture.convert("RGBA").getchannel("A").getextrema()[0] == 0
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return [f"{name} cannot be read: it is not a complete PNG picture."]
    return [] if clear or may_be_opaque else [f"{name} has no transparent pixels; it would hide the face."]


def _wrong_size(name: str, size: tuple[int, int], artboard: tuple[int, int] | None) -> str:
    """Said before any pixel is unpacked."""
    if artboard is None:
        return "" if max(size) <= 4320 else f"{name} is {size[0]}x{size[1]}, the limit is 4320x4320."
    if size in (artboard, (artboard[0] * 2, artboard[1] * 2)):
        return ""
    return f"{name} is {size[0]}x{size[1]}, the artboard is {artboard[0]}x{artboard[1]}."
