"""Where the words of a caption stand: the largest size at which they fit, on one line or two of about equal length."""

from collections.abc import Iterator
from dataclasses import dataclass

from avatar_scheduler.studio import lettering
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.typography import hold

_LINES = 2
_HOLD_COSTS = (0.0, 0.12, 0.3, 1.0)
"""What a line's end costs, as a share of the line's room: the other may be that much longer instead."""


@dataclass(frozen=True)
class Measure:
    """In pixels of a picture 1080 wide."""

    sizes: tuple[int, ...]
    line_height: float
    """In em."""
    margin: float


@dataclass(frozen=True)
class Word:
    index: int
    text: str
    x: float
    baseline: float
    width: float


@dataclass(frozen=True)
class Layout:
    size: float
    left: float
    top: float
    right: float
    bottom: float
    words: tuple[Word, ...]


_Line = list[tuple[int, str, float]]
"""Index of the word, what is drawn of it, its width."""


def lay_out(words: tuple[str, ...], box: Box, scale: float, measure: Measure, language: str) -> Layout | None:
    """None where nothing can be drawn. At the smallest size a word too long for a line is broken."""
    texts = [lettering.drawable(word) for word in words]
    if not any(texts):
        return None
    room = box.width - 2 * measure.margin * scale
    for size in (wanted * scale for wanted in measure.sizes):
        rows = max(1, min(_LINES, int(box.height * 0.96 / (size * measure.line_height))))
        lines = _lines(_measured(enumerate(texts), size), size, room, language)
        if len(lines) <= rows and all(_length(line, size) <= room for line in lines):
            return _placed(lines, size, box, measure)
    pieces = ((index, piece) for index, text in enumerate(texts) for piece in _pieces(text, size, room))
    return _placed(_wrapped(_measured(pieces, size), size, room)[:rows], size, box, measure)


def _measured(texts: Iterator[tuple[int, str]], size: float) -> _Line:
    return [(index, text, lettering.width(text, size)) for index, text in texts if text]


def _lines(words: _Line, size: float, room: float, language: str) -> list[_Line]:
    if _length(words, size) <= room:
        return [words]
    cuts = [(words[:i], words[i:]) for i in range(1, len(words))]
    fitting = [cut for cut in cuts if max(_length(line, size) for line in cut) <= room]
    if not fitting:
        return _wrapped(words, size, room)

    def cost(cut: tuple[_Line, _Line]) -> float:
        held = _HOLD_COSTS[hold(cut[0][-1][1], cut[1][0][1], language)]
        return max(_length(line, size) for line in cut) / room + held

    first, second = min(fitting, key=cost)
    return [first, second]


def _wrapped(words: _Line, size: float, room: float) -> list[_Line]:
    lines: list[_Line] = []
    for word in words:
        if not lines or _length([*lines[-1], word], size) > room:
            lines.append([])
        lines[-1].append(word)
    return lines


def _placed(lines: list[_Line], size: float, box: Box, measure: Measure) -> Layout:
    step = size * measure.line_height
    top = box.y + (box.height - step * len(lines)) / 2
    longest = max(_length(line, size) for line in lines)
    left = box.x + (box.width - longest) / 2
    words: list[Word] = []
    for number, line in enumerate(lines):
        x = box.x + (box.width - _length(line, size)) / 2
        baseline = top + step * (number + 0.5) + size * lettering.CAPITALS / 2
        for index, text, width in line:
            words.append(Word(index, text, x, baseline, width))
            x += width + _space(size)
    return Layout(size, left, top, left + longest, top + step * len(lines), tuple(words))


def _length(line: _Line, size: float) -> float:
    return sum(width for _, _, width in line) + _space(size) * (len(line) - 1)


def _space(size: float) -> float:
    return size * 0.38


def _pieces(word: str, size: float, room: float) -> list[str]:
    """A word wider than a line goes on two, and is cut short where that is not enough."""
    if lettering.width(word, size) <= room:
        return [word]
    first = lettering.broken(word, size, room)
    return [first, lettering.shortened(word[len(first.removesuffix("-")) :].lstrip("-"), size, room)]
