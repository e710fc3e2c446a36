"""Words as pictures of their own: the lower third with a name, cards before and after, quotes for stills."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import skia
from numpy.typing import NDArray

from avatar_scheduler.domain.staging import Card, LowerThird
from avatar_scheduler.studio import lettering
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.caption_art import band, even, unit
from avatar_scheduler.studio.lettering import REGULAR
from avatar_scheduler.studio.textblock import Block, fit

Pixels = NDArray[np.uint8]
"""Height x width x RGBA, straight alpha."""


@dataclass(frozen=True)
class Palette:
    """Colours as 0xAARRGGBB: the ground from top to bottom, words, lesser words, and the one accent."""

    top: int
    bottom: int
    ink: int
    soft: int
    accent: int


NIGHT = Palette(0xFF17292C, 0xFF0B1113, 0xFFFFFFFF, 0xFFB3C2C5, 0xFF57CABB)
PAPER = Palette(0xFFFFFFFF, 0xFFE6ECEC, 0xFF10201F, 0xFF43555A, 0xFF0A5C55)

_PLATE = 0xEB0B1113
_SIDE = 64
_NAME_SIZES, _ABOUT_SIZES = (50, 46, 42, 38), (34, 31, 28)
_TITLE_SIZES = (120, 108, 96, 86, 76, 68, 60, 54)
_TEXT_SIZES = (54, 49, 44, 40, 36)
_QUOTE_SIZES = (104, 94, 84, 76, 68, 60, 54, 48, 42, 38)
_MARK_SIZE = 250


def lower_third(spec: LowerThird, size: tuple[int, int], scale: float, *, language: str = "en") -> tuple[Pixels, Box]:
    """The plate and its place, just above the captions, on even pixels. `scale` is caption_art.unit of the frame."""
    captions = band(*size)
    pad, bar = 26 * scale, 10 * scale
    room = captions.width * 0.72 - 2 * pad - bar
    name = fit(spec.name, (room, 60 * scale), _scaled(_NAME_SIZES, scale), language=language)
    about = fit(spec.about, (room, 92 * scale), _scaled(_ABOUT_SIZES, scale), font=REGULAR, language=language)
    width = even(max(name.width, about.width) + 2 * pad + bar)
    height = even(name.height + about.height + 1.2 * pad)
    surface, canvas = _surface(width, height)
    radius = 16 * scale
    canvas.clipRRect(skia.RRect.MakeRectXY(skia.Rect.MakeWH(width, height), radius, radius), True)
    canvas.drawColor(_PLATE)
    canvas.drawRect(skia.Rect.MakeWH(bar, height), skia.Paint(Color=NIGHT.accent))
    name.draw(canvas, bar + pad, 0.6 * pad, NIGHT.ink)
    about.draw(canvas, bar + pad, 0.6 * pad + name.height, NIGHT.soft)
    left = min(captions.x, even(_SIDE * scale))  # the platforms' buttons are on the right
    return _straight(surface, width, height), Box(left, captions.y - even(16 * scale) - height, width, height)


def faded(pixels: Pixels, share: float) -> Pixels:
    """For entering and leaving: the same picture, as much there as `share` says."""
    made = pixels.copy()
    made[..., 3] = (pixels[..., 3] * share).astype(np.uint8)
    return made


def card(spec: Card, size: tuple[int, int], *, palette: Palette = NIGHT, language: str = "en") -> Pixels:
    """A full, opaque frame with title and text, left in the middle, clear of the label above and of a player below."""
    surface, canvas, free, scale = _ground(size, palette)
    title = fit(spec.title, (free.width, free.height * 0.62), _scaled(_TITLE_SIZES, scale), language=language)
    room = (free.width, free.height * 0.92 - title.height - 100 * scale)
    text = fit(spec.text, room, _scaled(_TEXT_SIZES, scale), font=REGULAR, language=language)
    between = 34 * scale if text.lines else 0
    top = free.y + (free.height - title.height - between - text.height) / 2
    _hatch(canvas, free.x, top - 58 * scale, scale, palette)
    title.draw(canvas, free.x, top, palette.ink)
    text.draw(canvas, free.x, top + title.height + between, palette.soft)
    return _straight(surface, *size)


def quote(text: str, author: str, size: tuple[int, int], palette: Palette = NIGHT, *, language: str = "en") -> Pixels:
    """A full, opaque frame with the words large under a quotation mark, and who said them."""
    surface, canvas, free, scale = _ground(size, palette)
    mark = 120 * scale
    sizes = _scaled(_QUOTE_SIZES, scale)
    signed: Block = fit(author, (free.width, 130 * scale), _scaled(_TEXT_SIZES, scale), font=REGULAR, language=language)
    between = 48 * scale if signed.lines else 0
    words = fit(text, (free.width, free.height - mark - between - signed.height), sizes, language=language)
    top = free.y + (free.height - mark - words.height - between - signed.height) / 2
    lettering.piece("“", _MARK_SIZE * scale, palette.accent).draw(canvas, free.x - 8 * scale, top + 180 * scale)
    words.draw(canvas, free.x, top + mark, palette.ink)
    signed.draw(canvas, free.x, top + mark + words.height + between, palette.soft)
    return _straight(surface, *size)


def _ground(size: tuple[int, int], palette: Palette) -> tuple[Any, Any, Box, float]:
    """The empty frame, and the part of it that neither the label nor a platform covers."""
    width, height = size
    surface, canvas = _surface(width, height)
    shade = skia.GradientShader.MakeLinear([(0, 0), (width * 0.3, height)], [palette.top, palette.bottom])
    canvas.drawPaint(skia.Paint(Shader=shade, Dither=True))
    scale, captions = unit(width, height), band(width, height)
    x = max(captions.x, even(96 * scale))
    top = even(height * (0.24 if height * 3 > width * 4 else 0.2))
    return surface, canvas, Box(x, top, width - 2 * x, captions.bottom - top), scale


def _hatch(canvas: Any, x: float, y: float, scale: float, palette: Palette) -> None:
    """The house's sign for what an avatar made: slanted strokes."""
    stroke = skia.Paint(AntiAlias=True, Color=palette.accent, Style=skia.Paint.kStroke_Style, StrokeWidth=5 * scale)
    canvas.save()
    bar = skia.Rect.MakeXYWH(x, y, 150 * scale, 18 * scale)
    canvas.clipRRect(skia.RRect.MakeRectXY(bar, 6 * scale, 6 * scale), True)
    for number in range(-2, 14):
        left = x + number * 13 * scale
        canvas.drawLine(left, y + 22 * scale, left + 26 * scale, y - 4 * scale, stroke)
    canvas.restore()


def _surface(width: int, height: int) -> tuple[Any, Any]:
    surface = skia.Surface.MakeRaster(
        skia.ImageInfo.Make(width, height, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
    )
    return surface, surface.getCanvas()


def _straight(surface: Any, width: int, height: int) -> Pixels:
    pixels = np.zeros((height, width, 4), np.uint8)
    info = skia.ImageInfo.Make(width, height, skia.kRGBA_8888_ColorType, skia.kUnpremul_AlphaType)
    surface.readPixels(info, pixels, width * 4)
    return pixels


def _scaled(sizes: tuple[int, ...], scale: float) -> list[float]:
    return [size * scale for size in sizes]
