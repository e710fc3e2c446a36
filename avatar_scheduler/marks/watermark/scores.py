"""From a picture to soft values of its cells, how well they fit the public pattern, and what they say under a key."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.marks.watermark import message, pattern
from avatar_scheduler.marks.watermark.message import CODE_BITS, Soft
from avatar_scheduler.marks.watermark.pattern import CELLS, PLANES
from avatar_scheduler.marks.watermark.picture import Luma, Picture, resized

CANVAS = 960
"""Pixels along the grid as it is looked at: half its native size."""
HALF = pattern.NATIVE // 2
BORDER = 1
"""Pixels along a cell's edge that are left out: filters and codecs mix them with the neighbour's."""
NOISE = {"luma": 0.25, "chroma": 0.1}
"""Variance every cell has, in levels squared: a perfectly still one counts no more than that allows."""
TEXTURE = 0.15
"""How much of the variance within a cell counts as doubt about its mean."""
MOST = 4.0
"""Levels: what differs more from its surroundings is picture, not mark."""
AROUND = np.array([[1, 2, 1], [2, 0, 2], [1, 2, 1]], np.float32) / 12


class Geometry(NamedTuple):
    """Where the grid lies in the picture."""

    scale: float
    """Pixels of the picture per native pixel."""
    x: float = 0.0
    """Of the grid's corner, in canvas pixels; negative where it was cropped away."""
    y: float = 0.0


class Reader:
    """One picture, looked at under different geometries."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._kept: dict[str, Luma] = {}

    def soft(self, geometry: Geometry) -> dict[str, Soft]:
        """[cells, cells] per plane, 0 where the picture does not reach."""
        return {plane: _soft(plane, *self._cells(plane, geometry)) for plane in PLANES}

    def _cells(self, plane: str, geometry: Geometry) -> tuple[Luma, Luma, Luma]:
        """Mean and variance of each cell, and 1 where the picture covers it."""
        import cv2

        sized, (across, down) = self._resized(plane, geometry.scale)
        x, y = geometry.x * across, geometry.y * down
        # pixel centres: canvas (i + 0.5) lies at (i + 0.5) * across + x of the resized picture
        matrix = np.array([[across, 0, x + (across - 1) / 2], [0, down, y + (down - 1) / 2]], np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        canvas = np.asarray(
            cv2.warpAffine(sized, matrix, (CANVAS, CANVAS), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        )
        side = CELLS[plane]
        size = CANVAS // side
        inner = slice(BORDER, size - BORDER)
        blocks = canvas.reshape(side, size, side, size)[:, inner, :, inner]
        middles = (np.arange(side, dtype=np.float32) + np.float32(0.5)) * size
        columns = _within(middles * across + x, size * 0.4 * across, sized.shape[1])
        rows = _within(middles * down + y, size * 0.4 * down, sized.shape[0])
        covered = (rows[:, None] & columns).astype(np.float32)
        return blocks.mean((1, 3)), blocks.var((1, 3)), covered

    def _resized(self, plane: str, scale: float) -> tuple[Luma, tuple[float, float]]:
        """The plane near the canvas's scale, and its pixels per canvas pixel across and down."""
        width, height = self.picture.size
        wanted = (max(8, round(width / scale / 2)), max(8, round(height / scale / 2)))
        kept = self._kept.get(plane)
        if kept is None or kept.shape[::-1] != wanted:
            source = self.picture.luma if plane == "luma" else self.picture.chroma
            kept = self._kept[plane] = resized(source, wanted)
        return kept, (2 * scale * wanted[0] / width, 2 * scale * wanted[1] / height)


def sync(soft: Mapping[str, Soft]) -> float:
    """How well the public pattern is there: without a mark, about normal with mean 0 and deviation 1."""
    total = power = 0.0
    for plane, values in soft.items():
        shown = pattern.public(plane)
        seen = values[shown.sync]
        total += float(seen @ shown.signs[shown.sync])
        power += float(seen @ seen)
    return total / math.sqrt(power + 1e-12)


def best(soft: Mapping[str, Soft], key: bytes) -> tuple[str, float]:
    """The id of the likeliest message, empty where its checksum fails, and how well that message fits.

    Without a mark the fit is the largest of very many about normal ones: 6 to 8.
    """
    values, power = np.zeros(CODE_BITS), 0.0
    for plane, cells in soft.items():
        hidden, payload = pattern.secret(key, plane), ~pattern.public(plane).sync
        seen = (cells * hidden.signs)[payload]
        values += np.bincount(hidden.bits[payload], seen, CODE_BITS)
        power += float(seen @ seen)
    mark_id, signs = message.decode(values.astype(np.float32))
    return mark_id, float(values @ signs) / math.sqrt(power + 1e-12)


def _soft(plane: str, mean: Luma, variance: Luma, covered: Luma) -> Soft:
    """How far a cell stands off its neighbours, weighted by how quiet it is there."""
    import cv2

    def around(values: Luma) -> Luma:
        return np.asarray(cv2.filter2D(values, -1, AROUND, borderType=cv2.BORDER_CONSTANT), np.float32)

    off = (mean - around(mean * covered) / (around(covered) + np.float32(1e-6))) * covered
    nearby = cv2.blur(np.minimum(off * off, 100) * covered, (5, 5)) / (cv2.blur(covered, (5, 5)) + np.float32(1e-6))
    weight = covered / (nearby + TEXTURE * variance + NOISE[plane])
    soft: Soft = np.clip(off, -MOST, MOST) * weight
    return soft


def _within(middles: Luma, reach: float, side: int) -> NDArray[np.bool_]:
    within: NDArray[np.bool_] = (middles > reach) & (middles < side - reach)
    return within
