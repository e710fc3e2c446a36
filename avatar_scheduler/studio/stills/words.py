"""Words in a box: the largest size at which they fit, broken into lines of about equal length."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fontpkg_atkinson_hyperlegible
import skia

from avatar_scheduler.domain.errors import Invalid

BOLD, REGULAR = "AtkinsonHyperlegible-Bold.ttf", "AtkinsonHyperlegible-Regular.ttf"
LINE = 1.22
"""From baseline to baseline, in em."""
_FOLDER = Path(fontpkg_atkinson_hyperlegible.ROOT) / "files"
_STEP = 0.94


@dataclass(frozen=True)
class Lines:
    font: Any
    size: float
    texts: tuple[str, ...]

    @property
    def height(self) -> float:
        return self.size * LINE * len(self.texts)

    @property
    def width(self) -> float:
        return max((float(self.font.measureText(text)) for text in self.texts), default=0.0)

    def draw(self, canvas: Any, left: float, top: float, color: int) -> None:
        paint = skia.Paint(AntiAlias=True, Color=color)
        for number, text in enumerate(self.texts):
            canvas.drawString(text, left, self.baseline(top, number), self.font, paint)

    def baseline(self, top: float, number: int) -> float:
        return top + self.size * LINE * (number + 0.5) + self.size * 0.34


def face(name: str) -> Any:
    found = skia.Typeface.MakeFromFile(str(_FOLDER / name))
    if found is None:
        raise Invalid(f"The font {name} cannot be read. Install its package again.", code="font_unreadable")
    return found


def fit(text: str, name: str, room: tuple[float, float], largest: float, smallest: float) -> Lines:
    """Raises Invalid when the words do not fit even at the smallest size: nothing is cut off in silence."""
    typeface = face(name)
    text = drawable(text, typeface)
    size = largest
    while size >= smallest:
        font = skia.Font(typeface, size)
        font.setSubpixel(True)
        font.setHinting(skia.FontHinting.kNone)  # the same pixels on every machine
        lines = _set(text, font, room[0])
        made = Lines(font, size, tuple(lines or ()))
        if lines is not None and made.height <= room[1]:
            return made
        size *= _STEP
    raise Invalid("The words do not fit on the picture. Shorten them or make two slides.", code="slide_long")


def drawable(text: str, typeface: Any) -> str:
    """Without what the font cannot draw: an empty square says nothing."""
    return "".join(c for c in text if c == "\n" or typeface.unicharToGlyph(ord(c)))


def _set(text: str, font: Any, width: float) -> list[str] | None:
    """Lines no wider than `width`, or None when one word is."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        words = paragraph.split()
        if any(font.measureText(word) > width for word in words):
            return None
        lines += _balanced(words, font, width)
    return lines


def _balanced(words: list[str], font: Any, width: float) -> list[str]:
    """As few lines as fit, then as narrow as that number allows: no single word hangs below."""
    lines = _wrapped(words, font, width)
    while len(_wrapped(words, font, width * 0.97)) == len(lines) and width > font.getSize():
        width *= 0.97
        lines = _wrapped(words, font, width)
    return lines


def _wrapped(words: list[str], font: Any, width: float) -> list[str]:
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.measureText(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
