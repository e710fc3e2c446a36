"""The mark as something to add to a picture: more where the picture is busy, a single level where it is flat."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks.watermark import message, pattern
from avatar_scheduler.marks.watermark.message import Signs
from avatar_scheduler.marks.watermark.pattern import CELL, NATIVE

Plane = NDArray[np.uint8]
"""Of a picture in limited range BT.709 4:2:0, rows from the top."""
Levels = NDArray[np.int8]

BUSY = (3.0, 8.0)
"""Standard deviation of the luma's detail around a cell, in levels, from which a cell gets the next amplitude."""
LUMA = np.array([1, 2, 3], np.int8)
CHROMA = np.array([1, 2, 2], np.int8)
"""Amplitudes in flat, busy and very busy cells."""
SMALLEST = 160
"""Along the shortest side: below that a cell would be two pixels."""
DETAIL = 4.0
"""Of a picture at half its size, what is finer than this many pixels counts as detail."""


@dataclass(frozen=True)
class Field:
    """What to add to a picture and to everything that is later pasted over it, anchored at its top left."""

    luma: Levels
    """[h, w]."""
    chroma: Levels
    """[h / 2, w / 2], for the U plane. V carries nothing."""

    def cut(self, x: int, y: int, width: int, height: int) -> "Field":
        """The part under a patch of the picture; all four even. It shares this field's memory."""
        luma = self.luma[y : y + height, x : x + width]
        return Field(luma, self.chroma[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2])

    def add(self, y: Plane, u: Plane) -> None:
        """In place, saturated at 0 and 255. For one picture; `masks` for many."""
        for plane, (up, down) in zip((y, u), self.masks(), strict=True):
            lay(plane, up, down)

    def masks(self) -> tuple[tuple[Plane, Plane], tuple[Plane, Plane]]:
        """What to add and what to take away, for luma and for chroma: see `lay`."""
        return _masks(self.luma), _masks(self.chroma)


def lay(plane: Plane, up: Plane, down: Plane) -> None:
    """Adds and takes away in place, saturated: two vectorised passes, the cheapest way there is."""
    import cv2

    cv2.subtract(cv2.add(plane, up, dst=plane), down, dst=plane)


def field(y: Plane, mark_id: str, key: bytes) -> Field:
    """The mark for pictures of this size whose detail is like that of `y`, a luma plane [h, w].

    Raises Invalid for odd or tiny sizes and for what is no id. What reaches beyond the grid repeats it.
    """
    height, width = y.shape
    shortest = min(height, width)
    if height % 2 or width % 2 or shortest < SMALLEST:
        raise Invalid(f"A picture of {width}x{height} cannot be marked: sides are even, {SMALLEST} or more.")
    code = message.encode(mark_id)
    rows, columns = (np.arange(side) * NATIVE // (shortest * CELL) for side in y.shape)
    busy = _busy(y, (int(columns[-1]) + 1, int(rows[-1]) + 1))
    luma, chroma = (pattern.chips(plane, code, key) for plane in pattern.PLANES)
    return Field(
        _spread(luma, LUMA[busy], rows, columns),
        _spread(chroma, CHROMA[_pairs(busy)], rows[::2] // 2, columns[::2] // 2),
    )


def _busy(y: Plane, cells: tuple[int, int]) -> NDArray[np.intp]:
    """0 flat, 1 busy, 2 very busy, for so many cells across and down. The calmest of a cell's neighbours decides, so
    that nothing spills from an edge into the flat beside it."""
    import cv2

    width, height = (round(side * NATIVE / min(y.shape)) for side in reversed(y.shape))
    half = cv2.resize(y, (width // 2, height // 2), interpolation=cv2.INTER_AREA).astype(np.float32)
    detail = half - cv2.GaussianBlur(half, (0, 0), DETAIL)
    power = cv2.resize(cv2.blur(detail * detail, (CELL // 2, CELL // 2)), cells, interpolation=cv2.INTER_AREA)
    calmest = cv2.erode(np.sqrt(power), np.ones((3, 3), np.uint8))
    return np.searchsorted(BUSY, calmest)


def _pairs(busy: NDArray[np.intp]) -> NDArray[np.intp]:
    """The calmest of the four cells of luma under each cell of chroma."""
    even = np.pad(busy, [(0, side % 2) for side in busy.shape], mode="edge")
    calmest: NDArray[np.intp] = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2).min((1, 3))
    return calmest


def _spread(chips: Signs, strength: Levels, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Levels:
    """Cells to pixels: `rows` and `columns` say in which cell each pixel is."""
    height, width = strength.shape
    levels = chips[np.ix_(np.arange(height) % len(chips), np.arange(width) % len(chips))] * strength
    return np.ascontiguousarray(levels[rows[:, None], columns])


def _masks(levels: Levels) -> tuple[Plane, Plane]:
    return np.maximum(levels, 0).astype(np.uint8), np.maximum(-levels, 0).astype(np.uint8)
