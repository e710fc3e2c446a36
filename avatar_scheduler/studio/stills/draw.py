"""Slides in, JPEG pictures out. The label is laid over the finished picture, by the one function that writes files."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import skia
from numpy.typing import NDArray
from PIL import Image

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.slides import Slide
from avatar_scheduler.studio import job as jobs
from avatar_scheduler.studio import planes
from avatar_scheduler.studio.avatar import pack as packs
from avatar_scheduler.studio.job import Overlay, StudioJob
from avatar_scheduler.studio.stills import layouts
from avatar_scheduler.studio.stills.person import Person
from avatar_scheduler.studio.watermark import Levels

Pixels = NDArray[np.uint8]
QUALITIES = (92, 86, 80, 72, 64, 55)
_U_IN_RGB = np.array((0.0, -0.2132, 2.1124), np.float32)
"""A level of it: BT.709, limited range."""
LARGEST = 1_900_000
"""Bytes before signing: the smallest limit of a platform is 2,000,000, and a signature adds about 15,000."""


def draw(job: StudioJob, slides: Iterable[Slide], folder: Path, signature: str) -> Iterator[Path]:
    """image1.jpg and on, each when it is done. The same job gives the same bytes.

    `signature` says whose avatar it is, beside a quote. Raises Invalid for what cannot be drawn.
    """
    pack = packs.load(job.pack or jobs.PACKS / job.avatar)
    for number, slide in enumerate(slides, 1):
        path = folder / f"image{number}.jpg"
        try:
            path.write_bytes(encode(picture(job, slide, pack, signature)))
        except Invalid as wrong:
            raise Invalid(f"Slide {number}: {wrong.message}", code=wrong.code) from wrong
        yield path


def picture(job: StudioJob, slide: Slide, pack: packs.Pack, signature: str) -> Pixels:
    rgba = np.zeros((job.height, job.width, 4), np.uint8)
    canvas = skia.Surface(rgba, colorType=skia.kRGBA_8888_ColorType).getCanvas()
    layouts.paint(canvas, job, slide, Person(pack, slide), signature)
    rgb = _labelled(rgba, job.overlay)
    if job.watermark is None or job.draft:
        return rgb
    return _marked(rgb, job.watermark(_luma(rgb)).chroma, job.overlay)


def encode(rgb: Pixels) -> bytes:
    """Full colour resolution: the label's edges and small words stay clean. Smaller only where a limit asks."""
    image, data = Image.fromarray(rgb), b""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, subsampling=0)
        data = buffer.getvalue()
        if len(data) <= LARGEST:
            return data
    raise Invalid("The picture is too detailed to be sent. Choose a calmer background.", code="picture_large")


def _labelled(rgba: Pixels, overlay: Overlay) -> Pixels:
    rgb = rgba[..., :3].copy()
    label = np.frombuffer(overlay.rgba, np.uint8).reshape(overlay.height, overlay.width, 4).astype(np.uint16)
    under = rgb[overlay.y : overlay.y + overlay.height, overlay.x : overlay.x + overlay.width]
    alpha = label[..., 3:]
    under[:] = ((label[..., :3] * alpha + under * (255 - alpha) + 127) // 255).astype(np.uint8)
    return rgb


def _luma(rgb: Pixels) -> Pixels:
    opaque = np.full((*rgb.shape[:2], 4), 255, np.uint8)
    opaque[..., :3] = rgb
    return planes.Converter()(opaque)[0]


def _marked(rgb: Pixels, levels: Levels, overlay: Overlay) -> Pixels:
    """The same steps as in a film, taken in RGB: a picture converted there and back would lose its finest colours."""
    levels = levels.copy()
    left, top = overlay.x // 2, overlay.y // 2
    label = levels[top : top + overlay.height // 2, left : left + overlay.width // 2]
    np.clip(label, -1, 1, out=label)  # it is to look as drawn
    steps = np.rint(levels.repeat(2, 0).repeat(2, 1)[..., None] * _U_IN_RGB).astype(np.int16)
    marked: Pixels = np.clip(rgb + steps, 0, 255).astype(np.uint8)
    return marked
