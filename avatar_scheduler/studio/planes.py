"""Pictures as YUV 4:2:0 planes: how they are made, and how they are copied into a frame."""

import av
import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.studio.avatar.pack import Box

Pixels = NDArray[np.uint8]
Planes = tuple[Pixels, Pixels, Pixels]

MARGIN = 4
"""Pixels converted around a patch and cut off again: chroma is filtered across neighbours, and without them a patch
would show a seam against the same pixels converted as part of a larger picture."""

_BT709 = 1
_LIMITED = 1


def new_frame(width: int, height: int) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, "yuv420p")
    frame.colorspace = _BT709
    frame.color_range = _LIMITED
    return frame


def views(frame: av.VideoFrame) -> Planes:
    """The frame's own memory: writing to a view draws."""
    y, u, v = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    )
    return y, u, v


def convert(rgba: Pixels) -> Planes:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgba), format="rgba")
    yuv = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
    y, u, v = (plane.copy() for plane in views(yuv))
    return y, u, v


def cut(planes: Planes, box: Box) -> Planes:
    y, u, v = planes
    rows, columns = slice(box.y, box.bottom), slice(box.x, box.right)
    half_rows, half_columns = slice(box.y // 2, box.bottom // 2), slice(box.x // 2, box.right // 2)
    return y[rows, columns], u[half_rows, half_columns], v[half_rows, half_columns]


def paste(target: Planes, source: Planes, box: Box) -> None:
    for to, pixels in zip(cut(target, box), source, strict=True):
        to[:] = pixels
