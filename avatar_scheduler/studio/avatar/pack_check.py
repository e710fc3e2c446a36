"""A pack looked at as it would be drawn: does each picture stay in its box, do the mouths differ."""

import hashlib
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import skia
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.avatar import pack_pictures, pack_table
from avatar_scheduler.studio.avatar.pack import Box, Pack, build, problems, refuse
from avatar_scheduler.studio.avatar.sprites import draw_picture

_FAINT = 16
"""Alpha out of 255 below which an edge is a soft one, not a part of the picture."""
_LARGEST = 2160
_MOUTHS = "ABCDEF"


def check(folder: Path) -> tuple[Pack, list[str]]:
    """The pack, and warnings. Invalid names every problem at once."""
    table = pack_table.read(folder)
    files = pack_pictures.find(folder)
    found, sound = problems(folder, table, files)
    if pack_table.problems(table):
        refuse(found)
    pack = build(table, files)
    mouths: dict[str, str] = {}
    for part, path in sound.items():
        drawn = _drawn(pack, path)
        if drawn is None:
            continue
        name = _box_of(part, pack)
        if name in pack.boxes:
            found += _outside(path.name, drawn, pack.boxes[name], name)
        mouths[part] = hashlib.sha256(drawn.tobytes()).hexdigest()
    refuse(found)
    return pack, _same(mouths)


def _box_of(part: str, pack: Pack) -> str:
    """What moves with the head is drawn again in the head's box only; outside it would leave a trail."""
    layers = {layer.part: layer.moves for layer in pack.layers}
    if part in layers:
        return "head" if layers[part] else ""
    return part.partition("_")[0]


def _drawn(pack: Pack, path: Path) -> NDArray[np.uint8] | None:
    """None for a picture that was refused already."""
    if max(pack.height, pack.width) > _LARGEST:
        return None
    rgba = np.zeros((pack.height, pack.width, 4), np.uint8)
    canvas: Any = skia.Surface(rgba, colorType=skia.kRGBA_8888_ColorType).getCanvas()
    try:
        draw_picture(path, canvas, pack.width, pack.height)
    except Invalid:
        return None
    return rgba


def _outside(name: str, drawn: NDArray[np.uint8], box: Box, box_name: str) -> list[str]:
    seen = drawn[..., 3] > _FAINT
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return []
    reach = {
        "left of": box.x - int(columns[0]),
        "right of": int(columns[-1]) + 1 - box.right,
        "above": box.y - int(rows[0]),
        "below": int(rows[-1]) + 1 - box.bottom,
    }
    return [f"{name} reaches {n} pixels {side} the {box_name} box." for side, n in reach.items() if n > 0]


def _same(drawn: dict[str, str]) -> list[str]:
    return [
        f"mouth_{one} and mouth_{other} are the same picture."
        for one, other in combinations(_MOUTHS, 2)
        if drawn[f"mouth_{one}"] == drawn[f"mouth_{other}"]
    ]
