"""Captions as text: which words are shown together, when, and the WebVTT file."""

import re
from dataclasses import dataclass
from math import ceil

from avatar_scheduler.studio.timed import Timed

_LETTERS = 28
_WORDS = 6
_LINGER_SECONDS = 0.6
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*$")
_CLAUSE_END = re.compile(r"[,;:—][\"'”’)\]]*$")


@dataclass(frozen=True)
class Caption:
    words: tuple[Timed, ...]
    start: float
    end: float

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    def word_at(self, second: float) -> int:
        """The word being heard, or the last one heard."""
        heard = [i for i, word in enumerate(self.words) if word.start <= second + 1e-6]
        return heard[-1] if heard else 0


def captions(words: tuple[Timed, ...]) -> list[Caption]:
    groups: list[tuple[Timed, ...]] = []
    sentence: list[Timed] = []
    for word in words:
        sentence.append(word)
        if _SENTENCE_END.search(word.text):
            groups += _shares(sentence)
            sentence = []
    groups += _shares(sentence)
    starts = [group[0].start for group in groups]
    following = [*starts[1:], float("inf")]
    return [
        Caption(group, group[0].start, min(upcoming, group[-1].end + _LINGER_SECONDS))
        for group, upcoming in zip(groups, following, strict=True)
    ]


def on_screen(shown: list[Caption], frames: int, fps: int) -> list[tuple[int, int] | None]:
    """For each frame the caption's number and its highlighted word, or None."""
    plan: list[tuple[int, int] | None] = [None] * frames
    for number, caption in enumerate(shown):
        for frame in range(round(caption.start * fps), min(frames, round(caption.end * fps))):
            plan[frame] = (number, caption.word_at(frame / fps + 0.5 / fps))
    return plan


def vtt(shown: list[Caption]) -> str:
    cues = [f"{_clock(c.start)} --> {_clock(c.end)}\n{_escaped(c.text)}\n" for c in shown]
    return "\n".join(["WEBVTT\n", *cues])


def _shares(sentence: list[Timed]) -> list[tuple[Timed, ...]]:
    """Cut a sentence in about equal shares, at a comma where one is near: no single last word on its own."""
    if not sentence:
        return []
    letters = sum(len(word.text) + 1 for word in sentence)
    count = max(ceil(letters / _LETTERS), ceil(len(sentence) / _WORDS))
    aim = letters / count
    shares: list[list[Timed]] = [[]]
    length = 0
    for word in sentence:
        if shares[-1] and (length + len(word.text) > _LETTERS or length + len(word.text) / 2 > aim):
            shares.append([])
            length = 0
        shares[-1].append(word)
        length += len(word.text) + 1
        if _CLAUSE_END.search(word.text) and length > aim * 0.6:
            shares.append([])
            length = 0
    return [tuple(share) for share in shares if share]


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
