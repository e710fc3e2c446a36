"""What every voice gives back for one piece of text."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.studio.timed import Timed


@dataclass(frozen=True)
class Utterance:
    samples: NDArray[np.float32]
    rate: int
    words: list[Timed]
    """As spoken, in their order. A word that melts into the one before is not listed."""
    phonemes: list[Timed]
    alphabet: str
    """The table of rules/visemes.toml that knows these phonemes."""


class Engine(Protocol):
    def say(self, text: str, speed: float) -> Utterance:
        """Times start at the beginning of the text. Empty when nothing in it can be spoken."""
        ...


def nothing(rate: int, alphabet: str) -> Utterance:
    return Utterance(np.zeros(0, np.float32), rate, [], [], alphabet)


def joined(parts: list[Utterance], rate: int, alphabet: str) -> Utterance:
    samples: list[NDArray[np.float32]] = [np.zeros(0, np.float32)]
    words, phonemes, offset = list[Timed](), list[Timed](), 0.0
    for part in parts:
        words += [later(word, offset) for word in part.words]
        phonemes += [later(phoneme, offset) for phoneme in part.phonemes]
        samples.append(part.samples)
        offset += len(part.samples) / rate
    return Utterance(np.concatenate(samples), rate, words, phonemes, alphabet)


def later(timed: Timed, seconds: float) -> Timed:
    return Timed(timed.text, timed.start + seconds, timed.end + seconds)
