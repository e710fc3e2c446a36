"""Draws a figure from its pack with skia, at any pose, clipped to whatever the canvas shows."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from io import BytesIO
from itertools import product
from math import ceil, floor
from pathlib import Path
from typing import Any

import skia
from PIL import Image

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.avatar.motion import POSES, Look, Pose, pose
from avatar_scheduler.studio.avatar.pack import SLOTS, Box, Layer, Pack
from avatar_scheduler.studio.kept import Kept
from avatar_scheduler.studio.scene.standing import Circle, stand

_BLEED = 2
"""Pixels around a box for the soft edge of what is drawn in it."""
_BOXES_KEPT = 400
_DISC = (0xFFE9EEF2, 0xFFB9C8D3)
_RING = 0xFFFFFFFF


class Figure:
    def __init__(self, pack: Pack, width: int, height: int, place: str = "full") -> None:
        self.pack = pack
        standing = stand(pack, (width, height), place)
        self.scale = standing.scale
        self._left, self._top = standing.left, standing.top
        self._circle = standing.circle
        self._frame = (width, height)
        self._pictures = {part: _picture(path, pack) for part, path in pack.files.items()}
        self._boxes = Kept[Box](_BOXES_KEPT)
        self._first_slot = next(i for i, layer in enumerate(pack.layers) if layer.part in SLOTS)
        self.poses = {pose(pack.motion, self.scale, step) for step in range(POSES)} | {Pose(0, 0.0)}
        self.head_room = self.around(self.poses, pack.boxes)
        """All of the frame that head and face are ever in."""

    def draw(self, canvas: Any, look: Look) -> None:
        self.draw_below(canvas, look)
        self.draw_above(canvas, look)

    def draw_below(self, canvas: Any, look: Look) -> None:
        """What no slot changes: the layers under the first of them."""
        with _in_disc(canvas, self._circle):
            if self._circle:
                _fill_disc(canvas, self._circle)
            self._draw_layers(canvas, look, self.pack.layers[: self._first_slot])

    def draw_above(self, canvas: Any, look: Look) -> None:
        """The slots, and what is drawn over them."""
        with _in_disc(canvas, self._circle):
            self._draw_layers(canvas, look, self.pack.layers[self._first_slot :])
        if self._circle:
            _draw_ring(canvas, self._circle)

    def _draw_layers(self, canvas: Any, look: Look, layers: Iterable[Layer]) -> None:
        for layer in layers:
            part = getattr(look, layer.part) if layer.part in SLOTS else layer.part
            if part:
                canvas.save()
                canvas.concat(self._matrix(look.pose if layer.moves else Pose(0, 0.0)))
                canvas.drawPicture(self._pictures[part])
                canvas.restore()

    def box(self, name: str, pose: Pose) -> Box:
        """Where a box of the pack lies in the frame, on even pixels, rounded outward."""
        return self._boxes.get(self._box, name, pose)

    def around(self, poses: Iterable[Pose], names: Iterable[str]) -> Box:
        """Of those named that the pack has."""
        boxes = [self.box(name, at) for at, name in product(poses, names) if name in self.pack.boxes]
        return reduce(Box.around, boxes)

    def _box(self, name: str, pose: Pose) -> Box:
        box = self.pack.boxes[name]
        rect = self._matrix(pose).mapRect(skia.Rect.MakeXYWH(box.x, box.y, box.width, box.height))
        if self._circle:
            rect.intersect(_square(self._circle))
        x, y = 2 * floor((rect.left() - _BLEED) / 2), 2 * floor((rect.top() - _BLEED) / 2)
        right, bottom = 2 * ceil((rect.right() + _BLEED) / 2), 2 * ceil((rect.bottom() + _BLEED) / 2)
        return Box(x, y, right - x, bottom - y).within(*self._frame)

    def _matrix(self, pose: Pose) -> Any:
        matrix = skia.Matrix.Translate(self._left, self._top + pose.dy)
        matrix.preScale(self.scale, self.scale)
        matrix.preRotate(pose.tilt, *self.pack.motion.pivot)
        return matrix


def _square(circle: Circle) -> Any:
    reach = circle.radius + circle.ring
    return skia.Rect.MakeXYWH(circle.x - reach, circle.y - reach, 2 * reach, 2 * reach)


@contextmanager
def _in_disc(canvas: Any, circle: Circle | None) -> Iterator[None]:
    canvas.save()
    if circle:
        disc = skia.Path()
        disc.addCircle(circle.x, circle.y, circle.radius)
        canvas.clipPath(disc, skia.ClipOp.kIntersect, True)
    yield
    canvas.restore()


def _fill_disc(canvas: Any, circle: Circle) -> None:
    ends = [skia.Point(0, circle.y - circle.radius), skia.Point(0, circle.y + circle.radius)]
    shader = skia.GradientShader.MakeLinear(points=ends, colors=list(_DISC))
    canvas.drawPaint(skia.Paint(AntiAlias=True, Shader=shader))


def _draw_ring(canvas: Any, circle: Circle) -> None:
    """Over the disc's own edge, so that nothing of the figure shows outside it."""
    paint = skia.Paint(AntiAlias=True, Color=_RING, Style=skia.Paint.kStroke_Style, StrokeWidth=circle.ring)
    canvas.drawCircle(circle.x, circle.y, circle.radius, paint)


