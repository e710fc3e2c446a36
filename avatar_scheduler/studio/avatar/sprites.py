"""Draws a figure from its pack with skia, at any pose, clipped to whatever the canvas shows."""

from math import ceil, floor
from pathlib import Path
from typing import Any

import skia

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.avatar.motion import Look, Pose
from avatar_scheduler.studio.avatar.pack import SLOTS, Box, Pack

_BLEED = 2
"""Pixels around a box for the soft edge of what is drawn in it."""


class Figure:
    def __init__(self, pack: Pack, width: int, height: int) -> None:
        self.pack = pack
        self.scale = pack.scale * width / 1080
        self._left = (width - pack.width * self.scale) / 2
        self._top = height - pack.height * self.scale
        self._frame = (width, height)
        self._pictures = {part: _picture(path, pack) for part, path in pack.files.items()}

    def draw(self, canvas: Any, look: Look) -> None:
        for layer in self.pack.layers:
            part = getattr(look, layer.part) if layer.part in SLOTS else layer.part
            if part:
                canvas.save()
                canvas.concat(self._matrix(look.pose if layer.moves else Pose(0, 0.0)))
                canvas.drawPicture(self._pictures[part])
                canvas.restore()

    def box(self, name: str, pose: Pose) -> Box:
        """Where a box of the pack lies in the frame, on even pixels, rounded outward."""
        box = self.pack.boxes[name]
        rect = self._matrix(pose).mapRect(skia.Rect.MakeXYWH(box.x, box.y, box.width, box.height))
        x, y = 2 * floor((rect.left() - _BLEED) / 2), 2 * floor((rect.top() - _BLEED) / 2)
        right, bottom = 2 * ceil((rect.right() + _BLEED) / 2), 2 * ceil((rect.bottom() + _BLEED) / 2)
        return Box(x, y, right - x, bottom - y).within(*self._frame)

    def _matrix(self, pose: Pose) -> Any:
        matrix = skia.Matrix.Translate(self._left, self._top + pose.dy)
        matrix.preScale(self.scale, self.scale)
        matrix.preRotate(pose.tilt, *self.pack.motion.pivot)
        return matrix


def draw_svg(path: Path, canvas: Any, width: float, height: float) -> None:
    data = _bytes(path)  # held by this name: the stream reads it without a copy
    drawing = skia.SVGDOM.MakeFromStream(skia.MemoryStream(data))
    if drawing is None:
        raise Invalid(f"{path.name} cannot be read. Save it again as a plain SVG picture.", code="sprite_unreadable")
    drawing.setContainerSize(skia.Size(width, height))
    drawing.render(canvas)


def _picture(path: Path, pack: Pack) -> Any:
    recorder = skia.PictureRecorder()
    bounds = skia.Rect.MakeWH(pack.width, pack.height)
    canvas = recorder.beginRecording(bounds)
    if path.suffix == ".svg":
        draw_svg(path, canvas, pack.width, pack.height)
    else:
        _draw_png(path, canvas, bounds)
    return recorder.finishRecordingAsPicture()


def _draw_png(path: Path, canvas: Any, bounds: Any) -> None:
    image = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(_bytes(path)))
    if image is None:
        raise Invalid(f"{path.name} cannot be read. Save it again as a PNG picture.", code="sprite_unreadable")
    sampling = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)
    canvas.drawImageRect(image, bounds, sampling)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path.name} cannot be read: {error.strerror}.", code="sprite_unreadable") from error
