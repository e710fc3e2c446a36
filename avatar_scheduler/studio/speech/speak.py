"""Text to speech, with the times of every word and phoneme."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.job import LANGUAGES, LONGEST_SECONDS, too_long
from avatar_scheduler.studio.seeds import stream
from avatar_scheduler.studio.speech import hibari_voice, script
from avatar_scheduler.studio.timed import Speech, Timed

LEAD_SECONDS = 0.2
"""The voice adds about as much of its own. The face rests and the label can be read before the first word."""
PAUSE_SECONDS = 0.08
TAIL_SECONDS = 0.5


def speak(text: str, language: str, seed: str, progress: Callable[[float], None] = lambda share: None) -> Speech:
    """`progress` gets the share done, 0 to 1. Invalid for a language without a voice, or a text it cannot read."""
    if language not in LANGUAGES:
        raise Invalid(f'There is no voice for the language "{language}". Choose one of: {", ".join(LANGUAGES)}.')
    voice = hibari_voice.HibariVoice()
    rng = stream(seed, "voice")
    track = _Track(hibari_voice.RATE)
    parts = script.sentences(script.clean(text))
    for index, written in enumerate(parts):
        track.add(written, voice.say(" ".join(written), rng))
        progress((index + 1) / len(parts))
    return track.finish()


class _Track:
    """Sentences laid one after the other on one time line."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._samples: list[NDArray[np.float32]] = [self._silence(LEAD_SECONDS)]
        self._seconds = LEAD_SECONDS
        self._words: list[Timed] = []
        self._phonemes: list[Timed] = []
        self._unspoken: list[str] = []

    def add(self, written: list[str], heard: hibari_voice.Utterance) -> None:
        words = script.as_written(self._unspoken + written, heard.words)
        if not words:
            self._keep_unspoken(written)
            return
        self._unspoken = []
        self._words += [self._shifted(word) for word in words]
        self._phonemes += [self._shifted(phoneme) for phoneme in heard.phonemes]
        self._lay(heard.samples)
        self._lay(self._silence(PAUSE_SECONDS))
        if self._seconds > LONGEST_SECONDS:
            raise too_long()

    def finish(self) -> Speech:
        if not self._words:
            raise Invalid("Nothing in the script can be spoken in English.", code="script_unspeakable")
        self._lay(self._silence(TAIL_SECONDS - PAUSE_SECONDS))
        samples = np.concatenate(self._samples)
        return Speech(samples, self._rate, tuple(self._words), tuple(self._phonemes), hibari_voice.ALPHABET)

    def _keep_unspoken(self, written: list[str]) -> None:
        """A sentence of signs only is shown with the word before it, or with the first word to come."""
        if not self._words:
            self._unspoken += written
            return
        last = self._words[-1]
        self._words[-1] = Timed(" ".join([last.text, *written]), last.start, last.end)

    def _lay(self, samples: NDArray[np.float32]) -> None:
        self._samples.append(samples)
        self._seconds += len(samples) / self._rate

    def _silence(self, seconds: float) -> NDArray[np.float32]:
        return np.zeros(round(seconds * self._rate), np.float32)

    def _shifted(self, timed: Timed) -> Timed:
        return Timed(timed.text, timed.start + self._seconds, timed.end + self._seconds)
