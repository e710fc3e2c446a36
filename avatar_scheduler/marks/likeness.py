"""How much a piece of picture looks like the label that was drawn."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.marks.footage import Luma, luma_of

if TYPE_CHECKING:
    from avatar_scheduler.marks.label import LabelArt

OPAQUE = 255
# Measured on moving pictures at 540x960 and 1080x1920: the right label stays above 994 and below 95 up to crf 34;
# one changed letter keeps the correlation at 993 but moves a patch by 445.
LEAST_MATCH = 950
MOST_PATCH = 200
PATCHES_ACROSS = 90
"""Patches along the picture's shortest side: about a letter's stroke and a half."""


@dataclass(frozen=True)
class Likeness:
    match: int
    """Normalised cross-correlation with the art in thousandths: is this the plate at all?"""
    patch: int
    """Where it differs most: mean distance from the art over one patch, in thousandths of black to white.
    Catches what correlation forgives: another letter, a fainter plate, a grey veil."""

    @property
    def ok(self) -> bool:
        return self.match >= LEAST_MATCH and self.patch <= MOST_PATCH


class Template:
    """The label as it must appear. Pixels the art leaves half transparent (its rounded corners) are not judged."""

    def __init__(self, art: "LabelArt", shortest_side: int) -> None:
        pixels = np.frombuffer(art.rgba, np.uint8).reshape(art.height, art.width, 4)
        self._solid: Luma = (pixels[..., 3] == OPAQUE).astype(np.float32)
        self._wanted: Luma = luma_of(pixels[..., :3].astype(np.float32)) * self._solid
        self._count = float(self._solid.sum())
        self._shape = self._centre(self._wanted)
        self._patch = max(4, shortest_side // PATCHES_ACROSS)

    def compare(self, seen: Luma) -> Likeness:
        seen = seen * self._solid
        shape = self._centre(seen)
        spread, wanted = float(np.linalg.norm(shape)), float(np.linalg.norm(self._shape))
        flat = spread < self._count**0.5  # less than one step of 255: what is left is rounding, like nothing
        match = 0.0 if flat else float(np.vdot(shape, self._shape)) / (spread * wanted)
        return Likeness(round(1000 * match), round(1000 * self._farthest(np.abs(seen - self._wanted)) / 255))

    def _centre(self, luma: Luma) -> Luma:
        centred: Luma = (luma - luma.sum() / self._count) * self._solid
        return centred

    def _farthest(self, distance: NDArray[np.float32]) -> float:
        rows = np.add.reduceat(distance, np.arange(0, distance.shape[0], self._patch), axis=0)
        return float(np.add.reduceat(rows, np.arange(0, distance.shape[1], self._patch), axis=1).max()) / self._patch**2
