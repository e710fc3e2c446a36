"""Films of a person or a place: written anew as H.264, 30 frames a second, upright, without metadata."""

import io
import itertools
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.error import BlockingIOError, EOFError  # noqa: A004  (FFmpeg's "nothing yet" and "nothing more")
from av.filter import Graph
from PIL import Image, JpegImagePlugin  # noqa: F401  (registers itself, and later no file can be read)

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.uploads import kinds, streams
from avatar_scheduler.uploads.handed import Files, Task, Tell

SOUND_RATE = 48_000
_TURNS = {90: ("transpose", "cclock"), -270: ("transpose", "cclock"), -90: ("transpose", "clock"),
          270: ("transpose", "clock")}  # fmt: skip
# An intermediate: quick to write, and good enough to be encoded once more into the post.
_X264 = {"preset": "superfast", "crf": "18", "threads": "1", "rc-lookahead": "10", "g": str(kinds.KEPT_RATE)}
_BT709 = 1
_MOST_EARLY = 2_000
_SHOWN = 10
"""The frame a thumbnail shows: the very first is often dark."""


def prepare(options: Mapping[str, Any]) -> Task:
    streams.load()
    with av.open(io.BytesIO(), "w", format="mp4") as out:
        _film_stream(out, 64, 64)
        _sound_stream(out)
    return convert


