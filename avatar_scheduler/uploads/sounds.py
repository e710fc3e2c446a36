"""Recordings and music: written anew as 48 kHz FLAC, a voice in mono, music in stereo."""

import io
from collections.abc import Mapping
from typing import Any, BinaryIO

import av
from av.audio.resampler import AudioResampler

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.uploads import kinds, streams
from avatar_scheduler.uploads.handed import Files, Task, Tell

RATE = 48_000
_SHORTEST = RATE // 10


def prepare(options: Mapping[str, Any]) -> Task:
    streams.load()
    with av.open(io.BytesIO(), "w", format="flac") as out:
        out.add_stream("flac", rate=RATE, layout=options["layout"], format="s16")
    return convert


def convert(files: Files, options: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    with streams.opened(files.source, options["opener"]) as container:
        streams.check(container, kinds.SOUND_SECONDS)
        if streams.films(container):
            raise Invalid("This is a film. Add it as a clip, or export its sound alone.", code="upload_type")
        if not container.streams.audio:
            raise streams.no_sound()
        stream = container.streams.audio[0]
        streams.check_sound(stream, kinds.MOST_CHANNELS)
        samples = _write(container, stream, files.target, options["layout"], tell)
    if samples < _SHORTEST:
        raise streams.no_sound()
    return {"mime": "audio/flac", "width": 0, "height": 0, "duration_ms": samples * 1000 // RATE}


def _write(
    container: av.container.InputContainer,
    stream: av.AudioStream,
    target: BinaryIO,
    layout: str,
    tell: Tell,
) -> int:
    """Counts what comes out: a header may say anything about its length."""
    most, told = (kinds.SOUND_SECONDS + streams.GRACE) * RATE, 0
    expected = (container.duration or 0) * RATE // av.time_base
    resampler, samples = AudioResampler("s16", layout, RATE), 0
    with av.open(target, "w", format="flac", options={"fflags": "+bitexact"}) as out:
        flac = out.add_stream("flac", rate=RATE, layout=layout, format="s16")
        for frame in streams.frames(container, stream):
            for part in resampler.resample(frame):
                samples += part.samples
                if samples > most:
                    raise streams.too_long(kinds.SOUND_SECONDS)
                part.pts = None
                out.mux(flac.encode(part))
            if expected and (percent := min(99, samples * 100 // expected)) > told:
                told = percent
                tell(told)
        out.mux(flac.encode(None))
    return samples
