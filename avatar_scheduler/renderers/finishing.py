"""A film from outside, made ours: decoded whole, drawn into the asked frame with the label on top, encoded again.

Nothing the vendor says about its file is believed. What cannot be decoded, has no picture or no sound, or is far from
as long as the script, is refused. It runs in the process of `builtin`, with its limits.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.filter import Graph
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.marks import credentials, label, source_types
from avatar_scheduler.renderers import marking
from avatar_scheduler.renderers.base import VENDOR_FILM, Order
from avatar_scheduler.renderers.wire import spoken, staged
from avatar_scheduler.rules.renderers import vendor
from avatar_scheduler.studio import audio, encode, planes
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.captions import captions, vtt
from avatar_scheduler.studio.job import LONGEST_SECONDS, estimate_seconds
from avatar_scheduler.studio.timed import Timed
from avatar_scheduler.studio.watermark import Watermark, least

FPS = 30
SHORTER, LONGER = 0.3, 3.0
"""How far from the length the script promises a film may be; a cut off or looping one is further."""
SLACK_SECONDS = 8.0
HEARD = 0.02
"""A sample this loud is speech, not hiss."""
MOST_PIXELS = 4096 * 4096
Say = Callable[[int, str], None]


@dataclass(frozen=True)
class Heard:
    samples: NDArray[np.float32]
    """Mono at 48 kHz."""

    @property
    def span(self) -> tuple[float, float]:
        """From the first sound to the last."""
        loud = np.flatnonzero(np.abs(self.samples) > HEARD)
        return (float(loud[0]) / audio.RATE, float(loud[-1]) / audio.RATE) if len(loud) else (0.0, 0.0)


def make(order: Order, folder: Path, keys: Path, say: Say) -> dict[str, Any]:
    source, name = folder / VENDOR_FILM, vendor(order.renderer).name
    try:
        made = _film(order, source, folder, name, marking.watermark(order, keys), say)
    except (av.error.FFmpegError, ValueError) as problem:
        if isinstance(problem, av.error.MemoryError):
            raise
        raise Refused(f"The film from {name} cannot be decoded. {_AGAIN}", code="vendor_film") from problem
    video = folder / "video.mp4"
    signed = folder / "signed.mp4"
    original = credentials.Ingredient(source, f"Film made by {name}")
    said = marking.sign(order, video, signed, keys, source_types.COMPOSITE, original)
    say(94, "Signed")
    files = {"video": signed.name, "captions": "captions.vtt", "poster": "poster.jpg"}
    return {**made, **files, "human_ms": [], "signed": [{"kind": "video", **said}]}


_AGAIN = "Submit the post again, or use a built-in avatar."


def _film(order: Order, source: Path, folder: Path, name: str, watermark: Watermark, say: Say) -> dict[str, Any]:
    say(60, "Listening")
    heard = _sound(source, name)
    words = spoken(order.text)
    expected = estimate_seconds(words) / staged(order).speed
    seconds = _length(source, name, expected)
    if heard.span[1] - heard.span[0] < min(1.0, expected * SHORTER):
        raise Refused(f"The film from {name} is silent. {_AGAIN}", code="vendor_film")
    art = marking.plate(order, staged(order).size)
    frames = round(seconds * FPS)
    poster = folder / "poster.jpg"
    encode.write_mp4(
        folder / "video.mp4",
        _frames(source, staged(order).size, frames, art, watermark, poster),
        _fitted(audio.master(heard.samples, audio.RATE), seconds),
        size=staged(order).size,
        fps=FPS,
        on_frame=lambda number: say(62 + 28 * (number + 1) // frames, "Finishing"),
    )
    (folder / "captions.vtt").write_text(vtt(captions(_timed(words, *heard.span))), "utf-8")
    width, height = staged(order).size
    return {"width": width, "height": height, "duration_ms": round(frames * 1000 / FPS)}


def _sound(source: Path, name: str) -> Heard:
    with av.open(str(source)) as container:
        if not container.streams.audio:
            raise Refused(f"The film from {name} has no sound. {_AGAIN}", code="vendor_film")
        resampler = av.AudioResampler(format="flt", layout="mono", rate=audio.RATE)
        parts, length = [], 0
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                parts.append(part.to_ndarray().ravel().astype(np.float32))
                length += parts[-1].size
            if length > 2 * LONGEST_SECONDS * audio.RATE:
                raise Refused(f"The film from {name} is far too long. {_AGAIN}", code="vendor_film")
    return Heard(np.concatenate(parts) if parts else np.zeros(0, np.float32))


def _length(source: Path, name: str, expected: float) -> float:
    """Seconds of picture, counted on packets rather than read from the header."""
    with av.open(str(source)) as container:
        if not container.streams.video:
            raise Refused(f"The film from {name} has no picture. {_AGAIN}", code="vendor_film")
        stream = container.streams.video[0]
        if not 16 * 16 <= stream.width * stream.height <= MOST_PIXELS:
            raise Refused(f"The film from {name} has pictures no one can use. {_AGAIN}", code="vendor_film")
        times = [p.pts * stream.time_base for p in container.demux(stream) if p.pts is not None and stream.time_base]
        step = 1 / (stream.average_rate or Fraction(25))
    seconds = float(max(times) - min(times) + step) if times else 0.0
    if not expected * SHORTER - 1 <= seconds <= expected * LONGER + SLACK_SECONDS:
        raise Refused(
            f"The film from {name} is {seconds:.0f} seconds long; the script takes about {expected:.0f}. {_AGAIN}",
            code="vendor_film",
        )
    return seconds


def _frames(
    source: Path, size: tuple[int, int], count: int, art: label.LabelArt, watermark: Watermark, poster: Path
) -> Iterator[av.VideoFrame]:
    """Exactly `count` pictures at a constant rate, each with the label and the hidden mark. The first one well in is
    kept as the poster."""
    plate, box = _plate(art), Box(art.x, art.y, art.width, art.height)
    hidden, whole = least(watermark, size), Box(0, 0, *size)
    given = 0
    shown: av.VideoFrame | None = None
    for at, frame in _scaled(source, size):
        while shown is not None and given < min(count, round(at * FPS)):
            yield shown
            given += 1
        shown = _labelled(frame, plate, box)
        hidden.lay(planes.views(shown), whole)
        if given <= min(count // 2, FPS):
            Image.fromarray(shown.to_ndarray(format="rgb24")).save(poster, "JPEG", quality=88)
    if shown is None or given < count * SHORTER:
        raise ValueError("too few pictures")
    for _ in range(count - given):
        yield shown


def _scaled(source: Path, size: tuple[int, int]) -> Iterator[tuple[float, av.VideoFrame]]:
    """Each picture with its second, fitted into the frame whole; what is left over is black."""
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        graph = _fitter(stream, size)
        first: float | None = None
        for frame in container.decode(stream):
            if frame.pts is None:
                continue
            first = frame.time if first is None else first
            graph.push(frame)
            yield frame.time - first, graph.vpull()


def _fitter(stream: VideoStream, size: tuple[int, int]) -> Graph:
    width, height = size
    graph = Graph()
    fit = f"{width}:{height}:force_original_aspect_ratio=decrease:out_color_matrix=bt709:out_range=tv"
    feed, sink = graph.add_buffer(template=stream), graph.add("buffersink")
    chain = [
        graph.add("scale", fit),
        graph.add("pad", f"{width}:{height}:-1:-1:black"),
        graph.add("format", "yuv420p"),
    ]
    for left, right in zip([feed, *chain], [*chain, sink], strict=True):
        left.link_to(right)
    graph.configure()
    return graph


Plate = tuple[planes.Planes, tuple[NDArray[np.uint16], ...]]


def _plate(art: label.LabelArt) -> Plate:
    """The label's planes and how much each pixel of them covers."""
    rgba = np.frombuffer(art.rgba, np.uint8).reshape(art.height, art.width, 4)
    alpha = rgba[..., 3].astype(np.uint16)
    half = ((alpha[::2, ::2] + alpha[1::2, ::2] + alpha[::2, 1::2] + alpha[1::2, 1::2] + 2) // 4).astype(np.uint16)
    solid = rgba.copy()
    solid[..., 3] = 255
    colour = av.VideoFrame.from_ndarray(solid, format="rgba").reformat(
        format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
    )
    y, u, v = (plane.copy() for plane in planes.views(colour))
    return (y, u, v), (alpha, half, half)


def _labelled(frame: av.VideoFrame, plate: Plate, box: Box) -> av.VideoFrame:
    made = planes.new_frame(frame.width, frame.height)
    for target, source in zip(planes.views(made), planes.views(frame), strict=True):
        target[:] = source
    for under, over, alpha in zip(planes.cut(planes.views(made), box), *plate, strict=True):
        under[:] = ((over * alpha + under * (255 - alpha) + 127) // 255).astype(np.uint8)
    return made


def _fitted(sound: audio.Sound, seconds: float) -> audio.Sound:
    """As long as the picture, to the sample."""
    whole = np.zeros((2, round(seconds * audio.RATE)), np.float32)
    length = min(whole.shape[1], sound.shape[1])
    whole[:, :length] = sound[:, :length]
    return whole


def _timed(text: str, start: float, end: float) -> tuple[Timed, ...]:
    """When each word is about heard: shares of the spoken time by their letters, for a vendor tells no better."""
    words = text.split()
    weights = np.array([len(word) + 2 for word in words], float)
    ends = start + (end - start) * np.cumsum(weights) / weights.sum()
    return tuple(
        Timed(word, float(begin), float(stop))
        for word, begin, stop in zip(words, [start, *ends[:-1]], ends, strict=True)
    )
