"""Drawing the label: the AI plate and, under it, the plate for what is paid for. Sizes as the rules ask, in skia."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Any

import fontpkg_atkinson_hyperlegible
import skia

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import icons
from avatar_scheduler.marks.label import LabelArt

INK = (0x0A, 0x14, 0x13)
PAPER = (0xFF, 0xFF, 0xFF)

SIGN_OF_HEIGHT = 0.035
"""Capitals of the sign, of the frame's height."""
TEXT_OF_SHORTEST = 0.05
"""Any text, of the shortest side: the floor of GB 45438-2025, the strictest size any jurisdiction names."""
WIDEST = 0.64
"""A plate, of the frame's width: it must not cover the face."""
MOST_LINES, MOST_SPONSOR_LINES = 3, 2
LINE_STEP = 1.06
"""From baseline to baseline, in em."""
PAD = 0.3
"""Above the first line's capitals and below the last one's baseline, in em: room for accents and descenders."""
GAP = 0.012
"""Between the two plates, of the shortest side."""


@dataclass(frozen=True)
class Sign:
    """Capitals in a box, or an icon in its place."""

    left: float
    width: float
    height: float
    capitals: str
    font: skia.Font
    icon: Any = None
    """A skia image."""


@dataclass(frozen=True)
class Plate:
    """Pixels. Sizes are even."""

    ground: tuple[int, int, int]
    ink: tuple[int, int, int]
    words: skia.Font
    lines: list[str]
    left: float
    """Where the lines begin."""
    width: int
    height: int
    sign: Sign | None = None


def draw(sign: str, words: str, frame: tuple[int, int], *, sponsor: str, icon: bytes, whole: Sequence[str]) -> LabelArt:
    sign, words, sponsor = (" ".join(text.split()) for text in (sign, words, sponsor))
    if not sign or not words:
        raise Invalid("The label needs a sign and words. Fill in the avatar's display name.")
    plates = [_label(sign, words, frame, icon)]
    text = " ".join([*([] if icon else [sign]), *plates[0].lines])
    if cut := next((wording for wording in whole if wording not in text), ""):
        raise Invalid(f"The label has no room for the words “{cut}”. Use a wider format.", code="label_cut")
    if sponsor:
        plates.append(_sponsor(sponsor, frame))
    gap = _even(GAP * min(frame)) if sponsor else 0
    width, height = max(plate.width for plate in plates), sum(plate.height for plate in plates) + gap
    left, top = _corner(frame, width)
    return LabelArt(
        _paint(plates, width, height, gap),
        width,
        height,
        left,
        top,
        alt=f"{sign}: {words}" + (f". {sponsor}" if sponsor else ""),
        text=text,
        label_height=plates[0].height,
        sponsor_text=sponsor,
        sponsor_height=plates[1].height if sponsor else 0,
    )


def _corner(frame: tuple[int, int], width: int) -> tuple[int, int]:
    """Top right. Reels, Stories and TikTok lay their own controls over the top 14 % and the sides 6 % of a tall picture
    (Meta's published safe zone), and a label under a camera button is not a label."""
    tall = frame[1] * 3 > frame[0] * 4
    side, above = (0.06 * frame[0], 0.14 * frame[1]) if tall else (0.05 * min(frame), 0.05 * min(frame))
    return (frame[0] - width - ceil(side)) // 2 * 2, _even(above)


def _label(sign: str, text: str, frame: tuple[int, int], icon: bytes) -> Plate:
    capitals = ceil(max(SIGN_OF_HEIGHT * frame[1], TEXT_OF_SHORTEST * min(frame)))
    sign_font = _font(capitals)
    sign_font.setSize(capitals * capitals / _cap_height(sign_font))
    words = _words_font(frame)
    margin, box_height = capitals * 0.24, capitals * 1.56
    box = Sign(margin, sign_font.measureText(sign) + capitals * 0.5, box_height, sign, sign_font)
    if icon:
        picture = icons.read(icon, round(box_height), over=INK)
        box = Sign(margin, picture.width() * box_height / picture.height(), box_height, "", sign_font, picture)
        # Nobody vouches for what an uploaded picture shows: the capitals stay, as the first word.
        text = text if text.startswith(f"{sign} ") else f"{sign} {text}"
    _refuse_missing_letters(words, sign + text)
    left = margin + box.width + margin * 1.25
    lines = _lines(text, words, _widest(frame) - left - margin * 1.5)
    width = _even(left + max(words.measureText(line) for line in lines) + margin * 1.5)
    height = _even(max(box_height + 2 * margin, _block(words, max(2, len(lines)))))
    return Plate(INK, PAPER, words, lines, left, width, height, box)


