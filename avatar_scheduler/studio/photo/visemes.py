"""Nine mouths from one that is closed: lips and jaw are pulled, the inside of the mouth is painted."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.studio.photo import warp
from avatar_scheduler.studio.photo.face import CHIN, CORNERS, LOWER_LIP, NOSE_BASE, UPPER_LIP, Face
from avatar_scheduler.studio.photo.warp import Box, Floats

_INSIDE = np.array((58, 20, 20), np.float32)
_TEETH = np.array((236, 224, 204), np.float32)
_TONGUE = np.array((164, 84, 80), np.float32)
_WARM = np.array((0.8, 1.05, 1.15), np.float32)
"""Shade inside a mouth is reddish."""
_BRIGHT_SKIN = 190.0
"""Luma of a cheek in full light; teeth and tongue are darkened with the picture."""


@dataclass(frozen=True)
class Shape:
    """Shares of the mouth's width."""

    opening: float
    width: float = 1.0
    teeth: float = 0.0
    """How far the upper teeth reach down."""
    lower_teeth: float = 0.0
    tongue: float = 0.0
    lift: float = 0.06
    """How much of the opening the upper lip takes."""


SHAPES = {
    "A": Shape(0.0, 0.98),
    "B": Shape(0.12, 1.04, teeth=0.09, lower_teeth=0.05, lift=0.25),
    "C": Shape(0.27, 1.0, teeth=0.11, tongue=0.08, lift=0.12),
    "D": Shape(0.42, 0.96, teeth=0.11, tongue=0.14, lift=0.1),
    "E": Shape(0.28, 0.86, teeth=0.06, tongue=0.06, lift=0.12),
    "F": Shape(0.15, 0.72, lift=0.2),
    "G": Shape(0.085, 1.0, teeth=0.1, lift=0.5),
    "H": Shape(0.25, 1.0, teeth=0.1, tongue=0.15, lift=0.12),
    "X": Shape(0.0, 1.0),
}


def mouth(picture: Floats, face: Face, shape: Shape, box: Box) -> Floats:
    """The box of an RGBA picture with the mouth in this shape, clear where nothing changed."""
    xs, ys = warp.grid(box)
    lips = _Lips(face, shape, xs)
    up, low = lips.upper, lips.lower
    from_x = lips.source_x(ys)
    below = np.maximum(ys - lips.pulled_down(ys), lips.was_lower)
    above = np.minimum(ys + lips.pulled_up(ys), lips.was_upper)
    from_y = np.where(ys >= (up + low) / 2, below, above)
    pulled = warp.changed(warp.sample(picture, from_x, from_y), from_x - xs, from_y - ys)
    hole = warp.smooth((np.minimum(ys - up, low - ys) + 0.4) / 1.6)[..., None] * lips.inside[..., None]
    inside = _inside(shape, lips, ys) * _light(picture, face)
    pulled[..., :3] = pulled[..., :3] * (1 - hole) + inside * hole
    pulled[..., 3:] = np.maximum(pulled[..., 3:], 255 * hole)
    return pulled


class _Lips:
    """Where the lips were and where they go, for each column of the box."""

    def __init__(self, face: Face, shape: Shape, xs: Floats) -> None:
        self._face, self._shape = face, shape
        self.wide = face.mouth_width
        self.middle = float(face.points[list(CORNERS), 0].mean())
        self._xs = xs
        self.share = (xs - self.middle) / (shape.width * self.wide / 2)
        """-1 to 1 from corner to corner."""
        self._near = np.exp(-(((xs - self.middle) / (0.8 * self.wide)) ** 4)).astype(np.float32)
        at = xs + self._drawn_in(1.0)
        self.was_upper = warp.curve(face.line(UPPER_LIP), at)
        self.was_lower = np.maximum(warp.curve(face.line(LOWER_LIP), at), self.was_upper)
        self.seam = (self.was_upper + self.was_lower) / 2
        profile = np.cos(np.clip(self.share, -1, 1) * np.pi / 2).clip(0, 1) ** 0.75
        self.opening = (shape.opening * self.wide * profile).astype(np.float32)
        self.upper = self.seam - shape.lift * self.opening
        self.lower = self.seam + (1 - shape.lift) * self.opening
        self.inside = (np.abs(self.share) < 1).astype(np.float32) * float(shape.opening > 0)

    def _drawn_in(self, share: Floats | float) -> Floats:
        """What the lips lose in width, and the skin beside them gives."""
        inward: Floats = (self._xs - self.middle) * (1 / self._shape.width - 1) * self._near * share
        return inward

    def source_x(self, ys: Floats) -> Floats:
        nose = float(self._face.points[NOSE_BASE, 1])
        near = np.exp(-(((ys - self.seam) / (0.45 * self.wide)) ** 4)) * warp.smooth(
            (ys - nose) / (0.9 * (self.seam - nose))
        )
        moved: Floats = self._xs + self._drawn_in(near)
        return moved

    def pulled_down(self, ys: Floats) -> Floats:
        """From the lip's own way to the jaw's at the chin, and to nothing further down the neck."""
        chin = float(self._face.points[CHIN, 1])
        lip = self.lower - self.was_lower
        jaw = 0.62 * self._shape.opening * self.wide * warp.bell(self._xs - self.middle, self.wide * 0.95)
        to_chin = warp.smooth((ys - self.lower) / (chin + jaw - self.lower))
        fade = 1 - warp.smooth((ys - chin - jaw) / (0.55 * (chin - float(self.seam.mean()))))
        pulled: Floats = (lip + (jaw - lip) * to_chin) * fade
        return pulled

    def pulled_up(self, ys: Floats) -> Floats:
        nose = float(self._face.points[NOSE_BASE, 1])
        pulled: Floats = (self.was_upper - self.upper) * warp.smooth((ys - nose) / (self.upper - nose))
        return pulled


