"""Pictures as YUV 4:2:0 planes: how they are made, and how they are copied into a frame."""

from functools import lru_cache

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from avatar_scheduler.studio.avatar.pack import Box

Pixels = NDArray[np.uint8]
Planes = tuple[Pixels, Pixels, Pixels]

MARGIN = 4
"""Pixels converted around a patch and cut off again: chroma is filtered across neighbours, and without them a patch
would show a seam against the same pixels converted as part of a larger picture."""

BT709 = 1
LIMITED = 1
_SIZES_KEPT = 12


def new_frame(width: int, height: int) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, "yuv420p")
    frame.colorspace = BT709
    frame.color_range = LIMITED
    return frame


def views(frame: av.VideoFrame) -> Planes:
    """The frame's own memory: writing to a view draws."""
    y, u, v = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    )
    return y, u, v


class Converter:
    """RGBA to planes. What it needs for a size it keeps: for small patches that is most of the work."""

    def __init__(self) -> None:
        self._kept = lru_cache(maxsize=_SIZES_KEPT)(_prepared)

    def __call__(self, rgba: Pixels) -> Planes:
        """Alpha is not looked at. The planes are the caller's own."""
        height, width = rgba.shape[:2]
        pixels = self.paper(width, height)
        if pixels is not rgba:
            pixels[:] = rgba
        frame, _, reformatter = self._kept(width, height)
        # More threads than one cost three times the work at the size of a mouth.
        yuv = reformatter.reformat(frame, format="yuv420p", dst_colorspace=BT709, dst_color_range=LIMITED, threads=1)
        return views(yuv)

    def paper(self, width: int, height: int) -> Pixels:
        """RGBA to draw on and to convert next: the same each time for a size, so that it need not be copied."""
        return self._kept(width, height)[1]


def _prepared(width: int, height: int) -> tuple[av.VideoFrame, Pixels, VideoReformatter]:
    frame = av.VideoFrame(width, height, "rgba")
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(height, plane.line_size)
    return frame, rows[:, : width * 4].reshape(height, width, 4), VideoReformatter()


def cut(planes: Planes, box: Box) -> Planes:
    y, u, v = planes
    rows, columns = slice(box.y, box.bottom), slice(box.x, box.right)
    half_rows, half_columns = slice(box.y // 2, box.bottom // 2), slice(box.x // 2, box.right // 2)
    return y[rows, columns], u[half_rows, half_columns], v[half_rows, half_columns]


def paste(target: Planes, source: Planes, box: Box) -> None:
    for to, pixels in zip(cut(target, box), source, strict=True):
        to[:] = pixels
