"""The hidden mark as it is laid into planes. What it says, and how it is read again, is not the studio's business.

Only U is shifted, a level or two. What is hidden in a picture lies at its place in the frame: each patch carries its
part of it, so that patches join without a seam and nothing flickers.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.studio import planes
from avatar_scheduler.studio.avatar.pack import Box

Levels = NDArray[np.int8]


class Changes(Protocol):
    """What to add to a frame."""

    @property
    def chroma(self) -> Levels:
        """[h / 2, w / 2], for the U plane."""


Watermark = Callable[[planes.Pixels], Changes]
"""From the luma of a whole picture, limited range [h, w]: where it is busy, more can be hidden."""

_GREY = 126


class Field:
    """What is added to one picture, and to everything laid over it."""

    def __init__(self, changes: Changes | None, *, calm: Iterable[Box] = ()) -> None:
        """In the calm boxes a single level: the label is to look as drawn, and what stands still where the picture
        moves is sent anew with each."""
        self._levels = changes.chroma.copy() if changes else None
        if self._levels is None:
            return
        for box in calm:
            np.clip(self._levels[_half(box)], -1, 1, out=self._levels[_half(box)])
        # Adding and taking away bytes, saturated, is ten times as fast as adding signed numbers and clipping.
        self._more = np.maximum(self._levels, 0).view(np.uint8)
        self._less = np.maximum(-self._levels, 0).view(np.uint8)
        self._copy = np.empty_like(self._more)

    def lay(self, target: planes.Planes, box: Box) -> None:
        """In place, on the planes of one box of the frame, all of them opaque."""
        if self._levels is not None:
            part = _half(box)
            _shift(target[1], self._more[part], self._less[part], target[1])

    def lay_share(self, target: planes.Planes, box: Box, alpha: NDArray[np.uint16]) -> None:
        """As much as is opaque, by the alpha of chroma, 0 to 255: what can be seen through it has its own."""
        if self._levels is not None:
            share = (self._levels[_half(box)].astype(np.int32) * (2 * alpha.astype(np.int32)) + 255) // 510
            target[1][:] = np.clip(target[1] + share, 0, 255)

    def over(self, whole: planes.Planes) -> planes.Planes:
        """The planes of a frame with the mark, right until the next are asked for. Those of `whole` do not change."""
        if self._levels is None:
            return whole
        _shift(whole[1], self._more, self._less, self._copy)
        return whole[0], self._copy, whole[2]


UNMARKED = Field(None)


def least(watermark: Watermark, size: tuple[int, int]) -> Field:
    """The same everywhere, for pictures that move or are not known beforehand and for flat plates."""
    width, height = size
    return Field(watermark(np.full((height, width), _GREY, np.uint8)))


def _half(box: Box) -> tuple[slice, slice]:
    return slice(box.y // 2, box.bottom // 2), slice(box.x // 2, box.right // 2)


def _shift(plane: planes.Pixels, more: planes.Pixels, less: planes.Pixels, into: planes.Pixels) -> None:
    import cv2  # a draft never needs it, and it takes a quarter of a second to load

    cv2.add(plane, more, dst=into)
    cv2.subtract(into, less, dst=into)
