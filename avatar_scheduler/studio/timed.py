"""Speech as the rest of the studio sees it: sound, and when what is heard."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Timed:
    """A word or a phoneme, with the seconds it is heard."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Cue:
    """A direction in the script, such as [smile] or [show cake], at the second it stands at."""

    verb: str
    value: str
    at: float


@dataclass(frozen=True)
class Speech:
    samples: NDArray[np.float32]
    """Mono, about -1 to 1, with the silence before and after."""
    rate: int
    words: tuple[Timed, ...]
    """In the written form, every word of the script in its order."""
    phonemes: tuple[Timed, ...]
    alphabet: str
    """The table of rules/visemes.toml that knows these phonemes."""
    cues: tuple[Cue, ...] = ()
    """In the order of their times. Pauses are already part of the sound."""

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate
