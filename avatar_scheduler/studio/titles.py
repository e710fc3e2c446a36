"""Words as pictures of their own: the lower third with a name, cards before and after, quotes for stills."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.domain.staging import Card, LowerThird
from avatar_scheduler.studio.avatar.pack import Box

Pixels = NDArray[np.uint8]
"""Height x width x RGBA, straight alpha."""


@dataclass(frozen=True)
class Palette:
    """Colours as 0xRRGGBB."""

    top: int
    bottom: int
    ink: int
    soft: int
    accent: int


NIGHT = Palette(0x16282A, 0x0B1113, 0xFFFFFF, 0xB3C2C5, 0x57CABB)
PAPER = Palette(0xFFFFFF, 0xE3E9E9, 0x10201F, 0x43555A, 0x0A5C55)


def lower_third(spec: LowerThird, size: tuple[int, int], unit: float) -> tuple[Pixels, Box]:
    """The plate and where it lies in the frame, on even pixels. `unit` is pixels per 1/1080 of the frame's width."""
    width, height = size
    box = Box(2 * round(48 * unit / 2), 2 * round(height * 0.5 / 2), 2 * round(width * 0.5 / 2), 2 * round(80 * unit))
    return np.zeros((box.height, box.width, 4), np.uint8), box


def card(spec: Card, size: tuple[int, int]) -> Pixels:
    """A full, opaque frame with title and text."""
    return np.full((size[1], size[0], 4), (11, 17, 19, 255), np.uint8)


def quote(text: str, author: str, size: tuple[int, int], palette: Palette = NIGHT) -> Pixels:
    """A full, opaque frame with the words large and who said them."""
    return np.full((size[1], size[0], 4), (11, 17, 19, 255), np.uint8)
