"""From phonemes to mouths: one Rhubarb letter per frame."""

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from math import ceil
from pathlib import Path

from avatar_scheduler.studio.timed import Speech, Timed

REST = "X"
CLOSED = "A"
SHAPES = "rhubarb"
"""The alphabet that is the shapes themselves."""
_RULES = Path(__file__).parents[2] / "rules" / "visemes.toml"
_LEAD_SECONDS = 0.035
"""A mouth is formed before its sound is heard: animators draw it one frame early."""
_HOLD = 2
"""Frames. A shorter mouth reads as a flicker and costs a frame that differs."""
_REST_AFTER = 0.16
"""Seconds of silence inside a sentence before the mouth closes."""


@dataclass(frozen=True)
class _Table:
    shapes: dict[str, str]
    held: str
    ahead: str


@cache
def _table(alphabet: str) -> _Table:
    rules = tomllib.loads(_RULES.read_text("utf-8"))[alphabet]
    return _Table(rules["shapes"], rules["held"], rules["ahead"])


def mouths(speech: Speech, fps: int) -> list[str]:
    """One letter A-H or X for each frame of the speech."""
    frames = [REST] * ceil(speech.seconds * fps)
    spans = _spans(speech.phonemes, _table(speech.alphabet))
    # Lips that do not meet on a P are seen at once, a vowel a frame short is not: closing is laid last, long enough.
    for shape, start, end in sorted(spans, key=lambda span: span[0] == CLOSED):
        first = max(0, round((start - _LEAD_SECONDS) * fps))
        least = _HOLD if shape == CLOSED else 1
        last = min(len(frames), max(first + least, round((end - _LEAD_SECONDS) * fps)))
        frames[first:last] = [shape] * max(0, last - first)
    return _held(frames)


def shaped(speech: Speech) -> Speech:
    """With mouths for phonemes: speeches of two voices that write their sounds differently can then be joined."""
    spans = _spans(speech.phonemes, _table(speech.alphabet))
    return replace(speech, phonemes=tuple(Timed(shape, start, end) for shape, start, end in spans), alphabet=SHAPES)


def _spans(phonemes: tuple[Timed, ...], table: _Table) -> list[tuple[str, float, float]]:
    """Shape, start, end. Stress marks lend their time to the vowel after them, word gaps to the sound before."""
    spans: list[tuple[str, float, float]] = []
    lent: float | None = None
    for phoneme in phonemes:
        if phoneme.text in table.ahead:
            lent = phoneme.start if lent is None else lent
            continue
        start, lent = (phoneme.start if lent is None else lent), None
        if phoneme.text in table.shapes:
            shapes = table.shapes[phoneme.text]
            step = (phoneme.end - start) / len(shapes)
            spans += [(shape, start + i * step, start + (i + 1) * step) for i, shape in enumerate(shapes)]
        elif phoneme.text in table.held and spans and phoneme.end - spans[-1][2] < _REST_AFTER:
            spans[-1] = (spans[-1][0], spans[-1][1], phoneme.end)
    return spans


def _held(frames: list[str]) -> list[str]:
    """Make every mouth last at least two frames: a short one borrows from a long neighbour or goes."""
    runs = _runs(frames)
    index = 0
    while index < len(runs):
        shape, length = runs[index]
        if length >= _HOLD or len(runs) == 1:
            index += 1
            continue
        neighbours = [i for i in (index + 1, index - 1) if 0 <= i < len(runs)]
        lender = next((i for i in neighbours if runs[i][1] > _HOLD), None)
        if lender is not None:
            runs[lender] = (runs[lender][0], runs[lender][1] - 1)
            runs[index] = (shape, length + 1)
        else:
            heir = neighbours[-1]
            runs[heir] = (runs[heir][0], runs[heir][1] + length)
            del runs[index]
            runs = _runs([s for s, count in runs for _ in range(count)])
            index = max(0, index - 2)
    return [shape for shape, length in runs for _ in range(length)]


def _runs(frames: list[str]) -> list[tuple[str, int]]:
    runs: list[tuple[str, int]] = []
    for shape in frames:
        if runs and runs[-1][0] == shape:
            runs[-1] = (shape, runs[-1][1] + 1)
        else:
            runs.append((shape, 1))
    return runs
