"""Whether words name a person. Only shapes and lists: it can raise a post, so it may be wrong on the safe side."""

from collections.abc import Collection, Iterator, Sequence

from avatar_scheduler.domain.folding import Word, words
from avatar_scheduler.domain.lexicon import Hit, Lexicon

WHAT = "names_a_person"
TITLED = 0.6
"""A line where so many of its longer words have a capital is a heading: capitals say nothing there."""
Name = tuple[str, ...]


def folded(names: Collection[str]) -> frozenset[Name]:
    """ "Nadia Brandt" is also called Nadia; a handle is called what it is."""
    found = {tuple(word.folded.lstrip("@") for word in words(name)) for name in names}
    firsts = {name[:1] for name in found if len(name) > 1}
    return frozenset(name for name in found | firsts if name and len("".join(name)) > 1)


def named(row: Sequence[Word], lexicon: Lexicon, known: frozenset[Name], own: frozenset[Name]) -> Iterator[Hit]:
    """`known`: people this organization knows; `own`: whose avatar speaks, who may be named."""
    headings = _headings(row)
    starts: dict[str, list[Name]] = {}
    for name in sorted(known, key=len, reverse=True):
        starts.setdefault(name[0], []).append(name)
    mine = {part for name in own for part in name}
    for at, word in enumerate(row):
        if word.folded.lstrip("@#") in mine:
            continue
        ends = [at] if word.folded.startswith("@") else [_whole(row, at, name) for name in starts.get(word.folded, ())]
        last = max(ends, default=-1)
        if last < 0:
            last = _looks_named(row, at, lexicon, word.sentence in headings)
        if last >= 0:
            yield Hit(WHAT, at, last)


def _whole(row: Sequence[Word], at: int, name: Name) -> int:
    """Number of the name's last word if all of it stands there. One word alone needs its capital: many are words."""
    if tuple(word.folded for word in row[at : at + len(name)]) == name and (len(name) > 1 or row[at].capital):
        return at + len(name) - 1
    return -1


def _looks_named(row: Sequence[Word], at: int, lexicon: Lexicon, heading: bool) -> int:
    people, word = lexicon.people, row[at]
    before = row[at - 1].folded if at else ""
    called = word.folded in people.first or word.folded in people.also_words
    if called and not word.capital:
        return at if before in people.greetings and word.folded in people.first else -1
    if not word.capital or len(word.folded) < 2 or _no_name(word.folded, lexicon):
        return -1
    inside = not word.first and not heading
    if before in people.titles or (before in people.kin and not heading):
        return at
    if word.folded in people.first or (inside and word.folded in people.also_words):
        return at + _surname(row, at, lexicon)
    return at + 1 if inside and _surname(row, at, lexicon) and not _shouted(word) else -1


def _surname(row: Sequence[Word], at: int, lexicon: Lexicon) -> int:
    """1 where the next word may be a surname."""
    if at + 1 >= len(row):
        return 0
    after = row[at + 1]
    plain = after.capital and not after.first and after.sentence == row[at].sentence
    plain = plain and after.start == row[at].end + 1 and len(after.folded) > 1 and after.folded.isalpha()
    return int(plain and not _no_name(after.folded, lexicon))


def _no_name(word: str, lexicon: Lexicon) -> bool:
    return word in lexicon.common or word in lexicon.people.not_people


def _shouted(word: Word) -> bool:
    """Abbreviations: too short to be a first name people would not know."""
    return word.end - word.start <= 2 or not word.folded.isalpha()


def _headings(row: Sequence[Word]) -> set[int]:
    counts: dict[int, list[int]] = {}
    for word in row:
        if len(word.folded) >= 4 and not word.folded.startswith("@"):
            both = counts.setdefault(word.sentence, [0, 0])
            both[0] += 1
            both[1] += word.capital
    return {number for number, (every, capitals) in counts.items() if every >= 3 and capitals >= every * TITLED}
