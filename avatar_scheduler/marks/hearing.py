"""Finding a known sound at the beginning of a film, through AAC, limiting and music."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid

Samples = NDArray[np.float32]
DECODER = f"PyAV {av.__version__}"
RATE = 16_000
_STRETCH, _STEP = RATE // 5, RATE // 20
"""About a syllable, looked at every twentieth of a second."""
_QUIETER = 10 ** (-12 / 10)
"""Of the loudest stretch's energy: breath and word ends below are not compared, for music may cover them."""
_NOTHING = 1e-6
"""Energy of a sample at -60 dB: beside less than that, rounding looks like a sound."""
_SILENCE = 0.01
"""Of the highest sample: what is below at either end of the known sound is not part of it."""


@dataclass(frozen=True)
class Stretch:
    begin_ms: int
    end_ms: int
    match: int
    """Normalised cross-correlation in thousandths."""
    level_db: int


@dataclass(frozen=True)
class Found:
    begin_ms: int
    """Where the known sound fits best, from the film's first sound on."""
    length_ms: int
    match: int
    """Of the whole, in thousandths."""
    stretches: list[Stretch]


def find(media: Path, known: Samples, rate: int, latest: float) -> Found:
    """Where in the first `latest` seconds the sound begins. Raises Invalid for a film without readable sound."""
    wanted = _trimmed(_resampled(known, rate))
    if len(wanted) < 2 * _STRETCH:
        raise Invalid("There is no sentence to look for. Write what has to be said.")
    heard, offset_ms = _opening(media, latest + len(wanted) / RATE)
    at, match = _best(heard, wanted, round(latest * RATE))
    heard = np.pad(heard, (0, max(0, at + len(wanted) - len(heard))))[at : at + len(wanted)]
    begin_ms = offset_ms + _ms(at)
    return Found(begin_ms, _ms(len(wanted)), round(1000 * match), list(_stretches(heard, wanted, begin_ms)))


def _opening(media: Path, seconds: float) -> tuple[Samples, int]:
    """The first seconds as mono, and when they begin."""
    parts: list[Samples] = []
    offset_ms: int | None = None
    try:
        with av.open(str(media)) as container:
            if len(container.streams.audio) != 1:
                raise Invalid(f"The file has {len(container.streams.audio)} sound tracks, it must have one.")
            resampler = AudioResampler(format="flt", layout="mono", rate=RATE)
            for frame in container.decode(audio=0):
                offset_ms = round((frame.time or 0) * 1000) if offset_ms is None else offset_ms
                parts += _flat(resampler.resample(frame))
                if sum(map(len, parts)) > seconds * RATE:
                    break
            else:
                parts += _flat(resampler.resample(None))
    except (av.FFmpegError, OSError) as problem:
        raise Invalid(f"The sound cannot be read: {problem.strerror}.") from problem
    if not parts:
        raise Invalid("The file holds no sound.")
    return np.concatenate(parts), offset_ms or 0


def _best(heard: Samples, wanted: Samples, latest: int) -> tuple[int, float]:
    """Where the two are most alike, and how much."""
    size = 1 << (len(heard) + len(wanted)).bit_length()
    products = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size)), size)
    places = min(latest + 1, len(heard))
    energy = np.concatenate([[0.0], np.cumsum(heard.astype(np.float64) ** 2)])
    ends = np.minimum(np.arange(places) + len(wanted), len(heard))
    around = np.sqrt(np.maximum(energy[ends] - energy[:places], _NOTHING * len(wanted)) * float(wanted @ wanted))
    alike = products[:places] / around
    at = int(alike.argmax())
    return at, float(alike[at])


def _stretches(heard: Samples, wanted: Samples, begin_ms: int) -> list[Stretch]:
    starts = range(0, len(wanted) - _STRETCH + 1, _STEP)
    energies = [float(wanted[start : start + _STRETCH] @ wanted[start : start + _STRETCH]) for start in starts]
    found = []
    for start, energy in zip(starts, energies, strict=True):
        if energy < _QUIETER * max(energies):
            continue
        part = heard[start : start + _STRETCH]
        loud = float(part @ part)
        match = float(part @ wanted[start : start + _STRETCH]) / max((loud * energy) ** 0.5, 1e-6)
        level = 10 * np.log10(max(loud / _STRETCH, 1e-10))
        edges = begin_ms + _ms(start), begin_ms + _ms(start + _STRETCH)
        found.append(Stretch(*edges, round(1000 * match), round(level)))
    return found


def _trimmed(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > _SILENCE * float(np.abs(samples).max(initial=0.0)))
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]


def _resampled(samples: Samples, rate: int) -> Samples:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32)[None], format="flt", layout="mono")
    frame.sample_rate = rate
    resampler = AudioResampler(format="flt", layout="mono", rate=RATE)
    return np.concatenate([np.zeros(0, np.float32), *_flat([*resampler.resample(frame), *resampler.resample(None)])])


def _flat(frames: list[av.AudioFrame]) -> list[Samples]:
    return [frame.to_ndarray().ravel().astype(np.float32) for frame in frames]


def _ms(samples: int) -> int:
    return round(1000 * samples / RATE)
