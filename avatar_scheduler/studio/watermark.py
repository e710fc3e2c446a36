"""The hidden mark as it is laid into planes. What it says, and how it is read again, is not the studio's business.

What is hidden in a picture lies at its place in the frame: each patch carries its part of it, so that patches join
without a seam and nothing flickers.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.studio import planes
from avatar_scheduler.studio.avatar.pack import Box

Levels = NDArray[np.int8]
Alpha = NDArray[np.uint16]
"""0 to 255."""


class Changes(Protocol):
    """What to add to a frame."""

    @property
    def luma(self) -> Levels:
        """[h, w]."""

    @property
    def chroma(self) -> Levels:
        """[h / 2, w / 2], for the U plane."""


Watermark = Callable[[planes.Pixels], Changes]
"""From the luma of a whole picture: where it is busy, more can be hidden."""

_Y, _U = 0, 1
_GREY = 126


class Field:
    """What is added to one picture, and to everything laid over it."""

    def __init__(self, changes: Changes | None, *, luma: bool = True, spared: Box | None = None) -> None:
        """In the spared box nothing is hidden, and without `luma` only blue is shifted."""
        hidden = {_U: changes.chroma.copy()} if changes else {}
        if changes and luma:
            hidden[_Y] = changes.luma.copy()
        self._levels: dict[int, Levels] = hidden
        for number, levels in hidden.items():
            if spared:
                levels[_part(spared, number)] = 0
        # Adding and taking away bytes, saturated, is ten times as fast as adding signed numbers and clipping.
        self._steps = {
            number: (np.maximum(levels, 0).view(np.uint8), np.maximum(-levels, 0).view(np.uint8))
            for number, levels in hidden.items()
        }
        self._copies: dict[int, planes.Pixels] = {}

    def lay(self, target: planes.Planes, box: Box) -> None:
        """In place, on the planes of one box of the frame, all of them opaque."""
        for number, (more, less) in self._steps.items():
            part = _part(box, number)
            _shift(target[number], more[part], less[part], target[number])

    def lay_share(self, target: planes.Planes, box: Box, alphas: tuple[Alpha, Alpha]) -> None:
        """As much as is opaque, by the alphas of luma and chroma: what can be seen through them has its own."""
        for number, levels in self._levels.items():
            share = (levels[_part(box, number)].astype(np.int32) * (2 * alphas[number].astype(np.int32)) + 255) // 510
            target[number][:] = np.clip(target[number] + share, 0, 255)

    def over(self, whole: planes.Planes) -> planes.Planes:
        """The planes of a frame with the mark, which are right until the next are asked for. None of these change."""
        made = list(whole)
        for number, (more, less) in self._steps.items():
            made[number] = self._copies.setdefault(number, np.empty_like(whole[number]))
            _shift(whole[number], more, less, made[number])
        return made[0], made[1], made[2]


UNMARKED = Field(None)


def _part(box: Box, number: int) -> tuple[slice, slice]:
    """Rows and columns of a box in this plane."""
    size = 1 if number == _Y else 2
    return slice(box.y // size, box.bottom // size), slice(box.x // size, box.right // size)


def _shift(plane: planes.Pixels, more: planes.Pixels, less: planes.Pixels, into: planes.Pixels) -> None:
    import cv2  # a draft never needs it, and it takes a quarter of a second to load

    cv2.add(plane, more, dst=into)
    cv2.subtract(into, less, dst=into)


def least(watermark: Watermark, size: tuple[int, int]) -> Field:
    """For pictures that move or are not known beforehand, and for flat plates: a level of blue, whatever is there.

    Light and dark would survive as well, but the encoder would send them anew with every picture that moves below
    them: films grew by half to five times, and with blue alone by a fifth.
    """
    width, height = size
    return Field(watermark(np.full((height, width), _GREY, np.uint8)), luma=False)
