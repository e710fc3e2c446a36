"""A Piper voice of the creator's own: any .onnx with its .json beside it, read by espeak-ng."""

import json
import unicodedata
from typing import Any

import numpy as np

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.speech import ipa, spelling
from avatar_scheduler.studio.speech.ipa import Word
from avatar_scheduler.studio.speech.onnx_tap import failures, run, session, tap
from avatar_scheduler.studio.speech.utterance import Utterance, joined, nothing
from avatar_scheduler.studio.voices import Voice, config

ALPHABET = "ipa"
_DURATIONS = "/Ceil_output_0"
_EARLY_SECONDS = 0.015
_LONGEST_PIECE, _CLAUSE_AFTER = 300, 200


class PiperVoice:
    def __init__(self, voice: Voice) -> None:
        """Raises Invalid for a file that is no Piper model."""
        broken: tuple[type[Exception], ...] = (ValueError, LookupError, TypeError, AttributeError, OSError, *failures())
        try:
            described = json.loads(config(voice).read_text("utf-8"))
            self._ids: dict[str, int] = {sign: ids[0] for sign, ids in described["phoneme_id_map"].items()}
            self._start, self._end, self._pad = (self._ids[sign] for sign in "^$_")
            self.rate = int(described["audio"]["sample_rate"])
            self._pace = float(described.get("inference", {}).get("length_scale", 1.0))
            self._reads = str(described["espeak"]["voice"])
            self._speakers = int(described.get("num_speakers", 1))
            self._session: Any = session(tap(voice.file.read_bytes(), _DURATIONS))
        except broken as error:
            raise Invalid(
                f"{voice.file} is not a Piper model this can use ({type(error).__name__}). Export it again with Piper "
                "1.2 or later, as an .onnx file with its .onnx.json beside it.",
                code="voice_broken",
            ) from None

    def say(self, text: str, speed: float) -> Utterance:
        words = [_letters(word) for word in ipa.words(text, self._reads)]
        cut = spelling.pieces(words, _LONGEST_PIECE, _CLAUSE_AFTER)
        return joined([self._say_piece(piece, speed) for piece in cut], self.rate, ALPHABET)

    def _say_piece(self, words: list[Word], speed: float) -> Utterance:
        signs = spelling.spelled(words, self._ids)
        if not any(sign.text.isalpha() for sign in signs):
            return nothing(self.rate, ALPHABET)
        # A pad after the start and after each sign, as the model was trained.
        pad = self._pad
        ids = [self._start, pad, *(i for sign in signs for i in (self._ids[sign.text], pad)), self._end]
        given: dict[str, Any] = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            # No noise: the same words always sound the same.
            "scales": np.array([0.0, self._pace / speed, 0.0], np.float32),
        }
        if self._speakers > 1:
            given["sid"] = np.zeros(1, np.int64)
        sound, frames = run(self._session, ["output", _DURATIONS], given)
        samples = sound.ravel().astype(np.float32)
        each = frames.ravel()
        # The start with its pad, each sign with its pad, the end.
        together = np.concatenate([[each[0] + each[1]], each[2:-1:2] + each[3:-1:2], each[-1:]])
        times = spelling.timed(words, signs, spelling.edges_of(together, len(samples) / self.rate, _EARLY_SECONDS))
        return Utterance(samples, self.rate, *times, ALPHABET)


def _letters(word: Word) -> Word:
    """Piper was taught letters and their marks apart, with the punctuation espeak keeps."""
    if not word.sounds:
        return word
    after = word.text[len(word.text.rstrip(".,;:!?")) :]
    return Word(word.text, tuple(unicodedata.normalize("NFD", "".join(word.sounds)) + after))
