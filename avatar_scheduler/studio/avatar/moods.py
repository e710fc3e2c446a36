"""What the face expresses and where it looks, second by second: cues first, then punctuation, then chance by seed."""

from dataclasses import dataclass

import numpy as np

from avatar_scheduler.studio.timed import Cue, Speech, Timed

EXPRESSIONS = ("smile", "neutral", "worried", "surprised")
_ENDS = (".", "!", "?", "…")
_CLOSING = "\"'”’»)] \u00a0\u202f"
_AHEAD = 0.1
"""Seconds a face changes before the word it belongs to."""
_SURPRISE = 1.6
"""Seconds. Raised brows held longer look frozen."""
_CHEER = 0.9
_WARM = 0.22
"""Share of plain sentences that close with a smile."""
_ASIDE = (0.35, 0.8)
_QUIET_START, _QUIET_END = 1.6, 1.2
"""Seconds at both ends of a film in which the eyes stay with the viewer."""


@dataclass(frozen=True)
class Span:
    what: str
    start: float
    end: float


@dataclass(frozen=True)
class Sentence:
    start: float
    end: float
    mark: str
    """Its last character: ".", "!", "?", "…", or a letter."""


def sentences(words: tuple[Timed, ...]) -> list[Sentence]:
    found: list[Sentence] = []
    start: float | None = None
    for number, word in enumerate(words):
        start = word.start if start is None else start
        bare = word.text.rstrip(_CLOSING)
        if bare.endswith(_ENDS) or number == len(words) - 1:
            found.append(Sentence(start, word.end, "…" if bare.endswith("...") else bare[-1:]))
            start = None
    return found


def cued(speech: Speech, *verbs: str) -> list[Span]:
    """Each cue of one family lasts until the next of its family, or through its sentence and the pause after it."""
    cues = [cue for cue in speech.cues if cue.verb in verbs]
    spoken = sentences(speech.words)
    spans: list[Span] = []
    for number, cue in enumerate(cues):
        end = _end(cue, spoken, speech.seconds)
        if number + 1 < len(cues):
            end = min(end, cues[number + 1].at)
        if cue.verb == "surprised":
            end = min(end, cue.at + _SURPRISE)
        spans.append(Span(cue.value or cue.verb, max(0.0, cue.at - _AHEAD), end - _AHEAD))
    return spans


def _end(cue: Cue, spoken: list[Sentence], film: float) -> float:
    """A cue in the pause before a sentence belongs to that sentence."""
    for number, sentence in enumerate(spoken):
        if sentence.end > cue.at + 0.05:
            return spoken[number + 1].start if number + 1 < len(spoken) else film + 1.0
    return film + 1.0


def cheers(speech: Speech, rng: np.random.Generator) -> list[Span]:
    """Smiles while speaking: the end of what is called out, and now and then of a plain sentence."""
    spans: list[Span] = []
    for sentence in sentences(speech.words):
        warm = float(rng.random()) < _WARM
        if sentence.mark == "!" or (warm and sentence.mark == "."):
            spans.append(Span("smile", max(sentence.start, sentence.end - _CHEER), sentence.end + _AHEAD))
    return spans


def glances(speech: Speech, rng: np.random.Generator) -> list[Span]:
    """Away from the viewer, from the start of a word: somebody who thinks of what to say next. Longer after "…"."""
    spans: list[Span] = []
    at = float(rng.uniform(1.8, 3.2))
    pauses = [sentence.end for sentence in sentences(speech.words) if sentence.mark == "…"]
    while at < speech.seconds - _QUIET_END:
        side = "left" if rng.random() < 0.5 else "right"
        length = float(rng.uniform(*_ASIDE))
        start = min((word.start for word in speech.words), key=lambda moment: abs(moment - at), default=at)
        start = start if abs(start - at) < 0.5 else at
        if start >= _QUIET_START and start + length < speech.seconds - _QUIET_END:
            spans.append(Span(side, start, start + length))
        at = max(at, start) + length + float(rng.uniform(2.4, 5.0))
    thought = [Span("left" if rng.random() < 0.5 else "right", end, end + 0.7) for end in pauses]
    return sorted(spans + thought, key=lambda span: span.start)


def raises(speech: Speech, rng: np.random.Generator) -> list[Span]:
    """Brows up on the last word of a question or a cheer, and now and then on a long word."""
    spans: list[Span] = []
    quiet_until = 0.0
    for word in speech.words:
        chance = float(rng.random())
        called = word.text.rstrip(_CLOSING).endswith(("?", "!"))
        if not (called or (len(word.text) >= 7 and chance < 0.45)) or word.start < quiet_until:
            continue
        length = max(0.3, word.end - word.start)
        spans.append(Span("up", word.start - 0.05, word.start - 0.05 + length))
        quiet_until = word.start + length + 1.2
    return spans


def blinks(speech: Speech, every: tuple[int, int], rng: np.random.Generator) -> list[float]:
    """When an eye begins to close: by chance, rather at the end of a sentence, sometimes twice."""
    ends = [sentence.end for sentence in sentences(speech.words)]
    earliest, latest = every[0] / 1000, every[1] / 1000
    found: list[float] = []
    at = float(rng.uniform(0.7, 1.4))
    while at < speech.seconds - 0.5:
        end = min(ends, key=lambda moment: abs(moment - at), default=at)
        at = end if abs(end - at) < 0.6 and (not found or end - found[-1] > earliest / 2) else at
        found.append(at)
        if rng.random() < 0.1:
            found.append(at + 0.3)
        at += float(rng.uniform(earliest, latest))
    return [moment for moment in found if moment < speech.seconds - 0.5]
