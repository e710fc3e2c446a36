"""Everything that can be seen: scene, figure, painted extras and, always on top, the overlay.

Every pixel of a film comes out of `Stage.patch`, which lays the overlay over whatever was drawn. So no pose, caption or
effect can cover the label, and no path leaves it out.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import skia

from avatar_scheduler.studio import planes
from avatar_scheduler.studio.avatar.motion import Look
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.avatar.sprites import Figure, draw_svg
from avatar_scheduler.studio.job import SCENES, StudioJob
from avatar_scheduler.studio.seeds import stream

Paint = Callable[[Any], None]
_SCENE_SIZE = (1080, 1920)


class Stage:
    def __init__(self, job: StudioJob, figure: Figure) -> None:
        self._figure = figure
        self._size = (job.width, job.height)
        self._scene = _scene(job)
        overlay = job.overlay
        self._overlay = np.frombuffer(overlay.rgba, np.uint8).reshape(overlay.height, overlay.width, 4)
        self._overlay_box = Box(overlay.x, overlay.y, overlay.width, overlay.height)

    def patch(self, box: Box, look: Look, paint: Paint | None = None) -> planes.Planes:
        """The planes of one box of the picture, cut from a slightly larger one so that patches join without a seam."""
        margin = planes.MARGIN
        wide = Box(box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin).within(*self._size)
        inner = Box(box.x - wide.x, box.y - wide.y, box.width, box.height)
        y, u, v = planes.cut(planes.convert(self._picture(wide, look, paint)), inner)
        return y.copy(), u.copy(), v.copy()

    def _picture(self, box: Box, look: Look, paint: Paint | None) -> planes.Pixels:
        rgba = self._scene[box.y : box.bottom, box.x : box.right].copy()
        canvas = skia.Surface(rgba, colorType=skia.kRGBA_8888_ColorType).getCanvas()
        canvas.translate(-box.x, -box.y)
        self._figure.draw(canvas, look)
        if paint:
            paint(canvas)
        self._lay_overlay(rgba, box)
        return rgba

    def _lay_overlay(self, rgba: planes.Pixels, box: Box) -> None:
        label = self._overlay_box
        if not label.meets(box):
            return
        x, y = max(label.x, box.x), max(label.y, box.y)
        right, bottom = min(label.right, box.right), min(label.bottom, box.bottom)
        under = rgba[y - box.y : bottom - box.y, x - box.x : right - box.x]
        over = self._overlay[y - label.y : bottom - label.y, x - label.x : right - label.x].astype(np.uint16)
        alpha = over[..., 3:]
        under[..., :3] = ((over[..., :3] * alpha + under[..., :3] * (255 - alpha) + 127) // 255).astype(np.uint8)


def _scene(job: StudioJob) -> planes.Pixels:
    """The scene, drawn in half floats and rounded with noise: eight bits alone show bands in a soft gradient."""
    floats = np.zeros((job.height, job.width, 4), np.float16)
    info = skia.ImageInfo.Make(job.width, job.height, skia.kRGBA_F16_ColorType, skia.kPremul_AlphaType)
    surface = skia.Surface.MakeRasterDirect(info, floats, job.width * floats.itemsize * 4)
    canvas = surface.getCanvas()
    cover = max(job.width / _SCENE_SIZE[0], job.height / _SCENE_SIZE[1])
    canvas.translate((job.width - _SCENE_SIZE[0] * cover) / 2, (job.height - _SCENE_SIZE[1] * cover) / 2)
    canvas.scale(cover, cover)
    draw_svg(SCENES / f"{job.scene}.svg", canvas, *_SCENE_SIZE)
    noise = stream(job.seed, "dither").random((job.height, job.width, 1), dtype=np.float32)
    rgba: planes.Pixels = np.clip(floats.astype(np.float32) * 255 + noise, 0, 255).astype(np.uint8)
    rgba[..., 3] = 255
    return rgba
