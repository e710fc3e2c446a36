"""The word DRAFT beside the AI label: what is only a preview says so in every frame."""

from typing import Protocol

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from avatar_scheduler.studio.job import Overlay
from avatar_scheduler.studio.lettering import BOLD

WORD = "DRAFT"
_SMALLEST = 8
_OF_WIDTH = 15
_ROOM = 4.7
"""What the word and its plate need, in letters' heights."""
_PLATE, _INK = (20, 24, 31, 150), (255, 255, 255, 235)


class Label(Protocol):
    """The AI label as `marks` draws it."""

    @property
    def rgba(self) -> bytes: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def x(self) -> int: ...
    @property
    def y(self) -> int: ...


def with_draft_sign(label: Label, width: int) -> Overlay:
    """One overlay: the label where it always is, pixel by pixel, and the word across from it."""
    left = 2 * ((width - label.x - label.width) // 2)
    whole = Image.new("RGBA", (label.x + label.width - left, label.height))
    pen = ImageDraw.Draw(whole)
    size = max(_SMALLEST, min(label.height // 2, width // _OF_WIDTH, int((label.x - left) / _ROOM)))
    font = ImageFont.truetype(str(BOLD), size)
    wide, high = round(pen.textlength(WORD, font)), min(label.height, 2 * size)
    pen.rounded_rectangle((0, 0, wide + size, high - 1), size // 3, fill=_PLATE)
    pen.text((size / 2, high / 2), WORD, _INK, font, anchor="lm")
    pixels = np.asarray(whole).copy()
    # The label last: where there is too little room it covers the word, never the other way round.
    art = np.frombuffer(label.rgba, np.uint8).reshape(label.height, label.width, 4)
    pixels[:, label.x - left :] = art
    return Overlay(pixels.tobytes(), pixels.shape[1], pixels.shape[0], left, label.y)
