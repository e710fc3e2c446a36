"""From a portrait to a pack: find the face, cut the figure out, place it on an artboard, paint its patches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.avatar import pack_pictures, pack_table
from avatar_scheduler.studio.photo import NOTE, eyes, visemes, warp
from avatar_scheduler.studio.photo.environment import Found
from avatar_scheduler.studio.photo.face import BROWS, CHIN, EYES, NOSE_BASE, Face, judge
from avatar_scheduler.studio.photo.warp import Box, Floats

_MOST_PIXELS = 50_000_000
_LARGEST_FILE = 30_000_000
_LOOKED_AT = 1600
"""Pixels of the longer side that the landmarks are found in; more finds nothing more."""
_BELOW_CHIN = 700
_FACE = 370
_WIDEST_FACE = 620
"""Frame pixels of 1080x1920: chin above the captions, face about a third of the width."""
_BOARDS = (1080, 900, 760)
"""Widths tried until every picture stays within a pack's limit for one file."""
_CUT_OFF = 0.25


@dataclass(frozen=True)
class _Board:
    """The figure as it stands on the artboard."""

    picture: Floats
    """RGBA, 0 to 255; the colours go on behind the edge of the figure."""
    face: Face
    scale: float


def make(photo: Path, find: Callable[[Any], Found], folder: Path, *, name: str) -> None:
    """Writes a pack into a new folder. `find` runs the photo environment. Raises Invalid for what cannot be used."""
    picture = _read(photo)
    found = find(np.asarray(picture))
    face = judge(found.faces, picture.width)
    for width in _BOARDS:
        board = _placed(picture, found.cutout, face, width)
        parts, boxes = _parts(board)
        folder.mkdir(parents=True, exist_ok=True)
        for part, (patch, box) in parts.items():
            _write(patch, box, board, folder / f"{part}.png")
        if all(path.stat().st_size <= pack_pictures.LARGEST_FILE for path in folder.glob("*.png")):
            break
    pack_table.write(_table(name, board, boxes), folder)


def _write(patch: Floats, box: Box, board: _Board, path: Path) -> None:
    """What is clear has no colour: it would be most of the file."""
    rounded = patch.clip(0, 255).round().astype(np.uint8)
    rounded[rounded[..., 3] == 0] = 0
    picture = Image.new("RGBA", (board.picture.shape[1], board.picture.shape[0]))
    picture.paste(Image.fromarray(rounded, "RGBA"), box[:2])
    picture.save(path)


def _read(photo: Path) -> Image.Image:
    if photo.stat().st_size > _LARGEST_FILE:
        raise Invalid(f"{photo.name} is over 30 MB. Save it smaller.")
    try:
        with Image.open(photo, formats=["JPEG", "PNG", "WEBP"]) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise Invalid(f"{photo.name} is {picture.width}x{picture.height}, over 50 megapixels. Save it smaller.")
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Invalid(f"{photo.name} cannot be read. Save it as a JPEG or PNG picture.") from error
    upright.thumbnail((_LOOKED_AT, _LOOKED_AT), Image.Resampling.LANCZOS)
    return upright


def _placed(picture: Image.Image, cutout: Any, face: Face, width: int) -> _Board:
    """Cropped and scaled so that a 1080x1920 frame shows head and shoulders, the chin above the captions."""
    chin = float(face.points[CHIN, 1])
    below = picture.height - chin
    scale = max(_FACE / face.width, 1080 / picture.width, _BELOW_CHIN / max(below, 1))
    if scale * face.width > _WIDEST_FACE:
        raise Invalid("Too little is seen below the chin. Use a picture of head and shoulders.", code="photo_cropped")
    scale *= width / 1080
    middle = float(face.points[:, 0].mean())
    left = min(max(0.0, middle - width / 2 / scale), picture.width - width / scale)
    bottom = min(picture.height, chin + _BELOW_CHIN * width / 1080 / scale)
    # the cut-out is found in a picture of 256 pixels: its steps are smoothed, its rim of background is left out
    softened = Image.fromarray(cutout).filter(ImageFilter.GaussianBlur(max(cutout.shape) / 240))
    mask = warp.smooth((np.asarray(softened, np.float32) / 255 - 0.5) / 0.4) * 255
    top = _top(mask, bottom, scale)
    height = 2 * floor((bottom - top) * scale / 2)
    area = (left, bottom - height / scale, left + width / scale, bottom)
    rgb = picture.resize((width, height), Image.Resampling.LANCZOS, box=area)
    alpha = Image.fromarray(mask.astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC, box=area)
    points = (face.points - np.array(area[:2])) * scale
    return _Board(np.dstack([np.asarray(rgb), np.asarray(alpha)]).astype(np.float32), Face(points), 1080 / width)


def _top(mask: Floats, bottom: float, scale: float) -> float:
    """A little above the hair. A head that the picture cuts off would float with a flat top."""
    if (mask[:3] > 128).mean(axis=0).sum() > _CUT_OFF * mask.shape[1] * 0.5:
        raise Invalid("The top of the head is cut off. Use a picture with some room above it.", code="photo_cropped")
    first = int(np.flatnonzero((mask > 16).any(axis=1))[0])
    tallest = bottom - 2100 / scale
    return max(0.0, first - 40 / scale, tallest)


