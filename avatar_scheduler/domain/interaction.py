"""Core or secondary: which posts always need a person. By their kind, and by what their words say."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from avatar_scheduler.domain import naming
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.folding import Word, words
from avatar_scheduler.domain.lexicon import Hit, Lexicon

CORE = frozenset(
    {
        "reply",
        "message",
        "live_answer",
        "go_live",
        "thank_you",
        "personal_story",
        "names_a_person",
        "sponsored",
        "health",
        "money",
        "minors",
        "politics",
        "apology",
        "first_use",
    }
)
SECONDARY = frozenset({"tip", "recap", "announcement", "b_roll", "thumbnail", "recut"})
KINDS = CORE | SECONDARY
SPONSORED, UNREADABLE = "sponsored", "unreadable"
HINTS = (
    naming.WHAT, "promise", "experience", SPONSORED,
    "health", "money", "minors", "politics", "grief", "law", "apology", "thank_you", UNREADABLE,
)  # fmt: skip
"""What words can say that makes a post core."""
LONGEST = 64_000
"""Characters of one text that are read; what is longer needs a person."""
LEAST_WORDS = 12
"""So many words without one small word of a language we know are in a language we do not."""
MOST_REASONS = 20


def is_core(kind: str, sponsored: str = "no") -> bool:
    """Unknown is core: a kind nobody thought about needs a person, and so does whatever somebody pays for."""
    return kind not in SECONDARY or sponsored != "no"


def check_kind(kind: str) -> str:
    if kind not in KINDS:
        raise Invalid(f"There is no post kind “{kind}”. Use one of: {', '.join(sorted(KINDS))}.", code="unknown_kind")
    return kind


@dataclass(frozen=True)
class Reason:
    what: str
    """One of HINTS."""
    field: str
    """Name of the text; empty for the post as a whole."""
    start: int
    end: int
    """Characters of that text as it was given, the last one not included."""
    words: str


@dataclass(frozen=True)
class Judged:
    core: bool
    reasons: tuple[Reason, ...]
    """What its words say, in the order they stand. Empty where only the kind or the money makes it core."""


def classify(
    kind: str,
    sponsored: str,
    texts: Mapping[str, str],
    language: str,
    names: Collection[str] = (),
    *,
    own: Collection[str] = (),
    lexicons: Mapping[str, Lexicon],
) -> Judged:
    """`texts` by field; `language` a BCP 47 tag; `names` of people known here, `own` of whose avatar it is.

    Words raise a post to core and never lower it. What cannot be read is core.
    """
    declared = language.partition("-")[0].lower()
    known, mine = naming.folded(names), naming.folded(own)
    found: list[Reason] = []
    if any(texts.values()) and declared not in lexicons:
        found.append(Reason(UNREADABLE, "", 0, 0, ""))
    for field, text in texts.items():
        row = words(text[:LONGEST])
        if len(text) > LONGEST or _foreign(row, lexicons):
            found.append(Reason(UNREADABLE, field, 0, len(text), ""))
        hits = _hits(row, declared, lexicons, known, mine)
        found += (_reason(hit, field, text, row) for hit in hits if sponsored == "no" or hit.what != SPONSORED)
    return Judged(is_core(kind, sponsored) or bool(found), tuple(found[:MOST_REASONS]))


def _reason(hit: Hit, field: str, text: str, row: Sequence[Word]) -> Reason:
    start, end = row[hit.first].start, row[hit.last].end
    return Reason(hit.what, field, start, end, text[start:end])


def _hits(
    row: Sequence[Word],
    declared: str,
    lexicons: Mapping[str, Lexicon],
    known: frozenset[naming.Name],
    own: frozenset[naming.Name],
) -> list[Hit]:
    """Each word in one hit for one thing, the longest first; in the order they stand."""
    found: set[Hit] = set()
    languages = _languages(row, declared, lexicons)
    for name, lexicon in lexicons.items():
        excused = lexicon.excused(row)
        for at, word in enumerate(row):
            for hit in lexicon.hits(row, at):
                spoken = name in languages[word.sentence] or hit.what == SPONSORED
                if spoken and (hit.what, at) not in excused:
                    found.add(hit)
        if name == declared or any(name in spoken for spoken in languages.values()):
            found.update(h for h in naming.named(row, lexicon, known, own) if name in languages[row[h.first].sentence])
    return _apart(found)


def _apart(found: Iterable[Hit]) -> list[Hit]:
    ends: dict[str, int] = {}
    kept = []
    for hit in sorted(found, key=lambda hit: (hit.first, -hit.last, HINTS.index(hit.what))):
        if hit.first > ends.get(hit.what, -1):
            ends[hit.what] = hit.last
            kept.append(hit)
    return kept


def _languages(row: Sequence[Word], declared: str, lexicons: Mapping[str, Lexicon]) -> dict[int, set[str]]:
    """Of each sentence: what the post says it is in, and what it looks like, so that a wrong language hides nothing."""
    counts: dict[int, dict[str, int]] = {}
    for word in row:
        seen = counts.setdefault(word.sentence, dict.fromkeys(lexicons, 0))
        for name, lexicon in lexicons.items():
            seen[name] += word.folded in lexicon.common
    return {number: {declared, *_others(seen, declared)} for number, seen in counts.items()}


def _others(seen: Mapping[str, int], declared: str) -> Iterator[str]:
    mine = seen.get(declared, 0)
    yield from (name for name, count in seen.items() if count > mine and (count > 1 or not mine))


def _foreign(row: Sequence[Word], lexicons: Mapping[str, Lexicon]) -> bool:
    """In letters, or for long in words, of no language there are lists for."""
    if sum(1 for word in row if word.folded.isalpha() and not word.folded.isascii()) > 1:
        return True
    plain = [word.folded for word in row if word.folded.isalpha()]
    return len(plain) >= LEAST_WORDS and not any(word in one.common for word in plain for one in lexicons.values())
