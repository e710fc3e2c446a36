"""Drawing the label plate: layout with sizes the rules ask for, painted with skia."""

from dataclasses import dataclass
from functools import cache
from math import ceil

import fontpkg_atkinson_hyperlegible
import skia

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks.label import LabelArt

INK = (0x0A, 0x14, 0x13)
PAPER = (0xFF, 0xFF, 0xFF)

SIGN_OF_HEIGHT = 0.035
"""Capitals of the sign, of the frame's height."""
TEXT_OF_SHORTEST = 0.05
"""Any text, of the shortest side: the floor of GB 45438-2025, the strictest size any jurisdiction names."""
WIDEST = 0.62
"""The plate, of the frame's width: it must not cover the face."""
LINE_STEP = 1.06
"""From baseline to baseline, in em."""


@dataclass(frozen=True)
class Layout:
    """Pixels, before rounding to even sizes."""

    sign: skia.Font
    words: skia.Font
    lines: list[str]
    margin: float
    box_width: float
    box_height: float
    width: float
    height: float


def draw(sign: str, words: str, frame: tuple[int, int]) -> LabelArt:
    sign, words = " ".join(sign.split()), " ".join(words.split())
    if not sign or not words:
        raise Invalid("The label needs a sign and words. Fill in the avatar's display name.")
    layout = _lay_out(sign, words, frame)
    width, height = _even(layout.width), _even(layout.height)
    left, top = _corner(frame, width)
    return LabelArt(_paint(layout, sign, width, height), width, height, left, top, alt=f"{sign}: {words}")


def _corner(frame: tuple[int, int], width: int) -> tuple[int, int]:
    """Top right. Reels, Stories and TikTok lay their own controls over the top 14 % and the sides 6 % of a tall picture
    (Meta's published safe zone), and a label under a camera button is not a label."""
    tall = frame[1] * 3 > frame[0] * 4
    side, above = (0.06 * frame[0], 0.14 * frame[1]) if tall else (0.05 * min(frame), 0.05 * min(frame))
    return (frame[0] - width - ceil(side)) // 2 * 2, _even(above)


def _lay_out(sign: str, words: str, frame: tuple[int, int]) -> Layout:
    shortest = min(frame)
    capitals = ceil(max(SIGN_OF_HEIGHT * frame[1], TEXT_OF_SHORTEST * shortest))
    sign_font = _font(capitals)
    sign_font.setSize(capitals * capitals / _cap_height(sign_font))
    words_font = _font(ceil(TEXT_OF_SHORTEST * shortest))
    _refuse_missing_letters(words_font, sign + words)
    margin = capitals * 0.24
    box_width = sign_font.measureText(sign) + capitals * 0.5
    around = margin + box_width + margin * 1.25 + margin * 1.5
    lines = _break(words, words_font, int(WIDEST * frame[0]) // 2 * 2 - around)
    width = around + max(words_font.measureText(line) for line in lines)
    box_height = capitals * 1.56
    return Layout(sign_font, words_font, lines, margin, box_width, box_height, width, box_height + 2 * margin)


def _break(words: str, font: skia.Font, room: float) -> list[str]:
    """At most two lines. What does not fit is cut with an ellipsis, never made smaller."""
    if room < 4 * font.getSize():
        raise Invalid("The picture is too narrow for a readable label. Use a wider format.")
    first, rest = "", words.split(" ")
    while rest and font.measureText(f"{first} {rest[0]}".strip()) <= room:
        first = f"{first} {rest.pop(0)}".strip()
    lines = [line for line in (first, " ".join(rest)) if line]
    return [_shorten(line, font, room) for line in lines]


def _shorten(line: str, font: skia.Font, room: float) -> str:
    if font.measureText(line) <= room:
        return line
    while font.measureText(line.rstrip() + "…") > room:
        line = line[:-1]
    return line.rstrip() + "…"


def _paint(layout: Layout, sign: str, width: int, height: int) -> bytes:
    info = skia.ImageInfo.Make(width, height, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
    surface = skia.Surface.MakeRaster(info)
    canvas = surface.getCanvas()
    canvas.clear(skia.ColorTRANSPARENT)
    ink, paper = (skia.Paint(Color=skia.Color(*rgb), AntiAlias=True) for rgb in (INK, PAPER))
    radius = height * 0.24
    canvas.drawRoundRect(skia.Rect.MakeWH(width, height), radius, radius, ink)
    top = (height - layout.box_height) / 2
    box = skia.Rect.MakeXYWH(layout.margin, top, layout.box_width, layout.box_height)
    canvas.drawRoundRect(box, radius * 0.55, radius * 0.55, paper)
    inset = (layout.box_width - layout.sign.measureText(sign)) / 2
    canvas.drawString(sign, box.left() + inset, _baseline(layout.sign, height / 2), layout.sign, ink)
    left, step = box.right() + layout.margin * 1.25, layout.words.getSize() * LINE_STEP
    middle = height / 2 - step * (len(layout.lines) - 1) / 2
    for row, line in enumerate(layout.lines):
        canvas.drawString(line, left, _baseline(layout.words, middle + row * step), layout.words, paper)
    straight = info.makeAlphaType(skia.kUnpremul_AlphaType)
    pixels = bytearray(width * height * 4)
    surface.readPixels(straight, pixels, width * 4)
    return bytes(pixels)


@cache
def _typeface() -> skia.Typeface:
    bold = fontpkg_atkinson_hyperlegible.ROOT / "files" / "AtkinsonHyperlegible-Bold.ttf"
    found = skia.Typeface.MakeFromFile(str(bold))
    if found is None:
        raise Invalid(f"The font {bold.name} cannot be read. Install fontpkg-atkinson-hyperlegible again.")
    return found


def _font(size: float) -> skia.Font:
    font = skia.Font(_typeface(), size)
    font.setSubpixel(True)
    font.setEdging(skia.Font.Edging.kAntiAlias)
    font.setHinting(skia.FontHinting.kNone)  # the same pixels on every machine
    return font


def _cap_height(font: skia.Font) -> float:
    return float(font.getMetrics().fCapHeight)


def _baseline(font: skia.Font, middle: float) -> float:
    return middle + _cap_height(font) / 2


def _refuse_missing_letters(font: skia.Font, text: str) -> None:
    missing = next((letter for letter in text if not font.unicharToGlyph(ord(letter))), None)
    if missing:
        raise Invalid(f"The label's typeface has no “{missing}”. Give the avatar a display name in Latin letters.")


def _even(length: float) -> int:
    return ceil(length / 2) * 2
