"""Perceptual hashes: a weak thread back to a signed file, for copies that lost the watermark too.

Each is the sign of the 64 lowest frequencies of a picture, shrunk to 32x32, around their median (the "pHash" of
C. Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010). Fifteen lines of OpenCV, which
is here already, instead of ImageHash, which would bring SciPy and PyWavelets.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid

Plane = NDArray[np.uint8]

MOMENTS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of the film's length."""
MOST_DECODED = 3000
"""Frames decoded for all moments together: a film with one key frame is not read to its end five times."""
_SIDE, _LOW = 32, 8


def of_video(path: Path) -> list[str]:
    """One print for each of MOMENTS, 16 hexadecimal digits each. Raises Invalid when the film cannot be read."""
    try:
        with av.open(path) as container:
            if not container.streams.video:
                raise Invalid("The file holds no picture.")
            return [of_plane(luma(frame)) for frame in moments(container, container.streams.video[0])]
    except (av.FFmpegError, OSError) as problem:
        raise Invalid(f"The video cannot be read: {problem.strerror}.") from problem


def of_picture(path: Path) -> list[str]:
    """Raises Invalid when the picture cannot be read."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return of_still(np.asarray(image.convert("L")))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        raise Invalid("The picture cannot be read.") from problem


def of_still(plane: Plane) -> list[str]:
    """Of the whole picture and of its quarters, so that a sticker on one of them leaves four."""
    rows, columns = plane.shape[0] // 2, plane.shape[1] // 2
    parts = (plane, plane[:rows, :columns], plane[:rows, columns:], plane[rows:, :columns], plane[rows:, columns:])
    return [of_plane(part) for part in parts]


def of_plane(plane: Plane) -> str:
    small = cv2.resize(plane, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:_LOW, :_LOW].flatten()
    return np.packbits(low > np.median(low[1:])).tobytes().hex()


def moments(container: InputContainer, stream: VideoStream, at: Sequence[float] = MOMENTS) -> Iterator[av.VideoFrame]:
    """The frame shown at each of these parts of the film's length, rising. Raises Invalid when one is not there."""
    base, start = stream.time_base or 1, stream.start_time or 0
    length = stream.duration or round((container.duration or 0) / av.time_base / base)
    shown: av.VideoFrame | None = None
    frames: Iterator[av.VideoFrame] = iter(())
    left = MOST_DECODED
    for part in at:
        wanted = start + round(part * length)
        if shown is None or _key_before(stream, wanted) > (shown.pts or 0):
            container.seek(wanted, stream=stream)
            frames = container.decode(stream)
        while shown is None or shown.pts is None or shown.pts < wanted:
            following, left = next(frames, None), left - 1
            if following is None or left < 0:
                break
            shown = following
        if shown is None:
            raise Invalid("The film is damaged or cut off.")
        yield shown


def _key_before(stream: VideoStream, wanted: int) -> int:
    """Of the nearest frame decoding can begin with; `wanted` itself where the file has no index."""
    place = stream.index_entries.search_timestamp(wanted)
    return stream.index_entries[place].timestamp if place >= 0 else wanted


def luma(frame: av.VideoFrame) -> Plane:
    return frame.to_ndarray(format="gray", threads=1).astype(np.uint8)