def draw_svg(path: Path, canvas: Any, width: float, height: float) -> None:
    data = _bytes(path)  # held by this name: the stream reads it without a copy
    drawing = skia.SVGDOM.MakeFromStream(skia.MemoryStream(data))
    if drawing is None:
        raise Invalid(f"{path.name} cannot be read. Save it again as a plain SVG picture.", code="sprite_unreadable")
    drawing.setContainerSize(skia.Size(width, height))
    drawing.render(canvas)


def _picture(path: Path, pack: Pack) -> Any:
    recorder = skia.PictureRecorder()
    draw_picture(path, recorder.beginRecording(skia.Rect.MakeWH(pack.width, pack.height)), pack.width, pack.height)
    return recorder.finishRecordingAsPicture()


def draw_picture(path: Path, canvas: Any, width: int, height: int) -> None:
    """One picture of a pack, filling the artboard."""
    if path.suffix == ".svg":
        draw_svg(path, canvas, width, height)
    else:
        _draw_png(path, canvas, skia.Rect.MakeWH(width, height))


def _draw_png(path: Path, canvas: Any, bounds: Any) -> None:
    """Unpacked once, and only what can be seen of it: a mouth is a small part of its artboard."""
    data = _bytes(path)
    image = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(data))
    if image is None:
        raise Invalid(f"{path.name} cannot be read. Save it again as a PNG picture.", code="sprite_unreadable")
    with Image.open(BytesIO(data), formats=["PNG"]) as picture:
        seen = picture.convert("RGBA").getchannel("A").getbbox()
    if seen is None:
        return
    across, down = bounds.width() / image.width(), bounds.height() / image.height()
    # one clear pixel around it, so that a soft edge stays soft
    left, top = max(0, seen[0] - 1), max(0, seen[1] - 1)
    right, bottom = min(image.width(), seen[2] + 1), min(image.height(), seen[3] + 1)
    part = image.makeSubset(skia.IRect.MakeLTRB(left, top, right, bottom)).makeRasterImage().withDefaultMipmaps()
    smaller = skia.MipmapMode.kLinear if across < 0.75 else skia.MipmapMode.kNone
    rect = skia.Rect.MakeLTRB(left * across, top * down, right * across, bottom * down)
    canvas.drawImageRect(part, rect, skia.SamplingOptions(skia.FilterMode.kLinear, smaller))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path.name} cannot be read: {error.strerror}.", code="sprite_unreadable") from error
