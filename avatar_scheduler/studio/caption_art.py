"""Captions as pictures: white words on a dark plate with the one being heard on amber, or large and outlined."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor
from typing import Any

import skia

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio import lettering
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.caption_layout import Layout, Measure, Word, lay_out
from avatar_scheduler.studio.job import Overlay
from avatar_scheduler.studio.lettering import Outline

_PLATE = 0xD2141A22
_WHITE = 0xFFFFFFFF
_AMBER = 0xFFFFC53D
_INK = 0xFF14181F

_HEIGHT = 240
_GAP = 16
_TALL_SIDE, _SIDE = 120, 48
_TALL_CLEAR, _CLEAR = 0.2, 0.06
_KEPT = 16


@dataclass(frozen=True)
class _Style:
    measure: Measure
    plate: float = 0
    """Padding around the words, in pixels of a picture 1080 wide; none without a plate."""
    outline: float = 0
    """Of the letters' size."""
    marks: bool = True
    """The word being heard looks different."""


_PLATED = Measure((82, 74, 66, 58, 50, 43), line_height=1.34, margin=26)
_BIG = Measure((150, 134, 118, 106, 98, 88, 76, 64, 54, 44), line_height=1.14, margin=52)
_STYLES = {
    "karaoke": _Style(_PLATED, plate=26),
    "plain": _Style(_PLATED, plate=26, marks=False),
    "pop": _Style(_BIG, outline=0.17),
}
_ENTERING = {-2: 0.72, -1: 1.05}
"""Size of popping words before they rest."""


def unit(width: int, height: int) -> float:
    """Pixels for each of the 1080 that sizes are given in: text is as tall in a wide picture as in a tall one."""
    return min(width, height) / 1080


def band(width: int, height: int) -> Box:
    """Where captions usually stand.

    Reels, TikTok and Shorts lay account and text over the lowest fifth of a tall picture (more on advertisements) and
    buttons along its right side, 120 of 1080. Elsewhere only a player's bar comes and goes.
    """
    tall, scale = height * 3 > width * 4, unit(width, height)
    x, box_height = even((_TALL_SIDE if tall else _SIDE) * scale), even(_HEIGHT * scale)
    bottom = even(height * (1 - (_TALL_CLEAR if tall else _CLEAR)))
    return Box(x, bottom - box_height, width - 2 * x, box_height)


def place(width: int, height: int, overlay: Overlay) -> Box:
    """The usual band where it keeps clear of the overlay, else below or above the overlay."""
    usual, gap = band(width, height), even(_GAP * unit(width, height))
    label = Box(overlay.x, overlay.y, overlay.width, overlay.height)
    below, above = 2 * ((label.bottom + gap + 1) // 2), 2 * ((label.y - gap - usual.height) // 2)
    for y in (usual.y, below, above):
        padded = Box(usual.x - gap, y - gap, usual.width + 2 * gap, usual.height + 2 * gap)
        if height // 2 <= y <= height - usual.height and not padded.meets(label):
            return Box(usual.x, y, usual.width, usual.height)
    raise Invalid("The label leaves no room for captions in the lower half. Move it to the top.")


class CaptionArt:
    """Draws in frame coordinates, inside the box. `scale` is `unit` of the frame."""

    def __init__(self, box: Box, scale: float, style: str = "karaoke", language: str = "en") -> None:
        self._box = box
        self._scale = scale
        self._style = _STYLES.get(style, _STYLES["plain"])  # with "none" there is nothing to draw
        self._layout = lru_cache(_KEPT)(lambda words: lay_out(words, box, scale, self._style.measure, language))

    def extent(self, words: tuple[str, ...]) -> Box | None:
        """All that any state of these words covers, on even pixels. None where nothing is drawn."""
        layout = self._layout(words)
        if layout is None:
            return None
        more = self._style.plate * self._scale + layout.size * self._style.outline
        largest = 1 if self._style.plate else max(_ENTERING.values())
        middle_x, middle_y = (layout.left + layout.right) / 2, (layout.top + layout.bottom) / 2
        half_width = ((layout.right - layout.left) / 2 + more) * largest
        half_height = ((layout.bottom - layout.top) / 2 + more) * largest
        x, y = 2 * floor((middle_x - half_width) / 2), 2 * floor((middle_y - half_height) / 2)
        right, bottom = 2 * ceil((middle_x + half_width) / 2), 2 * ceil((middle_y + half_height) / 2)
        x, y = max(x, self._box.x), max(y, self._box.y)
        return Box(x, y, min(right, self._box.right) - x, min(bottom, self._box.bottom) - y)

    def paint(self, canvas: Any, words: tuple[str, ...], state: int) -> None:
        """`state` as captions.on_screen gives it."""
        layout = self._layout(words)
        if layout is None:
            return
        canvas.save()
        if (size := _ENTERING.get(state)) and not self._style.plate:
            x, y = self._box.x + self._box.width / 2, self._box.y + self._box.height / 2
            canvas.translate(x, y)
            canvas.scale(size, size)
            canvas.translate(-x, -y)
        if self._style.plate:
            self._plate(canvas, layout)
        for word in layout.words:
            self._word(canvas, layout.size, word, heard=self._style.marks and word.index == max(state, 0))
        canvas.restore()

    def _plate(self, canvas: Any, layout: Layout) -> None:
        pad = self._style.plate * self._scale
        rect = skia.Rect.MakeLTRB(
            layout.left - pad, layout.top - pad * 0.35, layout.right + pad, layout.bottom + pad * 0.35
        )
        canvas.drawRoundRect(rect, pad, pad, skia.Paint(AntiAlias=True, Color=_PLATE))

    def _word(self, canvas: Any, size: float, word: Word, *, heard: bool) -> None:
        outline = Outline(size * self._style.outline, _INK) if self._style.outline else None
        color = _AMBER if heard else _WHITE
        if heard and self._style.plate:
            side, radius = size * 0.14, size * 0.2
            rect = skia.Rect.MakeXYWH(word.x - side, word.baseline - size * 0.93, word.width + 2 * side, size * 1.22)
            canvas.drawRoundRect(rect, radius, radius, skia.Paint(AntiAlias=True, Color=_AMBER))
            color = _INK
        lettering.piece(word.text, size, color, outline=outline).draw(canvas, word.x, word.baseline)


def even(length: float) -> int:
    return 2 * round(length / 2)
