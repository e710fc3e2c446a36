"""A person's recorded voice instead of a synthetic one: words shared out over it, mouths from its loudness."""

from collections.abc import Mapping
from itertools import groupby, pairwise
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio import voices
from avatar_scheduler.studio.job import LONGEST_SECONDS
from avatar_scheduler.studio.speech import cues, script
from avatar_scheduler.studio.speech.reading import read
from avatar_scheduler.studio.speech.script import Unit
from avatar_scheduler.studio.timed import Cue, Speech, Timed

RATE = 48_000
ALPHABET = "envelope"
_STEP = 0.02
"""Seconds. A mouth holds for two frames at least, so finer steps are not seen."""
_QUIET = 0.06
"""Of the loud parts' level: what is below is breath and room."""
_DIP = 0.1
"""Seconds. A silence this short inside a word is a closed mouth, p, b or m; a longer one is a pause."""
_GAP = 0.18
"""Seconds. Words run on over shorter silences."""
_CLOSED, _BRIGHT, _SOFT, _MIDDLE, _LOUD, _DARK, _ROUND = "msieaou"

Samples = NDArray[np.float32]
Span = tuple[float, float]


def recorded(path: Path, text: str, language: str, clips: Mapping[str, float]) -> Speech:
    """Raises Invalid for a file without sound in it, and for a script without words."""
    samples = _load(path)
    level, brightness = _envelope(samples)
    voiced = _voiced(level)
    if not voiced:
        raise Invalid("The recording is silent. Record it again, nearer to the microphone.", code="recording_silent")
    words, directions = _words(text, language, voiced)
    speech = Speech(samples, RATE, tuple(words), tuple(_mouths(level, brightness)), ALPHABET, tuple(directions))
    return _with_waits(speech, clips)


def _load(path: Path) -> Samples:
    parts: list[Samples] = []
    try:
        with av.open(str(path)) as container:
            resampler = AudioResampler(format="flt", layout="mono", rate=RATE)
            for frame in container.decode(audio=0):
                parts += _flat(resampler.resample(frame))
            parts += _flat(resampler.resample(None))
    except (av.FFmpegError, IndexError) as error:
        raise Invalid("The recording cannot be read. Upload it again.", code="recording") from error
    samples = np.concatenate([np.zeros(0, np.float32), *parts]).astype(np.float32)
    if len(samples) > LONGEST_SECONDS * RATE:
        raise Invalid(f"The recording is longer than {LONGEST_SECONDS // 60} minutes. Cut it.", code="script_too_long")
    return samples


def _flat(frames: list[av.AudioFrame]) -> list[Samples]:
    return [frame.to_ndarray().ravel().astype(np.float32) for frame in frames]


