"""From what is written to what is said: numbers, dates, prices, short forms, links and hashtags become words.

Each written word keeps its reading, so that captions show the script as it was written.
"""

import re
import unicodedata
from collections.abc import Mapping
from itertools import pairwise

from avatar_scheduler.studio.speech.reading import patterns
from avatar_scheduler.studio.speech.reading import rules as languages
from avatar_scheduler.studio.speech.script import Unit

_Claim = tuple[int, int, str]


def read(written: list[str], language: str, pronunciations: Mapping[str, str]) -> list[Unit]:
    """One unit for each written word, or for several read as one, such as "12 000 €"."""
    text = " ".join(written)
    rules = languages.of(language)
    claims: list[_Claim] = []
    for pattern, say in [*patterns.dictionary(pronunciations), *(patterns.every(rules) if rules else [])]:
        for match in pattern.finditer(text):
            if all(match.end() <= start or match.start() >= end for start, end, _ in claims):
                claims.append((match.start(), match.end(), say(match)))
    return _units(text, sorted(claims))


def _units(text: str, claims: list[_Claim]) -> list[Unit]:
    said, position, breaks = "", 0, list[tuple[int, int]]()
    spaces = {match.start() for match in re.finditer(" ", text)}
    for start, end, spoken in [*claims, (len(text), len(text), "")]:
        for index in range(position, start):
            if index in spaces:
                breaks.append((index, len(said)))
            said += _plain(text[index])
        joint = " " if said and said[-1].isalnum() and spoken[:1].isalnum() else ""
        said += joint + spoken
        if end < len(text) and text[end].isalnum() and spoken[-1:].isalnum():
            said += " "
        position = end
    edges = [(-1, -1), *breaks, (len(text), len(said))]
    return [
        Unit(text[begun[0] + 1 : done[0]], " ".join(said[begun[1] + 1 : done[1]].split()))
        for begun, done in pairwise(edges)
    ]


def _plain(character: str) -> str:
    """Emoji and other pictures are seen, not heard."""
    if unicodedata.category(character) in ("So", "Sk", "Cf", "Mn", "Me", "Cn", "Co") and character != "°":
        return character if unicodedata.combining(character) else " "
    return character
