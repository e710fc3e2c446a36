"""The English voice: the hibari-tts model inside its wheel, offline. Also reads English for other voices.

The package's own Hibari class can fetch other voices from the network. It is never touched: the bundled model, the text
rules and the synthesiser are used directly, so there is no code path to a download.
"""

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import hibari
import numpy as np
from hibari import dsp
from hibari.g2p import G2P
from hibari.g2p.normalize import normalize

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.speech import spelling
from avatar_scheduler.studio.speech.ipa import Word
from avatar_scheduler.studio.speech.onnx_tap import run, session, tap
from avatar_scheduler.studio.speech.utterance import Utterance, joined, nothing

RATE = 24_000
ALPHABET = "misaki_en"
_ASSETS = Path(hibari.__file__).parent / "assets"
_DURATIONS = "/Clip_output_0"
EARLY_SECONDS = 0.06
"""Measured on hisses, and the same in Kokoro, which hibari was distilled from: two and a half frames of 25 ms."""
_LONGEST_PIECE = 380
"""Phonemes. The model was trained on sentences up to about 400; longer ones drift."""
_CLAUSE_AFTER = 240


class EnglishReader:
    """American English as misaki phonemes."""

    def __init__(self) -> None:
        self._g2p = G2P()

    def words(self, text: str) -> list[Word]:
        """Tokens joined up to each space; punctuation is among the sounds."""
        found: list[Word] = []
        written, sounds = "", ""
        for token in self._tokens(text):
            written += token.text
            sounds += token.phonemes or ""
            if token.whitespace:
                found.append(Word(written, tuple(sounds)))
                written, sounds = "", ""
        return [*found, Word(written, tuple(sounds))] if written else found

    def _tokens(self, text: str) -> list[Any]:
        try:
            tokens = self._g2p.phonemize_tokens(self._g2p.tokenize(normalize(text)))
        except (ValueError, IndexError) as error:
            # The reader gives up on rare signs such as circled digits and on numbers beyond all names.
            shown = text if len(text) <= 60 else text[:57] + "..."
            raise Invalid(f'The voice cannot read "{shown}". Write its numbers and signs as words.') from error
        return [token for token in tokens if token.text]


class HibariVoice:
    def __init__(self) -> None:
        self._reader = EnglishReader()
        self._vocabulary = vocabulary()

    @cached_property
    def _session(self) -> Any:
        return session(tap((_ASSETS / "hibari.onnx").read_bytes(), _DURATIONS))

    def say(self, text: str, speed: float) -> Utterance:
        # The breath in a voice is noise: drawn from the text, so that the same words always sound the same.
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest(), "big"))
        cut = spelling.pieces(self._reader.words(text), _LONGEST_PIECE, _CLAUSE_AFTER)
        return joined([self._say_piece(words, speed, rng) for words in cut], RATE, ALPHABET)

    def _say_piece(self, words: list[Word], speed: float, rng: np.random.Generator) -> Utterance:
        signs = spelling.spelled(words, self._vocabulary)
        if not any(sign.text.isalpha() for sign in signs):
            return nothing(RATE, ALPHABET)
        ids = [0, *(self._vocabulary[sign.text] for sign in signs), 0]
        given = {"ids": np.array([ids], np.int64), "speed": np.full(1, speed, np.float32)}
        *spectra, frames = run(self._session, None, given)
        samples = dsp.synth(*(part[0] for part in spectra), rng)
        times = spelling.timed(words, signs, spelling.edges_of(frames, len(samples) / RATE, EARLY_SECONDS))
        return Utterance(samples, RATE, *times, ALPHABET)


def vocabulary() -> dict[str, int]:
    """Kokoro's signs and their numbers; hibari, distilled from it, kept them."""
    loaded: dict[str, int] = json.loads((_ASSETS / "vocab.json").read_text("utf-8"))
    return loaded
