"""The voice for when there is no other: espeak-ng's own, plain as a machine, but in every language."""

import numpy as np

from avatar_scheduler.studio.speech import espeak, ipa
from avatar_scheduler.studio.speech.utterance import Utterance
from avatar_scheduler.studio.timed import Timed

ALPHABET = "ipa"


class EspeakVoice:
    def __init__(self, language: str) -> None:
        self._language = language

    def say(self, text: str, speed: float) -> Utterance:
        answer = espeak.shared().ask(text, self._language, speed, sound=True)
        samples = np.frombuffer(answer.pcm, np.int16).astype(np.float32) / np.float32(32768)
        seconds = len(samples) / answer.rate
        ends = [*(sound.start for sound in answer.sounds[1:]), seconds]
        owners = ipa.owners(text, [sound.position for sound in answer.sounds])
        words: dict[int, tuple[float, float]] = {}
        phonemes: list[Timed] = []
        for sound, end, owner in zip(answer.sounds, ends, owners, strict=True):
            if signs := ipa.cleaned(sound.ipa):
                words[owner] = (words.get(owner, (sound.start, 0.0))[0], end)
                phonemes += _timed(signs, sound.start, end)
        written = text.split()
        heard = [Timed(written[owner], *span) for owner, span in words.items()]
        return Utterance(samples, answer.rate, heard, phonemes, ALPHABET)


def _timed(signs: str, start: float, end: float) -> list[Timed]:
    """A sound of two letters is shared between them."""
    step = (end - start) / len(signs)
    return [Timed(sign, start + i * step, start + (i + 1) * step) for i, sign in enumerate(signs)]
