"""Lines of text: as large as the room allows, broken where a reader would, cut short only at the smallest size."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any

from avatar_scheduler.studio import lettering
from avatar_scheduler.studio.lettering import BOLD, REGULAR
from avatar_scheduler.studio.typography import hold, tidy

_LINE_HEIGHT = {BOLD: 1.14, REGULAR: 1.3}
_HOLD_COSTS = (0.0, 0.1, 0.25, 1.0)
"""What a line's end costs, beside the square of how far the line is from full."""


@dataclass(frozen=True)
class Block:
    lines: tuple[str, ...]
    size: float
    font: Path

    @property
    def height(self) -> float:
        return len(self.lines) * self._step

    @property
    def width(self) -> float:
        return max((lettering.width(line, self.size, self.font) for line in self.lines), default=0.0)

    @property
    def _step(self) -> float:
        return self.size * _LINE_HEIGHT[self.font]

    def draw(self, canvas: Any, x: float, top: float, color: int) -> None:
        for number, line in enumerate(self.lines):
            baseline = top + self._step * (number + 0.5) + self.size * lettering.CAPITALS / 2
            lettering.piece(line, self.size, color, self.font).draw(canvas, x, baseline)


def fit(
    text: str, room: tuple[float, float], sizes: Sequence[float], *, font: Path = BOLD, language: str = "en"
) -> Block:
    """`sizes` from the largest down. A line break in the text stays one."""
    paragraphs = [lettering.drawable(tidy(line, language), font).split(" ") for line in text.splitlines()]
    paragraphs = [words for words in paragraphs if any(words)]
    for size in sizes:
        rows = max(1, int(room[1] / (size * _LINE_HEIGHT[font])))
        lines = [line for words in paragraphs for line in _broken(words, size, room[0], font, language)]
        fits = all(lettering.width(line, size, font) <= room[0] for line in lines)
        if fits and len(lines) <= rows:
            return Block(tuple(lines), size, font)
    kept = lines[: rows - 1] + ([" ".join(lines[rows - 1 :])] if len(lines) >= rows else [])
    return Block(tuple(lettering.shortened(line, size, room[0], font) for line in kept), size, font)


def _broken(words: list[str], size: float, room: float, font: Path, language: str) -> list[str]:
    """As few lines as fit, about equally long; a word wider than a line has one of its own."""
    widths = [lettering.width(word, size, font) for word in words]
    space = lettering.width("\u00a0", size, font)
    best: list[tuple[int, float, int]] = [(0, 0.0, 0)]
    for end in range(1, len(words) + 1):
        choices: list[tuple[int, float, int]] = []
        for start in range(end):
            length = sum(widths[start:end]) + space * (end - start - 1)
            if length <= room or end - start == 1:
                held = _HOLD_COSTS[hold(words[end - 1], words[end], language)] if end < len(words) else 0.0
                lines, cost, _ = best[start]
                choices.append((lines + 1, cost + min(1.0, (1 - length / room) ** 2) + held, start))
        best.append(min(choices, default=(0, inf, 0)))
    cuts = [len(words)]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][2])
    return [" ".join(words[start:end]) for end, start in pairwise(cuts)][::-1]