def _parts(board: _Board) -> tuple[dict[str, tuple[Floats, Box]], dict[str, Box]]:
    """Each picture of the pack, as the piece of it that is not clear; and the boxes."""
    picture, face = board.picture, board.face
    head, body = _split(picture, face)
    boxes = _boxes(head, face)
    mouth, lids, brows = boxes["mouth"], boxes["eyes"], boxes["brows"]
    whole, nothing = (0, 0, picture.shape[1], picture.shape[0]), np.zeros((2, 2, 4), np.float32)
    parts = {
        "head": (head, whole),
        "body": (body, whole),
        "eyes_open": (nothing, lids),
        "eyes_closed": (eyes.closing(picture, face, lids, 1.0), lids),
        "eyes_half": (eyes.closing(picture, face, lids, 0.5), lids),
        "eyes_left": (eyes.glancing(picture, face, lids, -1), lids),
        "eyes_right": (eyes.glancing(picture, face, lids, 1), lids),
        "brows_neutral": (nothing, brows),
        "brows_up": (eyes.raising(picture, face, brows), brows),
        "brows_worried": (eyes.raising(picture, face, brows, worried=True), brows),
    }
    smiled, smiling_face = visemes.smiling(picture, face)
    for letter, shape in visemes.SHAPES.items():
        parts[f"mouth_{letter}"] = (visemes.mouth(picture, face, shape, mouth), mouth)
        smile = visemes.mouth(smiled, smiling_face, shape, mouth)
        parts[f"mouth_smile_{letter}"] = (visemes.over(picture, smile, smiled, mouth), mouth)
    return parts, boxes


def _split(picture: Floats, face: Face) -> tuple[Floats, Floats]:
    """The head moves over a body that stands still: both have the neck, where one fades into the other."""
    rows = np.arange(len(picture), dtype=np.float32)[:, None]
    chin = float(face.points[CHIN, 1])
    head, body = picture.copy(), picture.copy()
    head[..., 3] *= 1 - warp.smooth((rows - chin - 0.06 * face.height) / (0.3 * face.height))
    body[..., 3] *= warp.smooth((rows - chin + 0.02 * face.height) / (0.06 * face.height))
    return head, body


def _boxes(head: Floats, face: Face) -> dict[str, Box]:
    height, width = head.shape[:2]
    columns = np.flatnonzero((head[..., 3] >= 0.5).any(axis=0))
    chin, nose = float(face.points[CHIN, 1]), float(face.points[NOSE_BASE, 1])
    middle = float(face.points[[13, 14], 0].mean())
    wide = face.mouth_width
    brows = [number for pair in BROWS for line in pair for number in line]
    lids = [number for pair in EYES for line in pair for number in line]
    brow, lid = face.points[brows], face.points[lids]
    side = 0.12 * face.width
    whole = (0.0, float(width), 0.0, float(height))

    def even(left: float, right: float, top: float, bottom: float) -> Box:
        x, y = 2 * floor(max(left, whole[0]) / 2), 2 * floor(max(top, whole[2]) / 2)
        return x, y, 2 * ceil(min(right, whole[1]) / 2) - x, 2 * ceil(min(bottom, whole[3]) / 2) - y

    return {
        "head": even(float(columns[0]), float(columns[-1]) + 1, 0, min(height, chin + 0.4 * face.height)),
        "mouth": even(middle - 1.6 * wide, middle + 1.6 * wide, nose - 0.25 * wide, chin + 0.36 * face.height),
        "eyes": even(lid[:, 0].min() - 8, lid[:, 0].max() + 8, brow[:, 1].min(), lid[:, 1].max() + 12),
        "brows": even(
            brow[:, 0].min() - side, brow[:, 0].max() + side,
            brow[:, 1].min() - 0.22 * face.height, lid[:, 1].max(),
        ),
    }  # fmt: skip


def _table(name: str, board: _Board, boxes: dict[str, Box]) -> Mapping[str, Any]:
    height, width = board.picture.shape[:2]
    chin = float(board.face.points[CHIN, 1])
    parts = ("body", "head", "mouth", "brows", "eyes")
    return {
        "name": name,
        "description": NOTE,
        "licence": "The creator's likeness, by their consent alone",
        "artboard": {"width": width, "height": height},
        "placement": {"scale": round(board.scale, 4)},
        "layer": [{"part": part, "moves": "no" if part == "body" else "head"} for part in parts],
        "boxes": {part: list(box) for part, box in boxes.items()},
        "motion": {
            "pivot": [round(float(board.face.points[CHIN, 0])), round(chin + 0.35 * board.face.height)],
            "bob": [-3, 3],
            "tilt": [-1.1, 1.1],
        },
        "blink": {"every": [2600, 5400], "half": 34, "closed": 100},
    }
