"""Captions as text: which words are shown together, when, and the WebVTT file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, inf

from avatar_scheduler.studio.timed import Timed
from avatar_scheduler.studio.typography import OPENING, hold, tidy

_LETTERS, _WORDS = 28, 6
_POP_LETTERS, _POP_WORDS = 15, 3
_LINGER_SECONDS = 0.6
_SHORTEST_GAP = 0.5
"""Seconds without words. A shorter gap reads as a flicker, so the caption stays until the next one."""
_ENTERING = 2
"""Frames in which popping words grow to their size."""
_SENTENCE_END = re.compile(r"[.!?…]\W*$")
_CLAUSE_END = re.compile(r"[,;:—–]\W*$")

# What a break costs, beside the square of how far a share is from an even one.
_HOLD_COSTS = (0.0, 0.25, 0.6, 4.0)
_CLAUSE_GAIN = 0.35
_SHARE_COSTS = 0.1

OnScreen = tuple[int, int]
"""A caption's number and its state: the word to highlight, or below 0 while it is entering."""


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


def captions(words: Sequence[Timed], language: str = "en") -> list[Caption]:
    """Up to two lines at a time, cut where a reader would pause: what the WebVTT file says."""
    groups: list[tuple[Timed, ...]] = []
    for sentence in _cut(_as_printed(words, language), _SENTENCE_END, language):
        groups += _shares(sentence, language, _LETTERS, _WORDS)
    return _timed(groups)


def styled(words: Sequence[Timed], language: str, style: str) -> list[Caption]:
    """What is burned in with this style of Staging.captions: for "pop" a few words at a time, for "none" nothing."""
    if style == "none":
        return []
    if style != "pop":
        return captions(words, language)
    groups: list[tuple[Timed, ...]] = []
    for sentence in _cut(_as_printed(words, language), _SENTENCE_END, language):
        for clause in _cut(sentence, _CLAUSE_END, language):
            groups += _shares(clause, language, _POP_LETTERS, _POP_WORDS)
    return _timed(groups)


def on_screen(shown: list[Caption], frames: int, fps: int, style: str = "karaoke") -> list[OnScreen | None]:
    """For each frame what stands in it. "plain" keeps one state a caption: the fewest different pictures."""
    plan: list[OnScreen | None] = [None] * frames
    for number, caption in enumerate(shown):
        first = round(caption.start * fps)
        for frame in range(first, min(frames, round(caption.end * fps))):
            word = 0 if style == "plain" else caption.word_at(frame / fps + 0.5 / fps)
            entering = style == "pop" and frame - first < _ENTERING
            plan[frame] = (number, frame - first - _ENTERING if entering else word)
    return plan


def vtt(shown: list[Caption]) -> str:
    cues = [f"{_clock(c.start)} --> {_clock(c.end)}\n{_escaped(c.text)}\n" for c in shown]
    return "\n".join(["WEBVTT\n", *cues])


def _as_printed(words: Sequence[Timed], language: str) -> list[Timed]:
    """An opening sign typed with spaces around it hangs on the word before: it belongs to the one after."""
    printed: list[Timed] = []
    lead = ""
    for index, word in enumerate(words):
        text = lead + word.text
        found = OPENING.search(text) if index + 1 < len(words) else None
        lead = found.group(1) if found else ""
        text = text[: found.start()] if found else text
        if text:
            printed.append(Timed(tidy(text, language), word.start, word.end))
    return printed


def _cut(words: list[Timed], end: re.Pattern[str], language: str) -> list[list[Timed]]:
    """After each word with this ending, unless it is an abbreviation such as "Dr." """
    found: list[list[Timed]] = [[]]
    for word, following in zip(words, [*words[1:], None], strict=True):
        found[-1].append(word)
        if following and end.search(word.text) and hold(word.text, following.text, language) < 2:
            found.append([])
    return [part for part in found if part]


def _timed(groups: list[tuple[Timed, ...]]) -> list[Caption]:
    following = [*(group[0].start for group in groups[1:]), inf]
    return [
        Caption(group, group[0].start, _until(group[-1].end + _LINGER_SECONDS, upcoming))
        for group, upcoming in zip(groups, following, strict=True)
    ]


def _until(lingered: float, upcoming: float) -> float:
    return upcoming if upcoming - lingered < _SHORTEST_GAP else lingered


def _shares(sentence: list[Timed], language: str, letters: int, words: int) -> list[tuple[Timed, ...]]:
    """The cheapest way to cut a sentence: shares about equal, cut at commas, not after an article."""
    lengths = [len(word.text) + 1 for word in sentence]
    count = max(ceil((sum(lengths) - 1) / letters), ceil(len(sentence) / words))
    aim = sum(lengths) / count
    best = [(0.0, 0)] + [(inf, 0)] * len(sentence)
    for end in range(1, len(sentence) + 1):
        for start in range(max(0, end - words), end):
            length = sum(lengths[start:end])
            if length > letters + 1 and end - start > 1:
                continue
            cost = best[start][0] + ((length - aim) / aim) ** 2 + _break_costs(sentence, end, language)
            best[end] = min(best[end], (cost, start))
    cuts = [len(sentence)]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][1])
    ends = cuts[::-1]
    return [tuple(sentence[start:end]) for start, end in pairwise(ends)]


def _break_costs(sentence: list[Timed], end: int, language: str) -> float:
    if end == len(sentence):
        return 0.0
    word, following = sentence[end - 1].text, sentence[end].text
    gain = _CLAUSE_GAIN if _CLAUSE_END.search(word) else 0.0
    return _SHARE_COSTS + _HOLD_COSTS[hold(word, following, language)] - gain


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
