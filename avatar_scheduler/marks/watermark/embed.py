"""The mark as something to add to a picture: more where the picture is busy, a single level where it is flat.

Blue against luma alone carries it. At the same size of the film it holds twice as well as the same idea in luma, people
see it least, and luma stays bit for bit what was drawn. A copy without colour has lost it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks.watermark import message, pattern
from avatar_scheduler.marks.watermark.pattern import CELL, CELLS, NATIVE

Plane = NDArray[np.uint8]
"""Of a picture in limited range BT.709 4:2:0, rows from the top."""
Levels = NDArray[np.int8]

BUSY = (2.0, 5.0)
"""Standard deviation of the luma's detail, in levels, from which a cell gets the next amplitude."""
AMPLITUDES = np.array([1, 2, 4], np.int8)
"""In flat, busy and very busy cells."""
DETAIL, PLACE, NEAR = 4.0, 8, 25
"""Pixels of a picture at half its native size: what is finer than the first counts as detail, the second is a place
that is busy or calm, and within the third of a cell's middle all places must be busy."""
SMALLEST = 160
"""Along the shortest side: below that a cell of chroma would be two pixels."""


@dataclass(frozen=True)
class Field:
    """What to add to a picture and to everything that is later pasted over it, anchored at its top left."""

    chroma: Levels
    """[h / 2, w / 2], for the U plane."""

    def cut(self, x: int, y: int, width: int, height: int) -> "Field":
        """The part under a patch of the picture; all four even. It shares this field's memory."""
        return Field(self.chroma[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2])

    def add(self, u: Plane) -> None:
        """In place, saturated at 0 and 255."""
        import cv2

        up, down = np.maximum(self.chroma, 0).astype(np.uint8), np.maximum(-self.chroma, 0).astype(np.uint8)
        cv2.subtract(cv2.add(u, up, dst=u), down, dst=u)


def field(y: Plane, mark_id: str, key: bytes) -> Field:
    """The mark for pictures of this size whose detail is like that of `y`, a luma plane [h, w].

    Raises Invalid for odd or tiny sizes and for what is no id. What reaches beyond the grid repeats it.
    """
    height, width = y.shape
    shortest = min(height, width)
    if height % 2 or width % 2 or shortest < SMALLEST:
        raise Invalid(f"A picture of {width}x{height} cannot be marked: sides are even, {SMALLEST} or more.")
    rows, columns = (np.arange(0, side, 2) * NATIVE // (shortest * CELL) for side in y.shape)
    busy = _busy(y, (int(rows[-1]) + 1, int(columns[-1]) + 1))
    chips = pattern.chips(message.encode(mark_id), key)
    down, across = (np.arange(count) % CELLS for count in busy.shape)
    levels = chips[np.ix_(down, across)] * AMPLITUDES[busy]
    return Field(np.ascontiguousarray(levels[np.ix_(rows, columns)]))


def _busy(y: Plane, cells: tuple[int, int]) -> NDArray[np.intp]:
    """0 flat, 1 busy, 2 very busy, for so many cells down and across. The calmest place in or near a cell decides: a
    single edge hides nothing in the flat beside it."""
    import cv2

    width, height = (round(side * NATIVE / min(y.shape) / 2) for side in reversed(y.shape))
    small = cv2.resize(y, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    detail = small - cv2.GaussianBlur(small, (0, 0), DETAIL)
    # a running sum of floats ends a hair below zero where all is flat
    around = np.sqrt(np.maximum(cv2.blur(detail * detail, (PLACE, PLACE)), 0))
    calmest = np.asarray(cv2.erode(around, np.ones((NEAR, NEAR), np.uint8)))
    rows, columns = (
        np.minimum((np.arange(count) * 2 + 1) * CELL // 4, side - 1)
        for count, side in zip(cells, (height, width), strict=True)
    )
    return np.searchsorted(BUSY, calmest[np.ix_(rows, columns)])
