"""A region of the frames of a video, as luma: just enough decoding to look at a label."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid

Luma = NDArray[np.float32]
"""0 black to 255 white, rows from the top."""

DECODER = f"PyAV {av.__version__}"
PLANAR = frozenset({"yuv420p", "yuvj420p", "nv12", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "gray"})
"""Formats whose first plane is 8-bit luma; anything else is converted, slowly."""
FULL_RANGE = 2
LONGEST_BLINK_MS = 2000


@dataclass(frozen=True)
class Region:
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Survey:
    """What the container says, without decoding."""

    width: int
    height: int
    first_pts: int
    frames_ms: list[int]
    """When each frame shows, from 0, sorted."""
    end_ms: int


def survey(path: Path) -> Survey:
    """Raises Invalid when the file is not one whole video with one upright picture track."""
    with _open(path) as (container, stream):
        shown = [(p.pts, p.duration or 0) for p in container.demux(stream) if p.pts is not None and not p.is_discard]
        if not shown or stream.time_base is None:
            raise Invalid("The file holds no picture.")
        if stream.frames > len(shown):
            raise Invalid(f"The file is cut short: {len(shown)} of {stream.frames} frames are there.")
        if stream.sample_aspect_ratio not in (None, 0, 1):
            raise Invalid("The file asks players to stretch the picture. Encode it with square pixels.")
        first, step = min(shown)[0], stream.time_base * 1000
        end = max(pts + duration for pts, duration in shown)
        frames = sorted(round((pts - first) * step) for pts, _ in shown)
        return Survey(stream.width, stream.height, first, frames, round((end - first) * step))


def look(
    path: Path, regions: Sequence[Region], first_pts: int, *, every_frame: bool
) -> Iterator[tuple[int, list[Luma]]]:
    """The regions of the frames, with when they show (ms from `first_pts`). Raises Invalid when they cannot be read.

    Without `every_frame` the decoder leaves out the frames between those the film is built from (B frames): of our own
    films it looks at about every fourth, for a third of the cost.
    """
    with _open(path) as (container, stream):
        if not every_frame:
            stream.codec_context.skip_frame = "BIDIR"
            stream.codec_context.options = {"skip_loop_filter": "all"}  # blurs block edges; the label survives without
        for frame in container.decode(stream):
            if frame.pts is None or frame.time_base is None:
                raise Invalid("The picture is damaged.")
            if frame.rotation or (frame.width, frame.height) != (stream.width, stream.height):
                raise Invalid("The picture turns or changes size. Encode it upright in one size.")
            yield round((frame.pts - first_pts) * frame.time_base * 1000), _lumas(frame, regions)


def covers(seen_ms: list[int], survey: Survey) -> bool:
    """Whether the frames looked at include both ends and leave no blink longer than 2 s between them."""
    if not seen_ms or seen_ms[0] != survey.frames_ms[0] or seen_ms[-1] != survey.frames_ms[-1]:
        return False
    return all(after - before <= LONGEST_BLINK_MS for before, after in pairwise(seen_ms))


def luma_of(rgb: NDArray[np.float32]) -> Luma:
    """BT.709 weights; the label is so near grey that BT.601 differs by less than one step."""
    return rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)


@contextmanager
def _open(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    try:
        with av.open(path) as container:
            if len(container.streams.video) != 1:
                raise Invalid(f"The file has {len(container.streams.video)} picture tracks, it must have one.")
            yield container, container.streams.video[0]
    except (av.FFmpegError, OSError) as problem:
        raise Invalid(f"The video cannot be read: {problem.strerror}.") from problem


def _lumas(frame: av.VideoFrame, regions: Sequence[Region]) -> list[Luma]:
    if frame.format.name in PLANAR:
        plane = frame.planes[0]
        whole = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
        full = frame.color_range == FULL_RANGE or frame.format.name.startswith(("yuvj", "gray"))
        parts: list[Luma] = [_part(whole, region).astype(np.float32) for region in regions]
        return parts if full else [(part - 16) * np.float32(255 / 219) for part in parts]
    picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    return [luma_of(_part(picture, region).astype(np.float32)) for region in regions]


def _part(picture: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    return picture[region.y : region.y + region.height, region.x : region.x + region.width]
