"""What is behind everything: a drawn place, a colour, two colours, or a picture."""

from typing import Any

import numpy as np
import skia
from PIL import Image, ImageOps

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.staging import Background
from avatar_scheduler.studio.avatar.sprites import draw_svg
from avatar_scheduler.studio.job import SCENES, StudioJob

_SCENE_SIZE = (1080, 1920)


def paint(canvas: Any, job: StudioJob, background: Background) -> None:
    size = (job.width, job.height)
    if background.kind == "scene":
        _scene(canvas, background.value or job.scene, size)
    elif background.kind in ("color", "gradient"):
        _colors(canvas, background.value.split(), size)
    elif background.kind == "image":
        canvas.drawImage(_picture(job, background.value), 0, 0)
    else:
        raise Invalid("A film cannot be the background of a picture. Name an image.", code="slide_background")


def is_dark(background: Background) -> bool:
    """Whether white words are read more easily on it than black ones."""
    colors = [_rgb(part) for part in background.value.split()]
    luminance = [0.2126 * r**2 + 0.7152 * g**2 + 0.0722 * b**2 for r, g, b in colors]
    return sum(luminance) / len(luminance) < 0.18


def _scene(canvas: Any, name: str, size: tuple[int, int]) -> None:
    cover = max(size[0] / _SCENE_SIZE[0], size[1] / _SCENE_SIZE[1])
    canvas.save()
    canvas.translate((size[0] - _SCENE_SIZE[0] * cover) / 2, (size[1] - _SCENE_SIZE[1] * cover) / 2)
    canvas.scale(cover, cover)
    draw_svg(SCENES / f"{name}.svg", canvas, *_SCENE_SIZE)
    canvas.restore()


def _colors(canvas: Any, colors: list[str], size: tuple[int, int]) -> None:
    paint = skia.Paint(Dither=True)
    numbers = [0xFF000000 | int(color[1:], 16) for color in colors]
    if len(numbers) > 1:
        ends = [skia.Point(0, 0), skia.Point(0, size[1])]
        paint.setShader(skia.GradientShader.MakeLinear(points=ends, colors=numbers))
    else:
        paint.setColor(numbers[0])
    canvas.drawRect(skia.Rect.MakeWH(*size), paint)


def _picture(job: StudioJob, name: str) -> Any:
    """Cut to the frame from its middle, never stretched."""
    material = job.materials[name]
    try:
        with Image.open(material.path) as image:
            fitted = ImageOps.fit(image.convert("RGBA"), (job.width, job.height), Image.Resampling.LANCZOS)
    except (OSError, ValueError) as error:
        raise Invalid(f"The picture “{name}” cannot be read. Upload it again.", code="material_unreadable") from error
    return skia.Image.fromarray(np.asarray(fitted), skia.kRGBA_8888_ColorType)


def _rgb(color: str) -> tuple[float, float, float]:
    r, g, b = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return r, g, b
