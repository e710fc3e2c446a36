"""Sound at 48 kHz stereo, as loud as the platforms play it and without clipping."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from avatar_scheduler.studio import soundtrack
from avatar_scheduler.studio.loudness import RATE, Sound, filtered, level, measure

__all__ = ["RATE", "TARGET_LUFS", "Sound", "master", "measure", "mix"]

TARGET_LUFS = -14.0


def master(samples: Sound, rate: int) -> Sound:
    """Mono at any rate to 48 kHz stereo, shape (2, n), at -14 LUFS. Silence stays silent."""
    return np.repeat(level(_resampled(samples, rate), TARGET_LUFS), 2, axis=0)


def mix(
    speech: Sound,
    rate: int,
    *,
    seconds: float,
    music: Path | None = None,
    below_db: float = 18,
    clips: Sequence[tuple[float, Path]] = (),
    names: Mapping[Path, str] | None = None,
) -> Sound:
    """The mono voice, a music bed under it and the clips' own sound at their seconds: shape (2, seconds * 48000).

    Voice and clips are made equally loud before they meet, and the whole is mastered once. `names` are the materials'
    names for messages.
    """
    named = {path: (names or {}).get(path, path.name) for path in (*([music] if music else []), *(p for _, p in clips))}
    voice = _fitted(_resampled(speech, rate), round(seconds * RATE))
    if not music and not clips:
        return np.repeat(level(voice, TARGET_LUFS), 2, axis=0)
    whole = np.repeat(soundtrack.loud_as(voice, TARGET_LUFS), 2, axis=0)
    for second, path in clips:
        sound = soundtrack.read(path, seconds - second, named[path])
        if sound is not None:
            soundtrack.lay(whole, soundtrack.loud_as(sound, TARGET_LUFS), second)
    if music:
        bed = soundtrack.loud_as(soundtrack.bed(music, seconds, named[music]), TARGET_LUFS)
        whole += soundtrack.ducked(bed, whole, below_db)
    return level(whole, TARGET_LUFS)


def _resampled(samples: Sound, rate: int) -> Sound:
    mono = np.ascontiguousarray(samples, np.float32)[None]
    return mono if rate == RATE else filtered(mono, rate, [("aresample", str(RATE))])


def _fitted(sound: Sound, length: int) -> Sound:
    """Cut or followed by silence."""
    return np.pad(sound[:, :length], ((0, 0), (0, max(0, length - sound.shape[1]))))
