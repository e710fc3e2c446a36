"""Pulling a picture about: where each pixel comes from, and the smooth weights that keep the edges still."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Points = NDArray[np.float64]
Box = tuple[int, int, int, int]


def sample(picture: Floats, x: Floats, y: Floats) -> Floats:
    """The picture read at broken coordinates, between its four nearest pixels."""
    height, width = picture.shape[:2]
    inside_x, inside_y = np.clip(x, 0, width - 1.001), np.clip(y, 0, height - 1.001)
    left, top = inside_x.astype(np.int32), inside_y.astype(np.int32)
    across = (inside_x - left)[..., None].astype(np.float32)
    down = (inside_y - top)[..., None].astype(np.float32)
    upper = picture[top, left] * (1 - across) + picture[top, left + 1] * across
    lower = picture[top + 1, left] * (1 - across) + picture[top + 1, left + 1] * across
    mixed: Floats = (upper * (1 - down) + lower * down).astype(np.float32)
    return mixed


def smooth(share: NDArray[np.floating]) -> Floats:
    """0 to 1 without a kink at either end."""
    t = np.clip(share, 0, 1).astype(np.float32)
    eased: Floats = t * t * (3 - 2 * t)
    return eased


def bell(distance: NDArray[np.floating], width: float) -> Floats:
    falling: Floats = np.exp(-((distance / width) ** 2)).astype(np.float32)
    return falling


def grid(box: Box) -> tuple[Floats, Floats]:
    """x and y of each pixel of a box."""
    x, y, width, height = box
    ys, xs = np.mgrid[y : y + height, x : x + width].astype(np.float32)
    return xs, ys


def changed(patch: Floats, across: Floats, down: Floats) -> Floats:
    """The patch, clear where nothing was moved: it joins the picture under it without a seam."""
    patch[..., 3] *= smooth(np.hypot(across, down) / 0.8)
    return patch


def curve(points: Points, x: NDArray[np.floating]) -> Floats:
    """y of a line of landmarks at each x, level beyond its ends."""
    order = np.argsort(points[:, 0])
    line: Floats = np.interp(x, points[order, 0], points[order, 1]).astype(np.float32)
    return line
