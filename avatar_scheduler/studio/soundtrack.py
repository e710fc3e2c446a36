"""What is heard beside the voice: a music bed that makes room for it, and the sound of people's own clips."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.loudness import RATE, STEP, Curve, Sound, energies, measure, shaped

_SEAM = 1.5
"""Seconds in which the end of the music runs over into its beginning."""
_FADE_IN, _FADE_OUT = 1.0, 2.0
_SHORTEST = 1.0
_SILENT_BELOW = 22
"""Decibels below its loudness from which the voice pauses."""
_HELD, _EARLY, _SMOOTH = 350, 150, 300
"""Milliseconds: what counts as one stretch of speech, how long before it the music goes down, and how slowly."""
_CLICKLESS = 10
_MOST_GAIN = 24.0


def read(path: Path, seconds: float, name: str) -> Sound | None:
    """At 48 kHz and in stereo, not longer than needed. None where there is no sound; Invalid names the material."""
    unreadable = f"The sound of “{name}” cannot be read. Export it again as M4A, MP3 or WAV and upload that."
    wanted, had = round(seconds * RATE), 0
    parts: list[Sound] = []
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                return None
            for part in _decoded(container):
                parts.append(part)
                had += part.shape[1]
                if had >= wanted:
                    break
    except (av.error.FFmpegError, OSError) as error:
        raise Invalid(unreadable, code="sound_unreadable") from error
    if not parts:
        raise Invalid(unreadable, code="sound_unreadable")
    return np.concatenate(parts, axis=1)[:, :wanted]


def bed(path: Path, seconds: float, name: str) -> Sound:
    """The music, over and over until the end, faded in and out."""
    seam = round(_SEAM * RATE)
    music = read(path, seconds + _SEAM, name)
    if music is None or music.shape[1] < _SHORTEST * RATE:
        raise Invalid(f"“{name}” has no music in it. Choose a file with at least a second of sound.", code="no_sound")
    length = round(seconds * RATE)
    looped = _looped(music, length, min(seam, music.shape[1] // 4))
    curve = np.ones(-(-length // STEP) + 1)
    for fade, end in ((_FADE_IN, slice(None)), (_FADE_OUT, slice(None, None, -1))):
        steps = int(min(fade, seconds / 4) * 1000)
        curve[end][:steps] *= np.sin(np.linspace(0, np.pi / 2, steps))
    return shaped(looped, curve)


def loud_as(sound: Sound, target: float) -> Sound:
    """Turned up or down as a whole. What is all but silent is not blown up to noise."""
    gain = min(target - measure(sound), _MOST_GAIN)
    made: Sound = sound * np.float32(10 ** (gain / 20))
    return made


def ducked(music: Sound, speech: Sound, below: float) -> Sound:
    """`below` decibels down while somebody speaks, half of that in the pauses. Both are equally loud to begin with."""
    speaking = _speaking(energies(speech))
    spoken = np.convolve(speaking, np.full(_SMOOTH, 1 / _SMOOTH), "same")
    decibels = -below * (1 + spoken) / 2
    return shaped(music, np.append(10 ** (decibels / 20), 10 ** (decibels[-1] / 20)))


def lay(whole: Sound, sound: Sound, second: float) -> None:
    """Adds it from this second on, without a click at either end."""
    start = round(second * RATE)
    sound = sound[:, : max(0, whole.shape[1] - start)]
    steps = -(-sound.shape[1] // STEP)
    if steps < 2 * _CLICKLESS:
        return
    curve = np.ones(steps + 1)
    curve[:_CLICKLESS] = np.arange(_CLICKLESS) / _CLICKLESS
    curve[-_CLICKLESS:] = curve[:_CLICKLESS][::-1]
    whole[:, start : start + sound.shape[1]] += shaped(sound, curve)


def _decoded(container: av.container.InputContainer) -> Iterator[Sound]:
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
    for frame in container.decode(audio=0):
        yield from (part.to_ndarray().astype(np.float32) for part in resampler.resample(frame))
    yield from (part.to_ndarray().astype(np.float32) for part in resampler.resample(None))


def _looped(music: Sound, length: int, seam: int) -> Sound:
    """Each round begins while the one before fades out, equally loud throughout."""
    if music.shape[1] >= length:
        return music[:, :length]
    turn = np.linspace(0, np.pi / 2, seam, dtype=np.float32)
    first = music.copy()
    first[:, -seam:] = music[:, -seam:] * np.cos(turn) + music[:, :seam] * np.sin(turn)
    again = first[:, seam:]
    rounds = -(-(length - music.shape[1]) // again.shape[1])
    return np.concatenate([first, *[again] * rounds], axis=1)[:, :length]


def _speaking(energy: Curve) -> Curve:
    """1 for the milliseconds of a stretch of speech, with what the music needs to make room; 0 in pauses."""
    short = np.convolve(energy, np.full(50, 1 / 50), "same")
    spoken = short[short > 10**-7 * STEP]
    if not len(spoken):
        return np.zeros(len(energy))
    voice = short > spoken.mean() * 10 ** (-_SILENT_BELOW / 10)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], voice.astype(np.int8), [0]])))
    speaking = np.zeros(len(energy))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        speaking[max(0, start - _EARLY) : end + _HELD] = 1
    return speaking
