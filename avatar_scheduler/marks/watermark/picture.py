"""What the detector looks at: some frames of a film averaged, or one still picture."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

Blue = NDArray[np.float32]
"""Blue against luma, rows from the top, in levels; half as many pixels each way as the picture has. Any range and any
offset will do."""
Span = tuple[int, int]
"""Start and end in ms from the first frame."""

WINDOWS, TAKEN, STEP = 4, 12, 2
"""Frames are taken at so many places of a film, so many at each, this many apart: the mark stands still while the
picture moves on, so that an average keeps the one and blurs the other."""
MOST_DECODED = 600
"""Frames to decode for one window: more lie between two key frames only where somebody made it so."""
LARGEST = 4096
"""Pixels along the longest side of what is looked at."""
STILL_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
STILLS = ("JPEG", "PNG", "WEBP")


def resized(plane: Blue, size: tuple[int, int]) -> Blue:
    """To a width and height; what shrinks is averaged."""
    import cv2

    way = cv2.INTER_AREA if size[0] < plane.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, size, interpolation=way), np.float32)


def of_file(path: Path, *, human_ms: tuple[Span, ...] = ()) -> Blue:
    """A still or a film, as the file's first bytes say. Raises Invalid when it is neither, or cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError as problem:
        raise Invalid(f"{path.name} cannot be read: {problem.strerror}.") from problem
    if start.startswith(STILL_STARTS) or start[8:] == b"WEBP":
        return of_still(path)
    return of_film(path, human_ms=human_ms)


def of_still(path: Path) -> Blue:
    """Raises Invalid when it is no JPEG, PNG or WebP that can be read."""
    from PIL import Image

    try:
        with Image.open(path, formats=STILLS) as image:
            _refuse_size(image.width, image.height)
            rgb = np.asarray(image.convert("RGB"), np.float32)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        raise Invalid(f"{path.name} cannot be read as a picture.") from problem
    luma = rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    blue = (rgb[..., 2] - luma) / np.float32(1.8556)  # BT.709
    return resized(blue, (max(1, blue.shape[1] // 2), max(1, blue.shape[0] // 2)))


def of_film(path: Path, *, human_ms: tuple[Span, ...] = ()) -> Blue:
    """The average of some fifty frames, or of all there are, none of them within `human_ms`.

    Raises Invalid when the file has no picture that can be decoded, or nothing outside those parts.
    """
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise Invalid(f"{path.name} holds no picture.")
            return _average(_frames(container, container.streams.video[0], human_ms))
    except (av.FFmpegError, OSError, ValueError) as problem:
        raise Invalid(f"{path.name} cannot be read as a film: {problem}.") from problem


def _average(frames: "Iterator[av.VideoFrame]") -> Blue:
    total, count = np.zeros((0, 0), np.float32), 0
    for frame in frames:
        blue = _blue(frame)
        if count and blue.shape != total.shape:
            raise Invalid("The picture changes its size on the way.")
        total = total + blue if count else blue
        count += 1
    if not count:
        raise Invalid("No frame of the avatar's could be decoded.")
    return total / np.float32(count)


def _blue(frame: "av.VideoFrame") -> Blue:
    _refuse_size(frame.width, frame.height)
    if frame.format.name not in ("yuv420p", "yuvj420p"):
        frame = frame.reformat(format="yuv420p", dst_colorspace=1)
    plane = frame.planes[1]
    whole = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return whole[:, : plane.width].astype(np.float32)


def _frames(
    container: "InputContainer", stream: "VideoStream", human_ms: tuple[Span, ...]
) -> "Iterator[av.VideoFrame]":
    """A window begins at the last key frame before its place, or after the window before it: in a film with a single
    key frame the windows follow each other."""
    seen_ms = -1
    for target in _targets(_length(container, stream), human_ms):
        if stream.time_base:
            container.seek(round(target / 1000 / stream.time_base) + (stream.start_time or 0), stream=stream)
        fresh = taken = 0
        for decoded, frame in enumerate(container.decode(stream)):
            at = _at(frame, stream)
            if at > seen_ms and not any(begin <= at < end for begin, end in human_ms):
                if fresh % STEP == 0:
                    taken, seen_ms = taken + 1, at
                    yield frame
                fresh += 1
            if taken == TAKEN or decoded >= MOST_DECODED:
                break


def _at(frame: "av.VideoFrame", stream: "VideoStream") -> int:
    if frame.pts is None or frame.time_base is None:
        raise Invalid("The picture is damaged.")
    return round((frame.pts - (stream.start_time or 0)) * frame.time_base * 1000)


def _length(container: "InputContainer", stream: "VideoStream") -> int:
    """In ms, as the file says; 0 where it does not."""
    if stream.duration and stream.time_base:
        return round(stream.duration * stream.time_base * 1000)
    return (container.duration or 0) // 1000


def _targets(length: int, human_ms: tuple[Span, ...]) -> list[int]:
    """Where windows begin: evenly over what is the avatar's."""
    left = length - sum(end - begin for begin, end in human_ms)
    targets = [left * number // WINDOWS for number in range(WINDOWS)]
    for begin, end in sorted(human_ms):
        targets = [target + (end - begin) if target >= begin else target for target in targets]
    return targets


def _refuse_size(width: int, height: int) -> None:
    if max(width, height) > LARGEST:
        raise Invalid(f"The picture is {width}x{height}, larger than the {LARGEST} that are looked at.")
