"""The script as written: sentences, words, and when each written word is heard."""

import re
import unicodedata
from difflib import SequenceMatcher

from avatar_scheduler.studio.timed import Timed

_ENDS = re.compile(r"[.!?…][\"'”’)\]]*$")
_ABBREVIATIONS = re.compile(
    r"mrs?|ms|dr|prof|st|mt|ft|gen|gov|sen|rep|capt|lt|col|sgt|rev|hon|jr|sr|vs|approx|est|no|vol|fig|e\.g|i\.e",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """Drop what no voice, font or file can carry: control characters and broken surrogates."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def sentences(text: str) -> list[list[str]]:
    """Written words by sentence. A line break ends a sentence too."""
    found: list[list[str]] = []
    for line in text.splitlines():
        words = line.split()
        current: list[str] = []
        for word, following in zip(words, [*words[1:], ""], strict=True):
            current.append(word)
            if not following or _ends_sentence(word, following):
                found.append(current)
                current = []
    return found


def _ends_sentence(word: str, following: str) -> bool:
    if not _ENDS.search(word) or following[0].islower():
        return False
    bare = word.strip("\"'“”‘’()[]").rstrip(".")
    initial = len(bare) == 1 and bare.isalpha() and bare.isupper() and bare != "I"
    return not (word.endswith(".") and (_ABBREVIATIONS.fullmatch(bare) or initial))


def as_written(written: list[str], spoken: list[Timed]) -> list[Timed]:
    """Give each written word the time it is heard: "6:30" lasts as long as "six thirty".

    Signs without a reading of their own ("—", an emoji) stay with the word before them. Empty when nothing is spoken.
    """
    units = _units(written)
    if not units or not spoken:
        return []
    matcher = SequenceMatcher(None, [_key(u) for u in units], [_key(s.text) for s in spoken], autojunk=False)
    timed: list[Timed] = []
    lead = ""
    for tag, from_unit, to_unit, from_word, to_word in matcher.get_opcodes():
        texts, sounds = units[from_unit:to_unit], spoken[from_word:to_word]
        if tag == "delete":
            lead = _attach(timed, lead, texts)
        elif tag == "insert":
            if timed:
                timed[-1] = Timed(timed[-1].text, timed[-1].start, sounds[-1].end)
        else:
            fresh = _share(texts, sounds)
            fresh[0] = Timed(f"{lead} {fresh[0].text}".lstrip(), fresh[0].start, fresh[0].end)
            timed, lead = timed + fresh, ""
    return timed or [Timed(lead, spoken[0].start, spoken[-1].end)]


def _units(written: list[str]) -> list[str]:
    """Join words without letters or digits to the word before, the first ones to the word after."""
    units: list[str] = []
    lead = ""
    for word in written:
        if any(c.isalnum() for c in word):
            units.append(f"{lead} {word}".lstrip())
            lead = ""
        elif units:
            units[-1] += f" {word}"
        else:
            lead = f"{lead} {word}".lstrip()
    return units


def _key(word: str) -> str:
    return re.sub(r"\W", "", word).lower()


def _attach(timed: list[Timed], lead: str, texts: list[str]) -> str:
    """Written but not heard: shown with the word before. Returns what still waits for a first word."""
    if not timed:
        return " ".join([lead, *texts]).strip()
    last = timed[-1]
    timed[-1] = Timed(" ".join([last.text, *texts]), last.start, last.end)
    return ""


def _share(texts: list[str], sounds: list[Timed]) -> list[Timed]:
    """Word for word when the counts agree, else the whole span is shared out by length."""
    if len(texts) == len(sounds):
        return [Timed(text, sound.start, sound.end) for text, sound in zip(texts, sounds, strict=True)]
    start, end = sounds[0].start, sounds[-1].end
    total = sum(len(text) for text in texts)
    timed: list[Timed] = []
    done = 0
    for text in texts:
        begin = start + (end - start) * done / total
        done += len(text)
        timed.append(Timed(text, begin, start + (end - start) * done / total))
    return timed