def _inside(shape: Shape, lips: _Lips, ys: Floats) -> Floats:
    """Dark, with what is to be seen of tongue and teeth; darker to the corners and under the upper lip."""
    wide, around = lips.wide, np.abs(lips.share)
    colour = np.broadcast_to(_INSIDE, (*ys.shape, 3)).copy()
    tongue = lips.lower - shape.tongue * wide * np.sqrt(np.clip(1 - (lips.share / 0.75) ** 2, 0, 1))
    _lay(colour, _TONGUE, warp.smooth((ys - tongue) / (0.05 * wide)) * (shape.tongue > 0))
    tooth = 1 - 0.14 * warp.bell((np.abs(lips.share * shape.width) * wide / 2 + 1) % (0.15 * wide) - 1, 1.0)
    corners = 1 - 0.6 * warp.smooth((around - 0.4) / 0.55)
    white = _INSIDE + (_TEETH - _INSIDE) * (tooth * corners)[..., None]
    low = lips.seam - lips.opening * shape.lift + shape.teeth * wide * (1 - 0.3 * around**2)
    _lay(colour, white, (1 - warp.smooth((ys - low + 1.2) / 2.4)) * (shape.teeth > 0))
    high = lips.lower - shape.lower_teeth * wide * (1 - 0.4 * around**2)
    _lay(colour, white * 0.86, warp.smooth((ys - high + 1.2) / 2.4) * (shape.lower_teeth > 0))
    shade = 0.62 + 0.38 * warp.smooth((ys - lips.upper) / (0.07 * wide))
    return colour * shade[..., None] ** _WARM


def _lay(colour: Floats, paint: NDArray[np.floating], cover: NDArray[np.floating]) -> None:
    colour += (paint - colour) * cover[..., None]


def _light(picture: Floats, face: Face) -> float:
    """Of the skin beside the mouth, against full light."""
    points = face.points[[50, 280, 205, 425]].astype(int)
    skin = picture[points[:, 1].clip(0, len(picture) - 1), points[:, 0].clip(0, picture.shape[1] - 1), :3]
    luma = float((skin @ np.array((0.2126, 0.7152, 0.0722), np.float32)).max())
    return min(1.0, 0.55 + 0.45 * luma / _BRIGHT_SKIN)


def smiling(picture: Floats, face: Face) -> tuple[Floats, Face]:
    """The same picture with the corners of its mouth drawn up and out, and its landmarks after that."""
    height, width = picture.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    moved = face.points.copy()
    from_x, from_y = xs.copy(), ys.copy()
    for corner, way in zip(CORNERS, (-1, 1), strict=True):
        x, y = face.points[corner]
        out, up = 0.075 * face.mouth_width * way, 0.075 * face.mouth_width
        near = warp.bell(xs - x, face.mouth_width * 0.33) * warp.bell(ys - y, face.mouth_width * 0.33)
        from_x -= out * near
        from_y += up * near
        weight = warp.bell(moved[:, 0] - x, face.mouth_width * 0.33) * warp.bell(
            moved[:, 1] - y, face.mouth_width * 0.33
        )
        moved = moved + np.stack([out * weight, -up * weight], axis=1)
    return warp.sample(picture, from_x, from_y), replace(face, points=moved)


def over(still: Floats, patch: Floats, smiled: Floats, box: Box) -> Floats:
    """A patch painted on the smiling picture, made to lie on the still one."""
    x, y, width, height = box
    before, under = still[y : y + height, x : x + width], smiled[y : y + height, x : x + width]
    share = patch[..., 3:] / 255
    colour = patch[..., :3] * share + under[..., :3] * (1 - share)
    apart = warp.smooth(np.abs(under[..., :3] - before[..., :3]).max(axis=-1, keepdims=True) / 6)
    return np.dstack([colour, np.maximum(share, apart) * under[..., 3:]])
