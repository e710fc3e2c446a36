"""The EU's own icons for AI content, where an operator put them: read whole, shown in their own shape."""

from io import BytesIO
from typing import Any

import numpy as np
import skia
from PIL import Image

from avatar_scheduler.domain.errors import Invalid

MOST_BYTES = 512 << 10
MOST_SIDE = 4096
MOST_ASPECT = 6
LEAST_CONTRAST = 4.5
"""WCAG 2.2, of text."""
LEAST_SEEN = 0.05
"""Of the icon's area, standing out that clearly."""

_PNG = b"\x89PNG\r\n\x1a\n"


def read(content: bytes, height: int, *, over: tuple[int, int, int]) -> Any:
    """A skia image; of an SVG, `height` pixels high. Raises Invalid for what cannot be read or seen on that colour."""
    if len(content) > MOST_BYTES:
        raise Invalid(f"The icon has {len(content)} bytes, {MOST_BYTES} are allowed.", code="icon")
    image = _png(content) if content.startswith(_PNG) else _svg(content, height)
    if not 1 / MOST_ASPECT <= image.width() / image.height() <= MOST_ASPECT:
        raise Invalid("The icon is a strip. Use the file as the Commission publishes it.", code="icon")
    if _seen(image, over) < LEAST_SEEN:
        raise Invalid("The icon cannot be seen on the label's dark plate. Use its white variant.", code="icon")
    return image


def _png(content: bytes) -> Any:
    try:
        with Image.open(BytesIO(content), formats=("PNG",)) as image:
            if max(image.size) > MOST_SIDE:
                raise Invalid(f"The icon is larger than {MOST_SIDE} pixels.", code="icon")
            pixels = np.ascontiguousarray(image.convert("RGBA"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        raise Invalid("The icon's picture is damaged. Use the file as published.", code="icon") from problem
    return skia.Image.fromarray(pixels, skia.kRGBA_8888_ColorType)


def _svg(content: bytes, height: int) -> Any:
    """Nothing it refers to is loaded: there is no loader."""
    drawing = skia.SVGDOM.MakeFromStream(skia.MemoryStream.MakeCopy(content)) if b"<svg" in content else None
    size = drawing.containerSize() if drawing else None
    if drawing is None or size is None or size.width() <= 0 or size.height() <= 0:
        raise Invalid("The icon is neither a PNG nor an SVG with a size of its own.", code="icon")
    scale = height / size.height()
    width = round(size.width() * scale)
    if not 0 < width <= MOST_SIDE:
        raise Invalid("The icon is a strip. Use the file as the Commission publishes it.", code="icon")
    surface = skia.Surface(width, height)
    with surface as canvas:
        canvas.scale(scale, scale)
        drawing.render(canvas)
    return surface.makeImageSnapshot()


def _seen(image: Any, over: tuple[int, int, int]) -> float:
    """The share of the icon's pixels that stand out from the colour."""
    rgba = image.toarray(colorType=skia.kRGBA_8888_ColorType).astype(np.float32)
    ground = np.array(over, np.float32)
    alpha = rgba[..., 3:] / 255
    shown = _luminance(rgba[..., :3] * alpha + ground * (1 - alpha))
    under = float(_luminance(ground))
    contrast = (np.maximum(shown, under) + 0.05) / (np.minimum(shown, under) + 0.05)
    return float((contrast >= LEAST_CONTRAST).mean())


def _luminance(rgb: Any) -> Any:
    part = rgb / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])