def convert(files: Files, options: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    with streams.opened(files.source, options["opener"]) as container:
        streams.check(container, kinds.CLIP_SECONDS)
        picture = film(container)
        sound = container.streams.audio[0] if container.streams.audio else None
        if sound:
            streams.check_sound(sound, kinds.CLIP_CHANNELS)
        with av.open(files.target, "w", format="mp4", options={"fflags": "+bitexact"}) as out:
            made = _write(container, out, picture, sound, tell)
    if made.shown is not None:
        files.show(made.shown)
    width, height = made.size
    return {"mime": "video/mp4", "width": width, "height": height, "duration_ms": made.duration_ms}


def film(container: InputContainer) -> av.VideoStream:
    """The one film in the file. Raises Invalid for several, and for what is not decoded here."""
    found = streams.films(container)
    if len(found) != 1:
        raise Invalid(f"The file has {len(found)} films in it; bring one with one.", code="upload_streams")
    only = found[0]
    if only.codec_context is None or only.codec_context.name not in streams.FILM_CODECS:
        raise streams.strange("film", only)
    width, height = only.codec_context.width, only.codec_context.height
    if width * height > kinds.CLIP_PIXELS:
        raise Invalid(f"The film is {width}x{height}; 4096x2304 is the most. Export it smaller.", code="upload_pixels")
    if min(width, height) < kinds.SHORTEST_SIDE:
        raise Invalid(f"The film is {width}x{height}; that is too small to show.", code="upload_small")
    rate = only.average_rate
    if rate and rate > kinds.CLIP_RATE:
        raise Invalid(
            f"The film has {float(rate):.0f} frames a second; {kinds.CLIP_RATE} is the most.", code="upload_frames"
        )
    only.codec_context.thread_count = 1
    return only


def _fitted(width: int, height: int) -> tuple[int, int]:
    """At most `CLIP_SIDE` on the longer side; even, as the colour planes want it."""
    scale = min(1.0, kinds.CLIP_SIDE / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _upright(film: av.VideoStream, frame: av.VideoFrame) -> tuple[int, int]:
    """As it is seen: with square pixels, and turned as the camera was held."""
    shape = film.sample_aspect_ratio or Fraction(1)
    width = round(frame.width * shape) if Fraction(1, 4) < shape < 4 else frame.width
    return (frame.height, width) if frame.rotation in _TURNS else (width, frame.height)


def _film_stream(out: OutputContainer, width: int, height: int) -> av.VideoStream:
    stream = out.add_stream("libx264", rate=kinds.KEPT_RATE, options=_X264)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    context.colorspace = context.color_primaries = context.color_trc = context.color_range = _BT709
    return stream


def _sound_stream(out: OutputContainer) -> av.AudioStream:
    stream = out.add_stream("aac", rate=SOUND_RATE, layout="stereo")
    stream.bit_rate = 192_000
    return stream


class _Frames:
    """Decoded frames in the file's order, timed from zero."""

    def __init__(self, container: InputContainer, film: av.VideoStream, sound: av.AudioStream | None) -> None:
        self.start = Fraction(container.start_time or 0, av.time_base)
        self.packets = container.demux(*([film, sound] if sound else [film]))

    def __iter__(self) -> Iterator[av.VideoFrame | av.AudioFrame]:
        for packet in self.packets:
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame | av.AudioFrame):
                    yield self._timed(frame)

    def _timed(self, frame: av.VideoFrame | av.AudioFrame) -> av.VideoFrame | av.AudioFrame:
        """Never past the longest film we take: a gap in time would be filled with copies."""
        base = frame.time_base
        if frame.pts is None or not base:
            raise Invalid("The film does not say when its frames are shown. Export it again.", code="upload_damaged")
        frame.pts -= round(self.start / base)
        if frame.pts * base > kinds.CLIP_SECONDS + streams.GRACE:
            raise streams.too_long(kinds.CLIP_SECONDS)
        return frame


def _first_picture(frames: Iterator[av.VideoFrame | av.AudioFrame]) -> tuple[av.VideoFrame, list[av.AudioFrame]]:
    """Its size is needed before anything is written; sound that comes before it waits."""
    early: list[av.AudioFrame] = []
    for frame in frames:
        if isinstance(frame, av.VideoFrame):
            return frame, early
        early.append(frame)
        if len(early) > _MOST_EARLY:
            break
    raise Invalid("There is no picture at the start of the film.", code="upload_damaged")


class _Film:
    def __init__(self, out: OutputContainer, stream: av.VideoStream, first: av.VideoFrame) -> None:
        self.out, self.first = out, first
        self.size = _fitted(*_upright(stream, first))
        self.stream = _film_stream(out, *self.size)
        self.graph = _picture_graph(stream, first, *self.size)
        self.seen = self.written = 0
        self.shown: Image.Image | None = None

    @property
    def duration_ms(self) -> int:
        return self.written * 1000 // kinds.KEPT_RATE

    def push(self, frame: av.VideoFrame | None) -> None:
        if frame is not None:
            self._check(frame)
        self.graph.push(frame)
        for ready in _pulled(self.graph):
            ready.pict_type = 0  # theirs: which frames are whole is for our encoder to choose
            self.out.mux(self.stream.encode(ready))
            self.written += 1
            if self.written in (1, _SHOWN):
                self.shown = ready.to_image(threads=1)

    def _check(self, frame: av.VideoFrame) -> None:
        self.seen += 1
        shapes = [(f.width, f.height, f.format.name) for f in (frame, self.first)]
        if shapes[0] != shapes[1]:
            raise Invalid("The film changes its size on the way. Export it again.", code="upload_changes")
        if self.seen > (kinds.CLIP_SECONDS + streams.GRACE) * kinds.CLIP_RATE:
            raise Invalid("The film has more frames than three minutes can show.", code="upload_frames")

    def end(self) -> None:
        self.push(None)
        self.out.mux(self.stream.encode(None))


class _Sound:
    def __init__(self, out: OutputContainer, stream: av.AudioStream) -> None:
        self.out, self.stream, self.graph = out, _sound_stream(out), _sound_graph(stream)

    def push(self, frame: av.AudioFrame | None) -> None:
        self.graph.push(frame)
        for ready in _pulled(self.graph):
            self.out.mux(self.stream.encode(ready))

    def end(self) -> None:
        self.push(None)
        self.out.mux(self.stream.encode(None))


def _write(
    container: InputContainer, out: OutputContainer, film: av.VideoStream, sound: av.AudioStream | None, tell: Tell
) -> _Film:
    frames = iter(_Frames(container, film, sound))
    first, early = _first_picture(frames)
    pictures = _Film(out, film, first)
    sounds = _Sound(out, sound) if sound else None
    told = 0
    for frame in itertools.chain((first,), early, frames):
        if isinstance(frame, av.VideoFrame):
            pictures.push(frame)
        elif sounds:
            sounds.push(frame)
        percent = min(99, pictures.duration_ms * 100_000 // container.duration) if container.duration else 0
        if percent > told:
            told = percent
            tell(percent)
    pictures.end()
    if sounds:
        sounds.end()
    return pictures


def _pulled(graph: Graph) -> Iterator[Any]:
    while True:
        try:
            yield graph.pull()
        except (BlockingIOError, EOFError):
            return


def _picture_graph(film: av.VideoStream, frame: av.VideoFrame, width: int, height: int) -> Graph:
    graph = Graph()
    steps = [graph.add_buffer(template=film)]
    if frame.rotation in _TURNS:
        steps.append(graph.add(*_TURNS[frame.rotation]))
    elif abs(frame.rotation) == 180:
        steps += [graph.add("hflip"), graph.add("vflip")]
    steps += [
        graph.add("fps", f"fps={kinds.KEPT_RATE}:start_time=0"),
        graph.add("scale", f"{width}:{height}:flags=bicubic:out_color_matrix=bt709:out_range=tv"),
        graph.add("format", "yuv420p"),
        graph.add("setsar", "1"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*steps).configure()
    return graph


def _sound_graph(sound: av.AudioStream) -> Graph:
    """Gaps are filled and what starts late is padded: sound and picture stay together."""
    graph = Graph()
    graph.link_nodes(
        graph.add_abuffer(template=sound),
        graph.add("aresample", f"{SOUND_RATE}:async=1:first_pts=0"),
        graph.add("aformat", f"sample_fmts=fltp:sample_rates={SOUND_RATE}:channel_layouts=stereo"),
        graph.add("asetnsamples", "1024:p=0"),
        graph.add("abuffersink"),
    ).configure()
    return graph
