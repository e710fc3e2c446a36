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


class Field:
    def __init__(self, changes: Changes | None, *, spared: Box | None = None) -> None:
        """Nothing is hidden in the spared box."""
        self._levels = (changes.luma.copy(), changes.chroma.copy()) if changes else ()
        for levels, part in zip(self._levels, _parts(spared) if spared else (), strict=False):
            levels[part] = 0
        # Bytes are added and taken away with saturation ten times as fast as signed numbers are added and clipped.
        self._steps = [
            (np.maximum(levels, 0).view(np.uint8), np.maximum(-levels, 0).view(np.uint8)) for levels in self._levels
        ]
        self._copy: planes.Planes | None = None

    def lay(self, target: planes.Planes, box: Box) -> None:
        """In place, on the planes of one box of the frame, all of them opaque."""
        for plane, part, (more, less) in zip(target, _parts(box), self._steps, strict=False):
            _shift(plane, more[part], less[part], plane)

    def lay_share(self, target: planes.Planes, box: Box, alphas: tuple[Alpha, Alpha]) -> None:
        """As much as is opaque, by the alphas of luma and chroma: what can be seen through them has its own."""
        for plane, part, levels, alpha in zip(target, _parts(box), self._levels, alphas, strict=False):
            share = (levels[part].astype(np.int32) * (2 * alpha.astype(np.int32)) + 255) // 510
            plane[:] = np.clip(plane + share, 0, 255)

    def over(self, whole: planes.Planes) -> planes.Planes:
        """A marked copy of a frame's planes, valid until the next is asked for."""
        if not self._steps:
            return whole
        y, u, v = whole
        luma, chroma = self._copy[:2] if self._copy else (np.empty_like(y), np.empty_like(u))
        self._copy = luma, chroma, v
        for plane, (more, less), copy in zip((y, u), self._steps, (luma, chroma), strict=True):
            _shift(plane, more, less, copy)
        return self._copy


UNMARKED = Field(None)


def _parts(box: Box) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Rows and columns of a box, in luma and in chroma."""
    return (
        (slice(box.y, box.bottom), slice(box.x, box.right)),
        (slice(box.y // 2, box.bottom // 2), slice(box.x // 2, box.right // 2)),
    )


def _shift(plane: planes.Pixels, more: planes.Pixels, less: planes.Pixels, into: planes.Pixels) -> None:
    import cv2  # a draft never needs it, and it takes a quarter of a second to load

    cv2.add(plane, more, dst=into)
    cv2.subtract(into, less, dst=into)
