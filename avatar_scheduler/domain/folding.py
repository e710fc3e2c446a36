"""Words as a reader sees them, however they are typed: case, accents, apostrophes, invisible and lookalike letters."""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_TOKEN = re.compile("(?:(?<![^\\W_])[@#])?(?:[^\\W_][\u0300-\u036f]*)+")
_ENDS = re.compile("[.!?…\n\r]")
_STARTS = re.compile('[.!?…\n\r:;"«»“”()\\[\\]—–•·*]|(?:^|\\s)-\\s')
_SIGNS = str.maketrans("＠＃﹫﹟ʼʹʽˈ", "@#@#''''")
# The letters of other alphabets people swap in because they look the same: Unicode's confusables (UTS 39), of which
# these are the ones of Cyrillic, Greek, Armenian and Latin that stand for a letter of a to z.
_LOOKALIKES = {
    ord(other): letter
    for letter, others in {
        "a": "аαɑ",
        "b": "ь",
        "c": "сϲ",
        "d": "ԁđð",
        "e": "еε",
        "f": "ғ",
        "g": "ɡ",
        "h": "һհħ",
        "i": "іιıɩ",
        "j": "ј",
        "k": "кκ",
        "l": "ӏłℓ",
        "m": "м",
        "n": "пη",
        "o": "оοօσø",
        "p": "рρ",
        "q": "ԛ",
        "r": "гɾ",
        "s": "ѕ",
        "t": "тτŧ",
        "u": "υսц",
        "v": "ν",
        "w": "ԝω",
        "x": "хχ",
        "y": "уγү",
    }.items()
    for other in others
}
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ł": "l"})


class Word(NamedTuple):
    folded: str
    """Lower case a to z and digits where it can be read as such; "@" and "#" in front stay."""
    start: int
    """Place in the text as it was given; `end` is one after the last character."""
    end: int
    sentence: int
    first: bool
    """Begins a sentence, a line or a quote: a capital there says nothing."""
    capital: bool


@lru_cache(maxsize=8192)
def fold(token: str) -> str:
    """One word in lower case without accents, lookalike letters read as the letter they look like."""
    if token.isascii():
        return token.lower()
    plain = unicodedata.normalize("NFKD", token)
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    return kept.translate(_LOOKALIKES).translate(_LETTERS)


def words(text: str) -> list[Word]:
    """In their order. Time grows with the length of the text and nothing else."""
    text = text.translate(_SIGNS) if not text.isascii() else text
    seen, places = _visible(text)
    found: list[Word] = []
    sentence, last = 0, 0
    for match in _TOKEN.finditer(seen):
        start, end = match.span()
        gap = seen[last:start]
        first = not found
        if gap != " " and found:
            sentence += bool(_ENDS.search(gap))
            first = bool(_STARTS.search(gap))
        token = match[0]
        capital = token.lstrip("@#")[:1].isupper()
        where = (start, end) if places is None else (places[start], places[end - 1] + 1)
        found.append(Word(fold(token), *where, sentence, first, capital))
        last = end
    return found


def _visible(text: str) -> tuple[str, list[int] | None]:
    """The text without what nobody sees, and where each of its characters stood; None where none was taken out."""
    gone = [match.span() for match in _INVISIBLE.finditer(text)] if not text.isascii() else []
    if not gone:
        return text, None
    edges = [(0, 0), *gone, (len(text), len(text))]
    spans = [(end, start) for (_, end), (start, _) in pairwise(edges)]
    return "".join(text[a:b] for a, b in spans), [place for a, b in spans for place in range(a, b)]
