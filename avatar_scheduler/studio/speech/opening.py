"""Two speeches one after the other: the notice that opens a film, and the film."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.studio.avatar import visemes
from avatar_scheduler.studio.job import LONGEST_SECONDS, too_long
from avatar_scheduler.studio.speech.utterance import later
from avatar_scheduler.studio.timed import Cue, Speech


def before(first: Speech, then: Speech) -> Speech:
    """Both in whole, at the rate of the second and as loud as it. Raises Invalid when together they are too long."""
    if (first.rate, first.alphabet) != (then.rate, then.alphabet):
        first, then = visemes.shaped(first), visemes.shaped(then)
        first = _as_loud(first, then)
    seconds = first.seconds
    if seconds + then.seconds > LONGEST_SECONDS:
        raise too_long()
    return Speech(
        np.concatenate([first.samples, then.samples]),
        then.rate,
        (*first.words, *(later(word, seconds) for word in then.words)),
        (*first.phonemes, *(later(phoneme, seconds) for phoneme in then.phonemes)),
        then.alphabet,
        (*first.cues, *(Cue(cue.verb, cue.value, cue.at + seconds) for cue in then.cues)),
    )


def _as_loud(first: Speech, then: Speech) -> Speech:
    """Another voice than the one that follows: at its rate, and neither drowned by it nor shouting over it."""
    from avatar_scheduler.studio.loudness import RATE, measure  # PyAV opens only where two voices meet

    here, there = (_resampled(speech, RATE) for speech in (first, then))
    gain = measure(there) - measure(here)
    factor = 10 ** (gain / 20) if np.isfinite(gain) else 1.0
    return replace(first, samples=_resampled(first, then.rate)[0] * np.float32(factor), rate=then.rate)


def _resampled(speech: Speech, rate: int) -> NDArray[np.float32]:
    from avatar_scheduler.studio.loudness import filtered

    mono = np.ascontiguousarray(speech.samples, np.float32)[None]
    return mono if speech.rate == rate else filtered(mono, speech.rate, [("aresample", str(rate))])
