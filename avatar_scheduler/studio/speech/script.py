"""The script as written: sentences, words, and when each written word is heard."""

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher

from avatar_scheduler.studio.speech import cues
from avatar_scheduler.studio.timed import Timed

_FIRST_SIGN, _LAST_SIGN = 0xF0000, 0xFFFFD
_ENDS = re.compile(r"[.!?…][\"'”’)\]]*$")
_ABBREVIATIONS = re.compile(
    r"mrs?|ms|dr|prof|st|mt|ft|gen|gov|sen|rep|capt|lt|col|sgt|rev|hon|jr|sr|vs|approx|est|no|vol|fig|e\.g|i\.e|"
    r"mm|mlles?|mmes?|ex|cf|env|c\.-à-d|sra|srta|dra|uds?|sig|dott|ee|ej",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Unit:
    written: str
    spoken: str
    """Empty for what is only seen."""


@dataclass(frozen=True)
class Mark:
    """A cue inside a sentence."""

    before: int
    """The number of the word after it."""
    cue: cues.Direction


@dataclass(frozen=True)
class Piece:
    """What is said in one breath: a sentence, or the part of one up to a pause."""

    words: list[str]
    marks: list[Mark]
    after: list[cues.Direction]
    """Pauses and clips before the next piece."""
    cut: bool
    """The sentence goes on after them."""


def pieces(text: str) -> list[Piece]:
    """Invalid for a cue nobody knows."""
    directions: list[cues.Direction] = []
    marked = ""
    for part in cues.parts(clean(text)):
        if isinstance(part, str):
            marked += part
        else:
            # A private sign holds the cue's place while sentences are found.
            marked += f" {chr(_FIRST_SIGN + len(directions))} "
            directions.append(part)
    found: list[Piece] = []
    for sentence in sentences(marked):
        found += _cut(sentence, directions)
    return found


def _cut(sentence: list[str], directions: list[cues.Direction]) -> list[Piece]:
    found: list[Piece] = []
    words, marks = list[str](), list[Mark]()
    rest = [directions[ord(word) - _FIRST_SIGN] if _is_sign(word) else word for word in sentence]
    for index, word in enumerate(rest):
        if isinstance(word, str):
            words.append(word)
        elif word.verb not in cues.WAITING:
            marks.append(Mark(len(words), word))
        else:
            more = any(isinstance(other, str) for other in rest[index:])
            found.append(Piece(words, marks, [word], cut=more and bool(words)))
            words, marks = [], []
    return [*found, Piece(words, marks, [], cut=False)] if words or marks else found


def _is_sign(word: str) -> bool:
    return len(word) == 1 and _FIRST_SIGN <= ord(word) <= _LAST_SIGN


def clean(text: str) -> str:
    """Drop what no voice, font or file can carry: control characters and broken surrogates."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Co"))


def sentences(text: str) -> list[list[str]]:
    """Written words by sentence. A line break ends a sentence too."""
    found: list[list[str]] = []
    for line in text.splitlines():
        words = line.split()
        current: list[str] = []
        for index, word in enumerate(words):
            current.append(word)
            following = next((other for other in words[index + 1 :] if not _is_sign(other)), "")
            if not words[index + 1 :] or (following and _ends_sentence(word, following)):
                found.append(current)
                current = []
    return found


def _ends_sentence(word: str, following: str) -> bool:
    if not _ENDS.search(word) or following[0].islower():
        return False
    bare = word.strip("\"'“”‘’()[]").rstrip(".")
    initial = len(bare) == 1 and bare.isalpha() and bare.isupper() and bare != "I"
    return not (word.endswith(".") and (_ABBREVIATIONS.fullmatch(bare) or initial))


def as_written(units: list[Unit], heard: list[Timed]) -> list[Timed]:
    """Give each written word the time it is heard: "6:30" lasts as long as "six thirty".

    Signs without a reading of their own ("—", an emoji) stay with the word before them. Empty when nothing is spoken.
    """
    owners = [(number, word) for number, unit in enumerate(units) for word in unit.spoken.split() if _key(word)]
    spans: dict[int, tuple[float, float]] = {}
    matcher = SequenceMatcher(None, [_key(word) for _, word in owners], [_key(w.text) for w in heard], autojunk=False)
    for _, from_owner, to_owner, from_word, to_word in matcher.get_opcodes():
        numbers, sounds = [number for number, _ in owners[from_owner:to_owner]], heard[from_word:to_word]
        if sounds and not numbers and spans:
            last = max(spans)
            spans[last] = (spans[last][0], sounds[-1].end)
        elif sounds:
            _share(spans, owners[from_owner:to_owner], sounds)
    return _joined(units, spans)


def _share(spans: dict[int, tuple[float, float]], owners: list[tuple[int, str]], sounds: list[Timed]) -> None:
    """Word for word when the counts agree, else the whole span is shared out by length."""
    start, end = sounds[0].start, sounds[-1].end
    total = sum(len(word) for _, word in owners)
    done = 0
    for index, (number, word) in enumerate(owners):
        begin = start + (end - start) * done / total
        done += len(word)
        finish = start + (end - start) * done / total
        if len(owners) == len(sounds):
            begin, finish = sounds[index].start, sounds[index].end
        spans[number] = (spans.get(number, (begin, finish))[0], finish)


def _joined(units: list[Unit], spans: dict[int, tuple[float, float]]) -> list[Timed]:
    """What is written but not heard is shown with the word before, or with the first one to come."""
    timed: list[Timed] = []
    lead = ""
    for number, unit in enumerate(units):
        if number in spans:
            timed.append(Timed(f"{lead} {unit.written}".lstrip(), *spans[number]))
            lead = ""
        elif timed:
            timed[-1] = Timed(f"{timed[-1].text} {unit.written}", timed[-1].start, timed[-1].end)
        else:
            lead = f"{lead} {unit.written}".lstrip()
    return timed


def _key(word: str) -> str:
    return re.sub(r"\W", "", word).lower()