def _envelope(samples: Samples) -> tuple[Samples, Samples]:
    """For each step: loudness, 1 in the loud parts; and how much of it is high, 0 to 1."""
    size = round(_STEP * RATE)
    steps = samples[: len(samples) // size * size].reshape(-1, size)
    if not len(steps):
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    level = np.sqrt(np.mean(steps**2, axis=1))
    high = np.sqrt(np.mean(np.diff(steps, axis=1) ** 2, axis=1))
    loud = float(np.percentile(level, 95))
    brightness = high / np.maximum(level, 1e-6)
    return (level / loud if loud > 1e-4 else level * 0).astype(np.float32), np.minimum(brightness, 1).astype(np.float32)


def _voiced(level: Samples) -> list[Span]:
    """Where somebody speaks."""
    runs: list[Span] = []
    position = 0
    for loud, run in groupby(level > _QUIET):
        length = len(list(run))
        start, end = position * _STEP, (position + length) * _STEP
        position += length
        if loud and runs and start - runs[-1][1] < _GAP:
            runs[-1] = (runs[-1][0], end)
        elif loud:
            runs.append((start, end))
    return [run for run in runs if run[1] - run[0] >= 2 * _STEP]


def _words(text: str, language: str, voiced: list[Span]) -> tuple[list[Timed], list[Cue]]:
    """Each word lasts as long as its letters weigh, as read aloud; silences are left out."""
    spoken: list[Timed] = []
    units: list[Unit] = []
    marks: list[tuple[int, cues.Direction]] = []
    for piece in script.pieces(text):
        marks += [(len(units) + mark.before, mark.cue) for mark in piece.marks]
        for word in piece.words:
            units += read([word], voices.base(language), {})
        marks += [(len(units), cue) for cue in piece.after]
    weights = np.array([float(sum(c.isalnum() for c in unit.spoken)) for unit in units])
    if not weights.sum():
        raise Invalid("The script of the recording has no words. Write what is said.", code="script_unspeakable")
    shares = np.concatenate([[0.0], np.cumsum(weights + (weights > 0))])
    total = sum(end - start for start, end in voiced)
    edges = [_at(float(share / shares[-1]) * total, voiced) for share in shares]
    spoken = [Timed(f"{i}", *_inside(a, b, voiced)) for i, (a, b) in enumerate(pairwise(edges)) if weights[i]]
    heard = script.as_written(
        [Unit(unit.written, f"{i}" if weights[i] else "") for i, unit in enumerate(units)], spoken
    )
    starts = {int(word.text): word.start for word in spoken}
    directions = [
        Cue(cue.verb, cue.value, next((starts[i] for i in sorted(starts) if i >= before), spoken[-1].end))
        for before, cue in marks
    ]
    return heard, directions


def _at(second: float, voiced: list[Span]) -> float:
    """A second of speech as a second of the recording."""
    for start, end in voiced:
        if second < end - start:
            return start + second
        second -= end - start
    return voiced[-1][1]


def _inside(start: float, end: float, voiced: list[Span]) -> Span:
    """Without the silence at its end."""
    last = max((done for _, done in voiced if done <= end), default=end)
    begun = max((begin for begin, _ in voiced if begin <= end), default=start)
    return (start, last) if begun >= end - 1e-9 and last > start else (start, end)


def _mouths(level: Samples, brightness: Samples) -> list[Timed]:
    """One sound for each stretch that looks alike; silences have none."""
    found: list[Timed] = []
    position = 0
    for sound, run in groupby(_sounds(level, brightness)):
        length = len(list(run))
        if sound:
            found.append(Timed(sound, position * _STEP, (position + length) * _STEP))
        position += length
    return found


def _sounds(level: Samples, brightness: Samples) -> list[str]:
    sounds = [_sound(float(loud), float(bright)) for loud, bright in zip(level, brightness, strict=True)]
    position = 0
    for sound, run in groupby(list(sounds)):
        length = len(list(run))
        inside = position > 0 and position + length < len(sounds)
        if not sound and inside and length * _STEP <= _DIP:
            sounds[position : position + length] = [_CLOSED] * length
        position += length
    return sounds


def _sound(loud: float, bright: float) -> str:
    if loud <= _QUIET:
        return ""
    if bright > 0.35:
        return _BRIGHT
    if bright < 0.06:
        return _ROUND if loud < 0.5 else _DARK
    if loud < 0.25:
        return _SOFT
    return _MIDDLE if loud < 0.7 else _LOUD


def _with_waits(speech: Speech, clips: Mapping[str, float]) -> Speech:
    """The recording parted where it waits for a pause or a clip."""
    waits = [(cue.at, cues.seconds(cue.value)) for cue in speech.cues if cue.verb == "pause"]
    waits += [(cue.at, clips[cue.value]) for cue in speech.cues if cue.verb == "clip" and cue.value in clips]
    waits.sort()

    def later(second: float, *, including: bool = True) -> float:
        return second + sum(wait for at, wait in waits if at < second or (including and at == second))

    def moved(timed: Timed) -> Timed:
        start = later(timed.start)
        return Timed(timed.text, start, start + timed.end - timed.start)

    parts, done = list[Samples](), 0
    for at, wait in waits:
        cut = round(at * speech.rate)
        parts += [speech.samples[done:cut], np.zeros(round(wait * speech.rate), np.float32)]
        done = cut
    return Speech(
        np.concatenate([*parts, speech.samples[done:]]),
        speech.rate,
        tuple(moved(word) for word in speech.words),
        tuple(moved(phoneme) for phoneme in speech.phonemes),
        speech.alphabet,
        tuple(
            Cue(cue.verb, cue.value, later(cue.at, including=cue.verb != "clip"))
            for cue in speech.cues
            if cue.verb != "pause"
        ),
    )
