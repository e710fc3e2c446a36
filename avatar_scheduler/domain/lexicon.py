"""Phrases of one language, found word by word. Which phrases is data: rules/interaction/*.toml."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.folding import Word, words

GAP = "~"
"""Stands for up to GAP_WORDS words of any kind in the same sentence."""
GAP_WORDS = 3
SHORTEST_STEM = 3
MOST_KNOWN = 20_000
"""Pairs of words remembered: those people use, not everything anybody ever typed."""


class Hit(NamedTuple):
    what: str
    first: int
    """Numbers of the first and the last of its words."""
    last: int


@dataclass(frozen=True)
class Step:
    """One word of a phrase: any of these words, or any word that begins like one of these."""

    exact: frozenset[str] = frozenset()
    stems: tuple[str, ...] = ()

    def fits(self, word: str) -> bool:
        plain = word.lstrip("#")
        return word in self.exact or plain in self.exact or (bool(self.stems) and plain.startswith(self.stems))


@dataclass(frozen=True)
class Phrase:
    what: str
    steps: tuple[Step | None, ...]
    """None is a gap."""

    def goes_on(self, after: str) -> bool:
        """Whether it can, with this as its second word."""
        second = self.steps[1] if len(self.steps) > 1 else None
        return second is None or second.fits(after)

    def end(self, row: Sequence[Word], at: int, step: int = 0) -> int:
        """Number of its last word if it stands there, else -1. Two gaps at most, so the work has a bound."""
        sentence = row[at].sentence
        while step < len(self.steps):
            wanted = self.steps[step]
            if wanted is None:
                return max((self.end(row, to, step + 1) for to in _ahead(row, at, sentence)), default=-1)
            if at >= len(row) or row[at].sentence != sentence or not wanted.fits(row[at].folded):
                return -1
            at, step = at + 1, step + 1
        return at - 1


def _ahead(row: Sequence[Word], at: int, sentence: int) -> Iterator[int]:
    for to in range(at, min(at + GAP_WORDS + 1, len(row))):
        if row[to].sentence != sentence:
            return
        yield to


def phrase(what: str, text: str) -> Phrase:
    """As the lists write it: "i ~ answer|reply", "promis*". Raises Invalid for one that cannot be searched for."""
    steps: list[Step | None] = []
    for part in text.split():
        if part == GAP:
            steps.append(None)
            continue
        for piece in part.replace("’", "'").split("'"):
            steps += [_step(piece, text)] if piece else []
    if not steps or steps[0] is None or steps[-1] is None or steps.count(None) > 2:
        raise Invalid(f"“{text}” begins and ends with a word and has at most two gaps.", code="phrase")
    return Phrase(what, tuple(steps))


def _step(piece: str, text: str) -> Step:
    exact, stems = set(), []
    for way in piece.split("|"):
        found = words(way.rstrip("*"))
        if len(found) != 1 or (way.endswith("*") and len(found[0].folded) < SHORTEST_STEM):
            raise Invalid(f"“{text}”: “{way}” is not one word, or too short to begin one with.", code="phrase")
        if way.endswith("*"):
            stems.append(found[0].folded)
        else:
            exact.add(found[0].folded)
    return Step(frozenset(exact), tuple(stems))


@dataclass(frozen=True)
class People:
    """How people are named in a language; all words are folded."""

    first: frozenset[str] = frozenset()
    """First names that are nothing else."""
    also_words: frozenset[str] = frozenset()
    """First names that are words, months or places too: with a capital inside a sentence only."""
    titles: frozenset[str] = frozenset()
    kin: frozenset[str] = frozenset()
    """What a person is to somebody, before their name."""
    greetings: frozenset[str] = frozenset()
    not_people: frozenset[str] = frozenset()
    """Brands, places, days: capitals that name nobody."""


@dataclass(frozen=True)
class Lexicon:
    phrases: tuple[Phrase, ...]
    harmless: Mapping[str, tuple[Phrase, ...]] = field(default_factory=dict)
    """Ways of speaking that look like a topic and are none, for each topic."""
    common: frozenset[str] = frozenset()
    """Small words by which the language is known."""
    people: People = People()

    @cached_property
    def _finder(self) -> "Finder":
        return Finder(self.phrases)

    @cached_property
    def _excuses(self) -> "Finder":
        return Finder(phrase for rows in self.harmless.values() for phrase in rows)

    def hits(self, row: Sequence[Word], at: int) -> Iterator[Hit]:
        """Phrases that begin with this word."""
        yield from self._finder.at(row, at)

    def excused(self, row: Sequence[Word]) -> set[tuple[str, int]]:
        """Topics and numbers of words that are only a way of speaking."""
        found = (hit for at in range(len(row)) for hit in self._excuses.at(row, at))
        return {(hit.what, number) for hit in found for number in range(hit.first, hit.last + 1)}


class Finder:
    """Phrases by their first word, and then by the word after it: looking costs the same however many there are."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._exact: dict[str, list[Phrase]] = {}
        self._stems: dict[str, list[Phrase]] = {}
        self._known: dict[tuple[str, str], tuple[Phrase, ...]] = {}
        for one in phrases:
            first = one.steps[0]
            for word in first.exact if first else ():
                self._exact.setdefault(word, []).append(one)
            for stem in first.stems if first else ():
                self._stems.setdefault(stem, []).append(one)
        self._longest = max(map(len, self._stems), default=0)

    def at(self, row: Sequence[Word], at: int) -> Iterator[Hit]:
        after = row[at + 1].folded if at + 1 < len(row) else ""
        for one in self._beginning(row[at].folded, after):
            if (end := one.end(row, at)) >= at:
                yield Hit(one.what, at, end)

    def _beginning(self, word: str, after: str) -> tuple[Phrase, ...]:
        found = self._known.get((word, after))
        if found is None:
            found = tuple(one for one in self._first(word) if one.goes_on(after))
            if len(self._known) < MOST_KNOWN:
                self._known[word, after] = found
        return found

    def _first(self, word: str) -> Iterator[Phrase]:
        plain = word.lstrip("#")
        yield from self._exact.get(word, ())
        yield from self._exact.get(plain, ()) if plain != word else ()
        for length in range(SHORTEST_STEM, min(len(plain), self._longest) + 1):
            yield from self._stems.get(plain[:length], ())
