"""Words as pictures of their own: the lower third with a name, and the cards before and after."""

from typing import Any

import numpy as np
import skia
from numpy.typing import NDArray

from avatar_scheduler.domain.staging import Card, LowerThird
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.caption_art import band, even, unit
from avatar_scheduler.studio.lettering import REGULAR
from avatar_scheduler.studio.textblock import fit

Pixels = NDArray[np.uint8]
"""Height x width x RGBA, straight alpha."""

_TOP, _BOTTOM = 0xFF17292C, 0xFF0B1113
"""The ground of a card, from top to bottom."""
_INK, _SOFT, _ACCENT = 0xFFFFFFFF, 0xFFB3C2C5, 0xFF57CABB
_PLATE = 0xEB0B1113
_HATCH = 58
"""From the top of the house's sign to the words under it."""
_SIDE = 64
_NAME_SIZES, _ABOUT_SIZES = (50, 46, 42, 38), (34, 31, 28)
_TITLE_SIZES = (120, 108, 96, 86, 76, 68, 60, 54)
_TEXT_SIZES = (54, 49, 44, 40, 36)


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
    canvas.drawRect(skia.Rect.MakeWH(bar, height), skia.Paint(Color=_ACCENT))
    name.draw(canvas, bar + pad, 0.6 * pad, _INK)
    about.draw(canvas, bar + pad, 0.6 * pad + name.height, _SOFT)
    left = min(captions.x, even(_SIDE * scale))  # the platforms' buttons are on the right
    return _straight(surface, width, height), Box(left, captions.y - even(16 * scale) - height, width, height)


def card(spec: Card, size: tuple[int, int], *, language: str = "en", below: int = 0) -> Pixels:
    """A full, opaque frame with title and text, left in the middle, clear of a player below and of the label above,
    which ends at row `below`."""
    surface, canvas, free, scale = _ground(size, below)
    title = fit(spec.title, (free.width, free.height * 0.62), _scaled(_TITLE_SIZES, scale), language=language)
    room = (free.width, free.height * 0.92 - title.height - 100 * scale)
    text = fit(spec.text, room, _scaled(_TEXT_SIZES, scale), font=REGULAR, language=language)
    between = 34 * scale if text.lines else 0
    top = free.y + (free.height - title.height - between - text.height) / 2
    _hatch(canvas, free.x, top - _HATCH * scale, scale)
    title.draw(canvas, free.x, top, _INK)
    text.draw(canvas, free.x, top + title.height + between, _SOFT)
    return _straight(surface, *size)


def _ground(size: tuple[int, int], below: int) -> tuple[Any, Any, Box, float]:
    """The empty frame, and the part of it that neither the label nor a platform covers."""
    width, height = size
    surface, canvas = _surface(width, height)
    shade = skia.GradientShader.MakeLinear([(0, 0), (width * 0.3, height)], [_TOP, _BOTTOM])
    canvas.drawPaint(skia.Paint(Shader=shade, Dither=True))
    scale, captions = unit(width, height), band(width, height)
    x = max(captions.x, even(96 * scale))
    top = max(even(height * (0.24 if height * 3 > width * 4 else 0.2)), below + even((_HATCH + 14) * scale))
    return surface, canvas, Box(x, top, width - 2 * x, captions.bottom - top), scale


def _hatch(canvas: Any, x: float, y: float, scale: float) -> None:
    """The house's sign for what an avatar made: slanted strokes."""
    stroke = skia.Paint(AntiAlias=True, Color=_ACCENT, Style=skia.Paint.kStroke_Style, StrokeWidth=5 * scale)
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
