"""How far the times of a speech are from its sound: where s and sh are said to be, the sound must hiss."""

import numpy as np

from avatar_scheduler.studio.timed import Speech

_STEP = 0.005
_FARTHEST = 40
"""Steps."""


def lag(speech: Speech) -> float:
    """Seconds by which the times come after the sound; below zero, before it."""
    width = round(_STEP * speech.rate)
    steps = speech.samples[: len(speech.samples) // width * width].reshape(-1, width)
    hiss = np.abs(np.diff(steps, axis=1)).mean(axis=1)
    told = np.zeros(len(hiss))
    for phoneme in speech.phonemes:
        if phoneme.text in ("s", "ʃ", "z", "ʒ"):
            told[round(phoneme.start / _STEP) : round(phoneme.end / _STEP)] = 1
    told -= told.mean()
    shifts = range(-_FARTHEST, _FARTHEST + 1)
    return _STEP * max(shifts, key=lambda shift: float(np.dot(told, np.roll(hiss - hiss.mean(), shift))))
