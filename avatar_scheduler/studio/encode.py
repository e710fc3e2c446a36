"""H.264 and AAC in MP4, constant frame rate: repeated frames cost next to nothing and every receiver takes them."""

from __future__ import annotations  # av.Packet is generic for the type checker only

import platform
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from avatar_scheduler.studio import audio

# veryfast at 21 with a short lookahead: the same size as with the default lookahead for a tenth less work.
_X264 = {"preset": "veryfast", "crf": "21", "threads": "2"}
_X264_PARAMS = "rc-lookahead=10:scenecut=0"
# Measured at 540x960: its AVX2 code gave one film in ten a different first picture, from the same frames. Never with
# SSE4.2 (or without mbtree, which costs far more bytes), and for the same CPU time. Numpy needs SSE4.2 anyway.
_REPEATABLE = ":asm=SSE4.2" if platform.machine().lower() in ("x86_64", "amd64") else ""
_BT709 = 1
_LIMITED = 1
_AAC_BITS = 128_000
_AAC_FRAME = 1024
_AAC = {"aac_coder": "fast"}
"""At 128 kbit/s for a voice nobody hears the slow search, and it costs as much as all the drawing."""
KEYFRAME_SECONDS = 2


def video_stream(container: OutputContainer, width: int, height: int, fps: int) -> VideoStream:
    stream = container.add_stream("libx264", rate=fps, options={**_X264, "x264-params": _X264_PARAMS + _REPEATABLE})
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, fps)
    context.gop_size = KEYFRAME_SECONDS * fps
    # Without these tags players guess, and colours shift.
    context.color_range, context.colorspace = _LIMITED, _BT709
    context.color_primaries, context.color_trc = _BT709, _BT709
    return stream


def write_mp4(
    path: Path,
    frames: Iterable[av.VideoFrame | None],
    sound: audio.Sound,
    *,
    size: tuple[int, int],
    fps: int,
    drop_repeats: bool = False,
    on_frame: Callable[[int], None] = lambda number: None,
) -> None:
    """`frames` may be one frame drawn over again: each is encoded before the next is asked for. None repeats the last.

    With `drop_repeats` a repeated picture is not encoded but stays longer: cheaper, and not every receiver takes it.
    """
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = video_stream(container, *size, fps)
        track = container.add_stream("aac", rate=audio.RATE, layout="stereo", bit_rate=_AAC_BITS, options=_AAC)
        waiting = deque(_sound_packets(track, sound))
        tick = Fraction(1, fps)
        for number, frame in _numbered(frames, drop_repeats=drop_repeats):
            if frame is not None:
                frame.pts, frame.time_base = number, tick
                for packet in video.encode(frame):
                    _mux_due(container, waiting, packet)
                    container.mux(packet)
            on_frame(number)
        container.mux(video.encode(None))
        container.mux(list(waiting))


def _numbered(
    frames: Iterable[av.VideoFrame | None], *, drop_repeats: bool
) -> Iterator[tuple[int, av.VideoFrame | None]]:
    """What to encode, None where nothing is. The last picture always is: it says when the film ends."""
    last: av.VideoFrame | None = None
    number, left_out = -1, False
    for number, frame in enumerate(frames):
        left_out = frame is None and drop_repeats
        last = frame or last
        yield number, None if left_out else last
    if left_out:
        yield number, last


def _sound_packets(track: AudioStream, sound: audio.Sound) -> list[Packet[AudioStream]]:
    packets: list[Packet[AudioStream]] = []
    tick = Fraction(1, audio.RATE)
    for start in range(0, sound.shape[1], _AAC_FRAME):
        part = np.ascontiguousarray(sound[:, start : start + _AAC_FRAME])
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = audio.RATE, start, tick
        packets += track.encode(frame)
    return packets + track.encode(None)


def _mux_due(container: OutputContainer, waiting: deque[Packet[AudioStream]], video: Packet[VideoStream]) -> None:
    """Interleave: mux the sound that is due before this picture."""
    if not waiting:
        return
    until = (video.dts or 0) * float(video.time_base) / float(waiting[0].time_base)
    while waiting and (waiting[0].dts or 0) <= until:
        container.mux(waiting.popleft())
