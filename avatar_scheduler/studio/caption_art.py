"""Captions as pictures: lines of white words on a dark plate, the word being heard on amber."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fontpkg_atkinson_hyperlegible
import skia

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.job import Overlay

FONT = Path(fontpkg_atkinson_hyperlegible.ROOT) / "files" / "AtkinsonHyperlegible-Bold.ttf"
_SIZES = (82, 72, 62, 52, 42, 34)
_LINES = 2
_LINE_HEIGHT = 1.34
_PAD = 26
_PLATE = 0xD2141A22
_WHITE = 0xFFFFFFFF
_AMBER = 0xFFFFC53D
_INK = 0xFF14181F
_GAP_TO_OVERLAY = 16


_Line = list[tuple[int, str, float]]
"""Index of the word, what is drawn of it, its width in pixels."""


@dataclass(frozen=True)
class _Word:
    index: int
    text: str
    x: float
    width: float


@dataclass(frozen=True)
class _Layout:
    font: Any
    size: float
    lines: list[list[_Word]]


def typeface(path: Path = FONT) -> Any:
    face = skia.Typeface.MakeFromFile(str(path)) if path.is_file() else None
    if face is None:
        raise Invalid(f"The font {path.name} cannot be read. Install its package again.", code="font_unreadable")
    return face


def place(width: int, height: int, overlay: Overlay) -> Box:
    """A box in the bottom third that keeps clear of the overlay, above it where there is no other room."""
    unit = width / 1080
    box_height = 2 * round(250 * unit / 2)
    x, across = 2 * round(48 * unit / 2), width - 4 * round(48 * unit / 2)
    label = Box(overlay.x, overlay.y, overlay.width, overlay.height)
    gap = 2 * round(_GAP_TO_OVERLAY * unit / 2)
    wanted = 2 * round(height * 0.7 / 2)
    below, above = 2 * ((label.bottom + gap + 1) // 2), 2 * ((label.y - gap - box_height) // 2)
    for y in (wanted, below, above):
        padded = Box(x - gap, y - gap, across + 2 * gap, box_height + 2 * gap)
        if height // 2 <= y <= height - box_height and not padded.meets(label):
            return Box(x, y, across, box_height)
    raise Invalid("The label leaves no room for captions in the lower half. Move it to the top.")


class CaptionArt:
    def __init__(self, face: Any, box: Box, unit: float) -> None:
        self._face = face
        self._box = box
        self._unit = unit
        self._last: tuple[tuple[str, ...], _Layout] | None = None

    def paint(self, canvas: Any, words: tuple[str, ...], active: int) -> None:
        """Draws in frame coordinates, inside the box."""
        layout = self._layout(words)
        if not any(layout.lines):
            return
        step = layout.size * _LINE_HEIGHT
        top = self._box.y + (self._box.height - step * len(layout.lines)) / 2
        self._plate(canvas, layout, top, step)
        for number, line in enumerate(layout.lines):
            baseline = top + step * number + step / 2 + layout.size * 0.34
            for word in line:
                self._word(canvas, layout, word, baseline, heard=word.index == active)

    def _plate(self, canvas: Any, layout: _Layout, top: float, step: float) -> None:
        pad = _PAD * self._unit
        left = min(line[0].x for line in layout.lines) - pad
        right = max(line[-1].x + line[-1].width for line in layout.lines) + pad
        edge = pad * 0.35
        rect = skia.Rect.MakeLTRB(left, top - edge, right, top + step * len(layout.lines) + edge)
        canvas.drawRoundRect(rect, pad, pad, skia.Paint(AntiAlias=True, Color=_PLATE))

    def _word(self, canvas: Any, layout: _Layout, word: _Word, baseline: float, *, heard: bool) -> None:
        if heard:
            side, radius = layout.size * 0.14, layout.size * 0.2
            rect = skia.Rect.MakeXYWH(
                word.x - side, baseline - layout.size * 0.93, word.width + 2 * side, layout.size * 1.22
            )
            canvas.drawRoundRect(rect, radius, radius, skia.Paint(AntiAlias=True, Color=_AMBER))
        paint = skia.Paint(AntiAlias=True, Color=_INK if heard else _WHITE)
        canvas.drawString(word.text, word.x, baseline, layout.font, paint)

    def _layout(self, words: tuple[str, ...]) -> _Layout:
        """The largest size at which the words fit on two lines."""
        if self._last and self._last[0] == words:
            return self._last[1]
        drawable = [self._drawable(word) for word in words]
        for size in _SIZES:
            layout = self._set(drawable, size * self._unit)
            if len(layout.lines) <= _LINES and all(line[0].x >= self._box.x for line in layout.lines):
                break
        self._last = (words, layout)
        return layout

    def _set(self, words: list[str], size: float) -> _Layout:
        font = skia.Font(self._face, size)
        font.setSubpixel(True)
        room = self._box.width - 2 * _PAD * self._unit
        space = font.measureText(" ") + size * 0.06
        texts = [(index, _shortened(word, font, room)) for index, word in enumerate(words)]
        measured = [(index, text, font.measureText(text)) for index, text in texts if text]
        lines = _balanced(_wrapped(measured, room, space), space)
        return _Layout(font, size, [self._centred(line, space) for line in lines])

    def _centred(self, line: _Line, space: float) -> list[_Word]:
        x = self._box.x + (self._box.width - _length(line, space)) / 2
        placed: list[_Word] = []
        for index, text, width in line:
            placed.append(_Word(index, text, x, width))
            x += width + space
        return placed

    def _drawable(self, word: str) -> str:
        """Without what the font cannot draw, such as emoji: an empty square says nothing."""
        return "".join(c for c in word if self._face.unicharToGlyph(ord(c))).strip()


def _wrapped(words: _Line, room: float, space: float) -> list[_Line]:
    lines: list[_Line] = []
    for word in words:
        if not lines or _length([*lines[-1], word], space) > room:
            lines.append([])
        lines[-1].append(word)
    return lines


def _balanced(lines: list[_Line], space: float) -> list[_Line]:
    """Two lines of about equal length: a single word hanging below is harder to catch."""
    if len(lines) != 2:
        return lines
    words = lines[0] + lines[1]
    cuts = [(words[:i], words[i:]) for i in range(1, len(words))]
    return list(min(cuts, key=lambda cut: max(_length(line, space) for line in cut)))


def _length(line: _Line, space: float) -> float:
    return sum(width for _, _, width in line) + space * (len(line) - 1)


def _shortened(word: str, font: Any, room: float) -> str:
    """A word wider than a whole line ends in an ellipsis at every size; the WebVTT file has it in full."""
    if font.measureText(word) <= room:
        return word
    kept = word
    while kept and font.measureText(kept + "…") > room:
        kept = kept[:-1]
    return kept + "…"
