"""Text as it is drawn in the studio: the house's typeface, shaped by HarfBuzz, with emoji between the words."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import fontpkg_atkinson_hyperlegible
import skia

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio import emoji

_FILES = Path(fontpkg_atkinson_hyperlegible.ROOT) / "files"
BOLD = _FILES / "AtkinsonHyperlegible-Bold.ttf"
REGULAR = _FILES / "AtkinsonHyperlegible-Regular.ttf"
_EMOJI = "Emoji"
_SPACES = "\u00a0\u202f"
_WIDE = 1e6
_BREAKS = (
    (re.compile(r"[-/._@–]"), ""),
    (
        re.compile(r"[^\W\d_]{2}[aeiouyäöüàâéèêëîïôûáíóú](?=[^\W\d_aeiouy][aeiouyäöüàâéèêëîïôûáíóú])", re.IGNORECASE),
        "-",
    ),
)
"""Where a word may break, the best kind first: after its own signs, before a syllable."""
CAPITALS = 0.668
"""Height of the typeface's capitals, in em."""


@dataclass(frozen=True)
class Outline:
    width: float
    color: int


@dataclass(frozen=True)
class Piece:
    """One line of text, ready to be drawn."""

    width: float
    _paragraphs: tuple[Any, ...]
    """From the lowest up: the outline, then the letters."""

    def draw(self, canvas: Any, x: float, baseline: float) -> None:
        for paragraph in self._paragraphs:
            paragraph.paint(canvas, x, baseline - paragraph.AlphabeticBaseline)


@lru_cache(maxsize=2000)
def piece(text: str, size: float, color: int = 0xFFFFFFFF, font: Path = BOLD, outline: Outline | None = None) -> Piece:
    """`text` as `drawable` gave it, in pixels and 0xAARRGGBB."""
    fill = skia.Paint(AntiAlias=True, Color=color)
    letters = _paragraph(text, size, font, fill)
    if outline is None:
        return Piece(letters.LongestLine, (letters,))
    stroke = skia.Paint(
        AntiAlias=True,
        Color=outline.color,
        Style=skia.Paint.kStroke_Style,
        StrokeWidth=outline.width,
        StrokeJoin=skia.Paint.kRound_Join,
    )
    return Piece(letters.LongestLine, (_paragraph(text, size, font, stroke), letters))


def width(text: str, size: float, font: Path = BOLD) -> float:
    return piece(text, size, font=font).width


@lru_cache(maxsize=2000)
def drawable(text: str, font: Path = BOLD) -> str:
    """Without what cannot be drawn: an empty square says nothing."""
    kept = "".join(_kept(unicodedata.normalize("NFC", text), typeface(font)))
    return re.sub(" {2,}", " ", kept).strip()


def shortened(text: str, size: float, room: float, font: Path = BOLD) -> str:
    """Ends in an ellipsis where it is wider than the room."""
    if width(text, size, font) <= room:
        return text
    parts = [part for part, _ in _parts(text)]
    while parts and width("".join(parts).rstrip() + "…", size, font) > room:
        parts.pop()
    return "".join(parts).rstrip() + "…"


def broken(word: str, size: float, room: float, font: Path = BOLD) -> str:
    """The longest start of a too long word that a reader can take in by itself, with a hyphen where it needs one."""
    fitting = [cut for cut in range(1, len(word)) if width(word[:cut] + "-", size, font) <= room] or [1]
    for pattern, sign in _BREAKS:
        if cuts := [found.end() for found in pattern.finditer(word) if found.end() in fitting]:
            return word[: cuts[-1]] + sign
    return word[: fitting[-1]] + "-"


@cache
def typeface(path: Path) -> Any:
    face = skia.Typeface.MakeFromFile(str(path)) if path.is_file() else None
    if face is None:
        raise Invalid(f"The font {path.name} cannot be read. Install its package again.", code="font_unreadable")
    return face


def _kept(text: str, face: Any) -> Iterator[str]:
    for part, is_emoji in _parts(text):
        in_face = len(part) == 1 and (part in _SPACES or face.unicharToGlyph(ord(part)))
        if in_face or (is_emoji and emoji.known(part) and _is_one(part)):
            yield part


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """Letters one by one, emoji whole."""
    at = 0
    for found in emoji.SEQUENCE.finditer(text):
        yield from ((letter, False) for letter in text[at : found.start()])
        yield found.group(), True
        at = found.end()
    yield from ((letter, False) for letter in text[at:])


def _is_one(sequence: str) -> bool:
    """All of Noto's pictures are equally wide: a sequence it does not join is wider."""
    return width(sequence, 100) < 1.5 * width("\U0001f600", 100)


def _paragraph(text: str, size: float, font: Path, paint: Any) -> Any:
    layout = skia.textlayout
    coloured = any(is_emoji for _, is_emoji in _parts(text))
    style = layout.TextStyle()
    style.setFontFamilies([font.stem, _EMOJI])
    style.setFontSize(size)
    style.setForegroundPaint(paint)
    whole = layout.ParagraphStyle()
    whole.setTextStyle(style)
    builder = layout.ParagraphBuilder.make(whole, _fonts(with_emoji=coloured), _unicode())
    builder.pushStyle(style)
    builder.addText(text)
    paragraph = builder.Build()
    paragraph.layout(_WIDE)
    return paragraph


@cache
def _unicode() -> Any:
    return skia.Unicodes.ICU.Make()


@cache
def _fonts(*, with_emoji: bool) -> Any:
    """The emoji font is 7 MB: opened for the first emoji only."""
    provider = skia.textlayout.TypefaceFontProvider()
    for path in (BOLD, REGULAR):
        provider.registerTypeface(typeface(path), path.stem)
    if with_emoji and (face := emoji.typeface()):
        provider.registerTypeface(face, _EMOJI)
    fonts = skia.textlayout.FontCollection()
    fonts.setDefaultFontManager(provider)
    return fonts
