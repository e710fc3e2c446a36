"""From a picture to soft values of its cells, how well they fit the public pattern, and what they say under a key."""

import math
from typing import NamedTuple

import numpy as np

from avatar_scheduler.marks.watermark import message, pattern
from avatar_scheduler.marks.watermark.message import CODE_BITS, Soft
from avatar_scheduler.marks.watermark.pattern import CELLS
from avatar_scheduler.marks.watermark.picture import Blue, resized

PIXELS = 8
"""Of the canvas, along a cell: the canvas is half as large as the chroma of a picture in its native size."""
CANVAS = CELLS * PIXELS
BORDER = 1
"""Pixels along a cell's edge that are left out: filters and codecs mix them with the neighbour's."""
NOISE = 0.1
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

    def __init__(self, blue: Blue) -> None:
        self.blue = blue
        self._kept = blue

    def soft(self, geometry: Geometry) -> Soft:
        """[CELLS, CELLS]: how far a cell stands off its neighbours, weighted by how quiet it is there; 0 where the
        picture does not reach."""
        import cv2

        mean, variance, covered = self._cells(geometry)
        around = _around(mean * covered) / (_around(covered) + np.float32(1e-6))
        off = (mean - around) * covered
        nearby = cv2.blur(np.minimum(off * off, 100), (5, 5)) / (cv2.blur(covered, (5, 5)) + np.float32(1e-6))
        soft: Soft = np.clip(off, -MOST, MOST) * covered / (nearby + TEXTURE * variance + np.float32(NOISE))
        return soft

    def _cells(self, geometry: Geometry) -> tuple[Blue, Blue, Blue]:
        """Mean and variance of each cell, and 1 where the picture covers it."""
        import cv2

        sized, (across, down) = self._resized(geometry.scale)
        x, y = geometry.x * across, geometry.y * down
        # pixel centres: canvas (i + 0.5) lies at (i + 0.5) * across + x of the resized picture
        matrix = np.array([[across, 0, x + (across - 1) / 2], [0, down, y + (down - 1) / 2]], np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        canvas = cv2.warpAffine(sized, matrix, (CANVAS, CANVAS), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        inner = slice(BORDER, PIXELS - BORDER)
        blocks = np.asarray(canvas, np.float32).reshape(CELLS, PIXELS, CELLS, PIXELS)[:, inner, :, inner]
        middles = (np.arange(CELLS, dtype=np.float32) + np.float32(0.5)) * PIXELS
        reach = 0.4 * PIXELS
        columns = abs(middles * across + x - sized.shape[1] / 2) < sized.shape[1] / 2 - reach * across
        rows = abs(middles * down + y - sized.shape[0] / 2) < sized.shape[0] / 2 - reach * down
        return blocks.mean((1, 3)), blocks.var((1, 3)), (rows[:, None] & columns).astype(np.float32)

    def _resized(self, scale: float) -> tuple[Blue, tuple[float, float]]:
        """The picture near the canvas's scale, and its pixels per canvas pixel across and down."""
        height, width = self.blue.shape
        wanted = (max(8, round(width / scale / 2)), max(8, round(height / scale / 2)))
        if self._kept.shape[::-1] != wanted:
            self._kept = resized(self.blue, wanted)
        return self._kept, (2 * scale * wanted[0] / width, 2 * scale * wanted[1] / height)


def sync(soft: Soft) -> float:
    """How well the public pattern is there: without a mark, about normal with mean 0 and deviation 1."""
    shown = pattern.public()
    seen = soft[shown.sync]
    return float(seen @ shown.signs[shown.sync]) / math.sqrt(float(seen @ seen) + 1e-12)


def best(soft: Soft, key: bytes) -> tuple[str, float]:
    """The id of the likeliest message, empty where its checksum fails, and how well that message fits.

    Without a mark the fit is the largest of very many about normal ones: 6 to 8.
    """
    hidden, payload = pattern.secret(key), ~pattern.public().sync
    seen = (soft * hidden.signs)[payload]
    values = np.bincount(hidden.bits[payload], seen, CODE_BITS).astype(np.float32)
    mark_id, signs = message.decode(values)
    return mark_id, float(values @ signs) / math.sqrt(float(seen @ seen) + 1e-12)


def _around(values: Blue) -> Blue:
    import cv2

    return np.asarray(cv2.filter2D(values, -1, AROUND, borderType=cv2.BORDER_CONSTANT), np.float32)
