"""Pictures like those we make, and the ways of platforms and people with them."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.marks.watermark import embed

Pixels = NDArray[np.uint8]
Planes = tuple[Pixels, Pixels, Pixels]
Change = Callable[[Pixels], Pixels]

ID = "1badcafe"
KEY = bytes(range(32))
OTHER_KEY = bytes(32)
TALL, PORTRAIT, SQUARE, WIDE = (1080, 1920), (1080, 1350), (1080, 1080), (1920, 1080)
SMALL = (540, 960)
FRAMES = 12


def scene(size: tuple[int, int], seed: int = 1) -> Planes:
    """A soft wall, flat shapes in front of it and some words."""
    width, height = size
    chance = np.random.default_rng(seed)
    down, across = np.mgrid[0:height, 0:width].astype(np.float32) / max(size)
    rgb = np.dstack([150 + 70 * down, 140 + 60 * across, 120 + 40 * np.sin(3 * across + 2 * down)]).astype(np.uint8)
    for _ in range(14):
        middle = (int(chance.integers(width)), int(chance.integers(height)))
        radii = (int(chance.integers(20, width // 4)), int(chance.integers(20, height // 6)))
        cv2.ellipse(rgb, middle, radii, 20, 0, 360, [int(c) for c in chance.integers(20, 230, 3)], -1, cv2.LINE_AA)
    cv2.putText(rgb, "AI Avatar of Maya", (width // 8, height // 3), 0, width / 540, (250, 250, 250), 4, cv2.LINE_AA)
    return to_planes(rgb)


def to_planes(rgb: Pixels) -> Planes:
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p", dst_colorspace=1)
    return views(frame)


def to_rgb(planes: Planes) -> Pixels:
    return np.asarray(to_frame(planes).to_ndarray(format="rgb24"), np.uint8)


def to_frame(planes: Planes) -> av.VideoFrame:
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, "yuv420p")
    frame.colorspace, frame.color_range = 1, 1
    for to, pixels in zip(views(frame), planes, strict=True):
        to[:] = pixels
    return frame


def views(frame: av.VideoFrame) -> Planes:
    y, u, v = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    )
    return y, u, v


def marked(planes: Planes, mark_id: str = ID, key: bytes = KEY) -> Planes:
    y, u, v = (plane.copy() for plane in planes)
    embed.field(y, mark_id, key).add(u)
    return y, u, v


def film(
    path: Path,
    planes: Planes,
    *,
    crf: int = 21,
    size: tuple[int, int] | None = None,
    change: Change | None = None,
    frames: int = FRAMES,
) -> Path:
    """H.264 of a picture in which a spot moves, `change`d (RGB) and scaled before it is encoded."""
    width, height = size or (planes[0].shape[1], planes[0].shape[0])
    with av.open(path, "w") as container:
        stream = container.add_stream(
            "libx264", rate=30, options={"preset": "veryfast", "crf": str(crf), "threads": "1"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            y = planes[0].copy()
            y[200:280, 8 * number : 8 * number + 80] = 60
            frame = to_frame((y, *planes[1:]))
            if change:
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(change(to_rgb((y, *planes[1:])))))
            frame = frame.reformat(width, height, "yuv420p", dst_colorspace=1)
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
