"""Moving material: films decoded to planes of the frame's size, one for each frame of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

import av
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio import planes
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.job import Material

_MOST_CUT = 0.3
"""Of a human clip's picture: beyond that it is shown whole, on black."""
_UNSPECIFIED = 2
_BLACK = (16, 128, 128)


class Moving:
    """One material. Raises Invalid with its name as soon as it cannot be read."""

    def __init__(self, name: str, material: Material) -> None:
        self._name = name
        self._path = material.path
        with self._open() as (container, stream):
            if stream.duration and stream.time_base:
                self.seconds = float(stream.duration * stream.time_base)
            else:
                self.seconds = (container.duration or 0) / av.time_base
            self._size = (stream.width, stream.height)
        if self.seconds <= 0:
            raise self._unreadable()

    def frames(self, fps: int) -> int:
        return max(1, round(self.seconds * fps))

    def covering(self, size: tuple[int, int], fps: int, *, loop: bool) -> Iterator[planes.Planes]:
        """Endless: over again with `loop`, else the last picture stays. A picture that stays is the same object."""
        last: av.VideoFrame | None = None
        for frame in self._timed(size, fps, loop=loop, inside=False):
            if frame is not last:
                last, cut = frame, _covering(frame, size)
            yield cut

    def fitted(self, size: tuple[int, int], fps: int) -> Iterator[planes.Planes]:
        """For a clip shown as it is: cut to the frame where little is lost, else whole on black."""
        if _cut_away(self._size, size) <= _MOST_CUT:
            yield from self.covering(size, fps, loop=False)
            return
        whole = planes.views(planes.new_frame(*size))
        for plane, black in zip(whole, _BLACK, strict=True):
            plane[:] = black
        for frame in self._timed(size, fps, loop=False, inside=True):
            x, y = (size[0] - frame.width) // 4 * 2, (size[1] - frame.height) // 4 * 2
            planes.paste(whole, planes.views(frame), Box(x, y, frame.width, frame.height))
            yield whole

    def _timed(self, size: tuple[int, int], fps: int, *, loop: bool, inside: bool) -> Iterator[av.VideoFrame]:
        """The picture to be seen in the middle of each of our frames, at the size it is needed."""
        scaled, reformatter = _scaled(self._size, size, inside=inside), VideoReformatter()
        number = 0
        while True:
            begun, shown = number, None
            for seconds, frame in self._decoded():
                # A picture stays until the middle of our frame has passed the beginning of the next.
                if shown and (number - begun + 0.5) / fps < seconds:
                    made = _reformatted(shown, scaled, reformatter)
                    while (number - begun + 0.5) / fps < seconds:
                        yield made
                        number += 1
                shown = frame
            if not shown:
                raise self._unreadable()
            made = _reformatted(shown, scaled, reformatter)
            while not loop or number - begun < self.frames(fps):
                yield made
                number += 1

    def _decoded(self) -> Iterator[tuple[float, av.VideoFrame]]:
        with self._open() as (container, stream):
            stream.codec_context.thread_count = 1
            first: float | None = None
            for frame in container.decode(stream):
                if frame.time is None or (frame.width, frame.height) != self._size:
                    raise self._unreadable()
                first = frame.time if first is None else first
                yield frame.time - first, frame

    @contextmanager
    def _open(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        try:
            with av.open(str(self._path)) as container:
                if not container.streams.video:
                    raise self._unreadable()
                yield container, container.streams.video[0]
        except (av.FFmpegError, OSError) as error:
            raise self._unreadable() from error

    def _unreadable(self) -> Invalid:
        return Invalid(f"The clip “{self._name}” cannot be read. Upload it again.", code="material_unreadable")


def _cut_away(source: tuple[int, int], size: tuple[int, int]) -> float:
    scale = max(size[0] / source[0], size[1] / source[1])
    return 1 - size[0] * size[1] / (source[0] * source[1] * scale**2)


def _scaled(source: tuple[int, int], size: tuple[int, int], *, inside: bool) -> tuple[int, int]:
    ratios = size[0] / source[0], size[1] / source[1]
    scale = min(ratios) if inside else max(ratios)
    width, height = (2 * ceil(side * scale / 2 - 1e-6) for side in source)
    return (min(width, size[0]), min(height, size[1])) if inside else (width, height)


def _reformatted(frame: av.VideoFrame, size: tuple[int, int], reformatter: VideoReformatter) -> av.VideoFrame:
    if frame.colorspace == _UNSPECIFIED:
        frame.colorspace = planes.BT709
    return reformatter.reformat(
        frame,
        width=size[0],
        height=size[1],
        format="yuv420p",
        dst_colorspace=planes.BT709,
        dst_color_range=planes.LIMITED,
        threads=1,
    )


def _covering(frame: av.VideoFrame, size: tuple[int, int]) -> planes.Planes:
    x, y = (frame.width - size[0]) // 4 * 2, (frame.height - size[1]) // 4 * 2
    return planes.cut(planes.views(frame), Box(x, y, *size))
