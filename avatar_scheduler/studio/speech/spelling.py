"""Words as the rows of signs a neural voice reads, and the times of what it says."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.studio.speech.ipa import Word
from avatar_scheduler.studio.timed import Timed


@dataclass(frozen=True)
class Sign:
    text: str
    word: int
    """Which word of the piece it belongs to; the gap after a word belongs to it."""


def pieces(words: list[Word], longest: int, clause_after: int) -> list[list[Word]]:
    """Cut where a word ends: at a clause when one is near, else before the piece grows too long."""
    found: list[list[Word]] = [[]]
    length = 0
    for word in words:
        found[-1].append(word)
        length += len("".join(word.sounds)) + 1
        if length > longest or (word.text[-1] in ",;:—" and length > clause_after):
            found.append([])
            length = 0
    return [piece for piece in found if piece]


def spelled(words: list[Word], known: dict[str, int]) -> list[Sign]:
    """Every sign the voice knows, with a gap between words."""
    signs: list[Sign] = []
    for number, word in enumerate(words):
        if not word.sounds:
            continue
        if signs:
            signs.append(Sign(" ", number - 1))
        signs += [Sign(sign, number) for sign in "".join(word.sounds) if sign in known]
    return signs


def timed(words: list[Word], signs: list[Sign], edges: NDArray[np.float64]) -> tuple[list[Timed], list[Timed]]:
    """Words and phonemes. A word lasts while its letters sound; punctuation after it is silence."""
    heard = [Timed(sign.text, float(edges[i]), float(edges[i + 1])) for i, sign in enumerate(signs)]
    spans: dict[int, tuple[float, float]] = {}
    for sign, sound in zip(signs, heard, strict=True):
        if sound.text.isalpha():
            spans[sign.word] = (spans.get(sign.word, (sound.start, 0.0))[0], sound.end)
    return [Timed(words[number].text, start, end) for number, (start, end) in spans.items()], heard


def edges_of(frames: NDArray[np.float64], seconds: float, early: float) -> NDArray[np.float64]:
    """Frames for each sign, with one before and one after them all, as seconds: what lies before, between and after.

    The sound's own length says how long a frame is. A voice is heard `early` seconds before its frames say.
    """
    ends: NDArray[np.float64] = np.cumsum(frames.ravel().astype(np.float64)) * (seconds / frames.sum())
    return np.maximum(ends[:-1] - early, 0.0)
