"""A draft of a film, given out piece by piece while it is made: small, quick, and called a draft in every frame.

The script is spoken up to one sentence more each time. What was spoken before keeps its place on the time line, so only
the new stretch is drawn, encoded and handed on.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio import audio, render
from avatar_scheduler.studio import job as jobs
from avatar_scheduler.studio.avatar import pack as packs
from avatar_scheduler.studio.job import StudioJob
from avatar_scheduler.studio.scene.reel import Reel
from avatar_scheduler.studio.scene.timeline import Timeline
from avatar_scheduler.studio.speech import script
from avatar_scheduler.studio.speech.speak import perform

FPS = 15
SHORT_SIDE = 360
_SENTENCE = re.compile(r"[.!?…][\"'”’»)]*\s+|\n+")
_SINGLE = 12
"""Sentences given out one by one. After these there is a head start, and larger pieces cost less."""
_LATER = 4
_GAIN = 2.0
"""About what mastering does to the voices; to measure it the whole script would have to be spoken first."""
_LOUDEST = 0.8
_AAC_BITS = 64_000
_X264 = {"preset": "ultrafast", "tune": "zerolatency", "crf": "30", "threads": "1"}
_MP4 = {"movflags": "empty_moov+default_base_moof", "frag_duration": "400000"}
"""Microseconds. A fragment for each frame would be quicker by half a second, but its sound comes out with gaps."""


def size(width: int, height: int) -> tuple[int, int]:
    """As small as the composer shows it, in the same proportions, on even pixels."""
    scale = SHORT_SIDE / min(width, height)
    return 2 * round(width * scale / 2), 2 * round(height * scale / 2)


def pieces(job: StudioJob) -> Iterator[bytes]:
    """Fragmented MP4, playable from the first piece on. Raises Invalid for what cannot be spoken or drawn."""
    jobs.check(job)
    pack = packs.load(job.pack or jobs.PACKS / job.avatar)
    draft = _Draft(job)
    # A recording of a person is there as a whole; there is nothing to wait for.
    for text, last in [(job.text, True)] if job.staging.recording else _prefixes(job.text):
        try:
            speech = perform(replace(job, text=text))
        except Invalid:
            if last:
                raise
            continue  # nothing to say yet: it comes with the next sentence
        yield draft.grow(render.plan(job, pack, speech), last=last)


def _prefixes(text: str) -> Iterator[tuple[str, bool]]:
    """The script up to one sentence more each time, cut only where the voice pauses anyway."""
    whole = script.pieces(text)
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    for end in ends[:_SINGLE] + ends[_SINGLE::_LATER]:
        if text[end:].strip() and _is_beginning(text[:end], whole):
            yield text[:end], False
    yield text, True


def _is_beginning(text: str, whole: list[script.Piece]) -> bool:
    try:
        parts = script.pieces(text)
    except Invalid:
        return False  # cut inside a cue
    return bool(parts) and parts == whole[: len(parts)]


class _Draft:
    """The file so far."""

    def __init__(self, job: StudioJob) -> None:
        self._job = job
        self._pipe = _Pipe()
        self._file = av.open(self._pipe, "w", format="mp4", options=_MP4)
        self._video = self._file.add_stream("libx264", rate=job.fps, options=_X264)
        self._video.width, self._video.height, self._video.pix_fmt = job.width, job.height, "yuv420p"
        self._video.codec_context.gop_size = 2 * job.fps
        self._track = self._file.add_stream("aac", rate=audio.RATE, layout="stereo", bit_rate=_AAC_BITS)
        self._frames = 0

    def grow(self, reel: Reel, *, last: bool) -> bytes:
        """What is new since the last piece: up to the last word, for the silence after it may yet become speech."""
        fps, words = self._job.fps, reel.timeline.speech.words
        until = reel.timeline.frames if last else max(self._frames, int(max(word.end for word in words) * fps))
        self._hear(reel.timeline, until)
        self._show(reel, until)
        if last:
            self._file.mux(self._video.encode(None))
            self._file.mux(self._track.encode(None))
            self._file.close()
        return self._pipe.take()

    def _show(self, reel: Reel, until: int) -> None:
        seen: av.VideoFrame | None = None
        for picture in reel.frames(self._frames, until) if until > self._frames else ():
            seen = picture or seen
            if seen is not None:
                seen.pts, seen.time_base = self._frames, Fraction(1, self._job.fps)
                self._file.mux(self._video.encode(seen))
            self._frames += 1

    def _hear(self, timeline: Timeline, until: int) -> None:
        samples, rate = self._sound(timeline)
        begin, end = (frames * rate // self._job.fps for frames in (self._frames, until))
        heard = np.ascontiguousarray(np.clip(samples[:, begin:end], -_LOUDEST, _LOUDEST), np.float32)
        if heard.shape[1]:
            frame = av.AudioFrame.from_ndarray(heard, format="fltp", layout="mono" if len(heard) == 1 else "stereo")
            frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
            self._file.mux(self._track.encode(frame))

    def _sound(self, timeline: Timeline) -> tuple[audio.Sound, int]:
        """The voice as it is; the whole mix only where there is something to mix."""
        if self._job.staging.music or any(material.kind == "clip" for material in self._job.materials.values()):
            return render.sound(self._job, timeline), audio.RATE
        return timeline.speech.samples[None] * np.float32(_GAIN), timeline.speech.rate


class _Pipe:
    """A file that is only ever written on, and emptied between pieces."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
