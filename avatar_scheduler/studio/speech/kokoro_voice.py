"""Kokoro-82M: one model, a style for each voice. English is read by hibari's rules, other languages by espeak-ng."""

from functools import cache
from typing import Any

import numpy as np

from avatar_scheduler.studio.speech import ipa, spelling
from avatar_scheduler.studio.speech.hibari_voice import EARLY_SECONDS, EnglishReader, vocabulary
from avatar_scheduler.studio.speech.ipa import Word
from avatar_scheduler.studio.speech.onnx_tap import run, session
from avatar_scheduler.studio.speech.utterance import Utterance, joined, nothing
from avatar_scheduler.studio.voices import FOLDER, MODEL, Voice

RATE = 24_000
DURATIONS = "/encoder/Clip_output_0"
_LONGEST_PIECE = 200
"""Phonemes. The model takes 510, but its memory grows with them."""
_CLAUSE_AFTER = 120
# misaki's notation, which the model was taught: one letter for a joined sound.
_MISAKI = {"dʒ": "ʤ", "tʃ": "ʧ", "ts": "ʦ", "dz": "ʣ"}
_PUNCTUATION = {"«": "“", "»": "”", "–": "—"}


class KokoroVoice:
    def __init__(self, voice: Voice, language: str) -> None:
        self._language = language
        self._alphabet = "misaki_en" if language == "en" else "ipa"
        self._style = np.fromfile(voice.file, np.float32).reshape(-1, 256)
        self._vocabulary = vocabulary()

    def say(self, text: str, speed: float) -> Utterance:
        cut = spelling.pieces(self._words(text), _LONGEST_PIECE, _CLAUSE_AFTER)
        return joined([self._say_piece(words, speed) for words in cut], RATE, self._alphabet)

    def _words(self, text: str) -> list[Word]:
        if self._language == "en":
            return _english().words(text)
        return [_punctuated(word) for word in ipa.words(text, self._language)]

    def _say_piece(self, words: list[Word], speed: float) -> Utterance:
        signs = spelling.spelled(words, self._vocabulary)
        if not any(sign.text.isalpha() for sign in signs):
            return nothing(RATE, self._alphabet)
        ids = [0, *(self._vocabulary[sign.text] for sign in signs), 0]
        given = {
            "tokens": np.array([ids], np.int64),
            "style": self._style[min(len(signs), len(self._style)) - 1][None],
            "speed": np.full(1, speed, np.float32),
        }
        sound, frames = run(_model(), ["audio", DURATIONS], given)
        samples = sound.ravel().astype(np.float32)
        times = spelling.timed(words, signs, spelling.edges_of(frames, len(samples) / RATE, EARLY_SECONDS))
        return Utterance(samples, RATE, *times, self._alphabet)


@cache
def _model() -> Any:
    """One for all voices of the process."""
    return session(FOLDER / MODEL)


@cache
def _english() -> EnglishReader:
    return EnglishReader()


def _punctuated(word: Word) -> Word:
    """The model reads punctuation as melody: what stands before and after the letters goes with the sounds."""
    if not word.sounds:
        return word
    bare = word.text.strip('.,;:!?…—–()"«»“”')
    before, _, after = word.text.partition(bare) if bare else ("", "", word.text)
    signs = [*before, *(_misaki(sound) for sound in word.sounds), *after]
    return Word(word.text, tuple(_PUNCTUATION.get(sign, sign) for sign in signs))


def _misaki(sound: str) -> str:
    for joined_sound, letter in _MISAKI.items():
        sound = sound.replace(joined_sound, letter)
    return sound