def _sponsor(text: str, frame: tuple[int, int]) -> Plate:
    """Never cut: half of "Paid partnership" says nothing."""
    words = _words_font(frame)
    _refuse_missing_letters(words, text)
    side = words.getSize() * 0.36
    room = _widest(frame) - 2 * side
    lines = _wrapped(text, words, room, MOST_SPONSOR_LINES)
    if any(words.measureText(line) > room for line in lines):
        raise Invalid(f"“{text}” does not fit the picture at a readable size. Use a wider format.")
    width = _even(2 * side + max(words.measureText(line) for line in lines))
    return Plate(PAPER, INK, words, lines, side, width, _even(_block(words, len(lines))))


def _lines(text: str, font: skia.Font, room: float) -> list[str]:
    """What does not fit loses its end, where the name stands, and never gets smaller."""
    if room < 4 * font.getSize():
        raise Invalid("The picture is too narrow for a readable label. Use a wider format.")
    return [_shorten(line, font, room) for line in _wrapped(text, font, room, MOST_LINES)]


def _wrapped(text: str, font: skia.Font, room: float, most: int) -> list[str]:
    """At most so many lines; the last one takes what is left, however long."""
    lines, rest = [""], text.split(" ")
    while rest:
        longer = f"{lines[-1]} {rest[0]}".strip()
        if lines[-1] and len(lines) < most and font.measureText(longer) > room:
            lines.append("")
            continue
        lines[-1] = longer
        del rest[0]
    return lines


def _shorten(line: str, font: skia.Font, room: float) -> str:
    if font.measureText(line) <= room:
        return line
    while font.measureText(line.rstrip() + "…") > room:
        line = line[:-1]
    return line.rstrip() + "…"


def _paint(plates: list[Plate], width: int, height: int, gap: int) -> bytes:
    """One under the other, with the same right edge; between and beside them nothing."""
    info = skia.ImageInfo.Make(width, height, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
    surface = skia.Surface.MakeRaster(info)
    with surface as canvas:
        canvas.clear(skia.ColorTRANSPARENT)
        top = 0
        for plate in plates:
            canvas.save()
            canvas.translate(width - plate.width, top)
            _paint_plate(canvas, plate)
            canvas.restore()
            top += plate.height + gap
    straight = info.makeAlphaType(skia.kUnpremul_AlphaType)
    pixels = bytearray(width * height * 4)
    surface.readPixels(straight, pixels, width * 4)
    return bytes(pixels)


def _paint_plate(canvas: Any, plate: Plate) -> None:
    ink, ground = (skia.Paint(Color=skia.Color(*rgb), AntiAlias=True) for rgb in (plate.ink, plate.ground))
    radius = min(plate.height * 0.24, plate.words.getSize() * 0.6)
    canvas.drawRoundRect(skia.Rect.MakeWH(plate.width, plate.height), radius, radius, ground)
    if plate.sign:
        _paint_sign(canvas, plate.sign, plate.height / 2, radius * 0.55, ink, ground)
    step = plate.words.getSize() * LINE_STEP
    middle = plate.height / 2 - step * (len(plate.lines) - 1) / 2
    for row, line in enumerate(plate.lines):
        canvas.drawString(line, plate.left, _baseline(plate.words, middle + row * step), plate.words, ink)


def _paint_sign(canvas: Any, sign: Sign, middle: float, radius: float, paper: Any, ink: Any) -> None:
    box = skia.Rect.MakeXYWH(sign.left, middle - sign.height / 2, sign.width, sign.height)
    if sign.icon is not None:
        canvas.drawImageRect(sign.icon, box, skia.SamplingOptions(skia.CubicResampler.Mitchell()))
        return
    canvas.drawRoundRect(box, radius, radius, paper)
    inset = (sign.width - sign.font.measureText(sign.capitals)) / 2
    canvas.drawString(sign.capitals, box.left() + inset, _baseline(sign.font, middle), sign.font, ink)


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


def _words_font(frame: tuple[int, int]) -> skia.Font:
    return _font(ceil(TEXT_OF_SHORTEST * min(frame)))


def _widest(frame: tuple[int, int]) -> int:
    return int(WIDEST * frame[0]) // 2 * 2


def _block(font: skia.Font, lines: int) -> float:
    """How high so many lines are, with room for accents above and descenders below."""
    return _cap_height(font) + float(font.getSize()) * ((lines - 1) * LINE_STEP + 2 * PAD)


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
