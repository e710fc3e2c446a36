"""The English voice: the hibari-tts model inside its wheel, offline.

The package's own Hibari class can fetch other voices from the network. It is never touched: the bundled model, the text
rules and the synthesiser are used directly, so there is no code path to a download.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hibari
import numpy as np
import onnxruntime
from hibari import dsp
from hibari.g2p import G2P
from hibari.g2p.normalize import normalize
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.speech.onnx_tap import tap
from avatar_scheduler.studio.timed import Timed

RATE = 24_000
ALPHABET = "misaki_en"
_ASSETS = Path(hibari.__file__).parent / "assets"
_DURATIONS = "/Clip_output_0"
_LONGEST_PIECE = 380
"""Phonemes. The model was trained on sentences up to about 400; longer ones drift."""
_CLAUSE_AFTER = 240


@dataclass(frozen=True)
class Utterance:
    samples: NDArray[np.float32]
    words: list[Timed]
    """As spoken: "6:30" is two words here."""
    phonemes: list[Timed]


class HibariVoice:
    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        # Measured: a second thread makes it slower. Work is spread over jobs instead.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        model = tap((_ASSETS / "hibari.onnx").read_bytes(), _DURATIONS)
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._g2p = G2P()
        self._vocabulary: dict[str, int] = _vocabulary()

    def say(self, sentence: str, rng: np.random.Generator) -> Utterance:
        """Times start at the beginning of the sentence. No words and no samples when nothing in it can be read."""
        samples: list[NDArray[np.float32]] = []
        words: list[Timed] = []
        phonemes: list[Timed] = []
        offset = 0.0
        for tokens in _pieces(self._tokens(sentence)):
            piece = self._say_piece(tokens, offset, rng)
            samples.append(piece.samples)
            words += piece.words
            phonemes += piece.phonemes
            offset += len(piece.samples) / RATE
        return Utterance(np.concatenate(samples) if samples else np.zeros(0, np.float32), words, phonemes)

    def _tokens(self, sentence: str) -> list[Any]:
        try:
            tokens = self._g2p.phonemize_tokens(self._g2p.tokenize(normalize(sentence)))
        except (ValueError, IndexError) as error:
            # The reader gives up on rare signs such as circled digits and on numbers beyond all names.
            shown = sentence if len(sentence) <= 60 else sentence[:57] + "..."
            raise Invalid(f'The voice cannot read "{shown}". Write its numbers and signs as words.') from error
        return [token for token in tokens if token.text]

    def _say_piece(self, tokens: list[Any], offset: float, rng: np.random.Generator) -> Utterance:
        sounds = "".join((token.phonemes or "") + (" " if token.whitespace else "") for token in tokens).rstrip()
        known = [i for i, sound in enumerate(sounds) if sound in self._vocabulary]
        if not any(sounds[i].isalpha() for i in known):
            return Utterance(np.zeros(0, np.float32), [], [])
        ids = [0, *(self._vocabulary[sounds[i]] for i in known), 0]
        *spectra, frames = self._session.run(None, {"ids": np.array([ids], np.int64), "speed": np.ones(1, np.float32)})
        samples = dsp.synth(*(part[0] for part in spectra), rng)
        # Durations are counted in frames of the model; the sound's own length says how long a frame is.
        seconds = frames.ravel().astype(np.float64) * (len(samples) / RATE / frames.sum())
        edges = offset + np.concatenate([[0.0], np.cumsum(seconds)])
        heard = {i: Timed(sounds[i], float(edges[k + 1]), float(edges[k + 2])) for k, i in enumerate(known)}
        return Utterance(samples, _words(tokens, heard), list(heard.values()))


def _vocabulary() -> dict[str, int]:
    loaded: dict[str, int] = json.loads((_ASSETS / "vocab.json").read_text("utf-8"))
    return loaded


def _pieces(tokens: list[Any]) -> list[list[Any]]:
    """Cut where a word ends: at a clause when one is near, else before the piece grows too long."""
    pieces: list[list[Any]] = [[]]
    length = 0
    for token in tokens:
        pieces[-1].append(token)
        length += len(token.phonemes or "") + 1
        clause = token.text[-1] in ",;:—"
        if token.whitespace and (length > _LONGEST_PIECE or (clause and length > _CLAUSE_AFTER)):
            pieces.append([])
            length = 0
    return [piece for piece in pieces if piece]


def _words(tokens: list[Any], heard: dict[int, Timed]) -> list[Timed]:
    """Join tokens up to each space. A word lasts while its letters sound; punctuation after it is silence."""
    words: list[Timed] = []
    text, sounds, position = "", list[Timed](), 0
    for index, token in enumerate(tokens):
        count = len(token.phonemes or "")
        text += token.text
        span = (heard[i] for i in range(position, position + count) if i in heard)
        sounds += [timed for timed in span if timed.text.isalpha()]
        position += count + bool(token.whitespace)
        if token.whitespace or index == len(tokens) - 1:
            if sounds:
                words.append(Timed(text, sounds[0].start, sounds[-1].end))
            text, sounds = "", []
    return words
