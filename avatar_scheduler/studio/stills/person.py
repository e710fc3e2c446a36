"""The avatar holding still: an expression, and where in the picture it stands."""

from typing import Any

import skia

from avatar_scheduler.domain.slides import Slide
from avatar_scheduler.studio.avatar.motion import Look, Pose
from avatar_scheduler.studio.avatar.pack import Pack
from avatar_scheduler.studio.avatar.sprites import Figure
from avatar_scheduler.studio.avatar.visemes import REST

_NATURAL = (1080, 1920)
"""The frame a pack is drawn for. Every other place is this one moved and scaled."""
_OPEN = "E"
"""The mouth of somebody surprised."""


def expression(pack: Pack, slide: Slide) -> Look:
    mouth = pack.mouth(_OPEN if slide.mood == "surprised" else REST, smiling=slide.mood == "smile")
    brows = pack.brows({"worried": "worried", "surprised": "up"}.get(slide.mood, "neutral"))
    eyes = pack.eyes({"look left": "left", "look right": "right"}.get(slide.gaze, "open"))
    tilt = {"tilt left": -1.0, "tilt right": 1.0}.get(slide.tilt, 0.0) * pack.motion.tilt
    return Look(Pose(0, tilt), mouth, eyes, brows)


class Person:
    def __init__(self, pack: Pack, slide: Slide) -> None:
        self._figure = Figure(pack, *_NATURAL)
        self._look = expression(pack, slide)
        self._head = self._figure.box("head", Pose(0, 0.0))

    def stand(self, canvas: Any, *, middle: float, head_top: float, floor: float) -> None:
        """From the top of the head down to where the picture cuts the figure off."""
        scale = (floor - head_top) / (_NATURAL[1] - self._head.y)
        self._draw(canvas, scale, middle - scale * _NATURAL[0] / 2, floor - scale * _NATURAL[1])

    def peep(self, canvas: Any, *, x: float, y: float, radius: float, ring: int, ground: int) -> None:
        """Head and shoulders in a circle around x, y."""
        circle = skia.Path()
        circle.addCircle(x, y, radius)
        canvas.drawPath(circle, skia.Paint(AntiAlias=True, Color=ground))
        canvas.save()
        canvas.clipPath(circle, skia.ClipOp.kIntersect, True)
        scale = 1.45 * radius / self._head.height
        head = (self._head.x + self._head.width / 2, self._head.y + self._head.height / 2)
        self._draw(canvas, scale, x - scale * head[0], y - radius * 0.1 - scale * head[1])
        canvas.restore()
        stroke = skia.Paint(AntiAlias=True, Color=ring, Style=skia.Paint.kStroke_Style, StrokeWidth=radius * 0.07)
        canvas.drawCircle(x, y, radius, stroke)

    def _draw(self, canvas: Any, scale: float, left: float, top: float) -> None:
        canvas.save()
        canvas.translate(left, top)
        canvas.scale(scale, scale)
        self._figure.draw(canvas, self._look)
        canvas.restore()
