"""Every case the rules know, and a full set of evidence for each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from avatar_scheduler import rules
from avatar_scheduler.domain.consent import PERFORMERS
from avatar_scheduler.domain.disclosure import (
    IN_CAPTION,
    ON_REQUEST,
    SPONSORED,
    Blocked,
    Content,
    Evidence,
    Mark,
    Place,
    RequiredMark,
)
from avatar_scheduler.domain.rulebook import RuleBook, decide
from avatar_scheduler.rules.checking import FORM, said_of

LATER = datetime(2027, 3, 1, tzinfo=UTC)
"""After every date in the packs."""
CAPTION = "c" * 64
FILES = {"carousel": ("a" * 64, "b" * 64), "text": ()}
ONE_FILE = ("a" * 64,)
AUDIENCES = ["", "EU", "DE", "FR", "US", "US-CA", "US-NY", "CN", "KR", "IN", "GB"]


@dataclass(frozen=True)
class Case:
    content: Content
    place: Place
    audience: str
    required: tuple[RequiredMark, ...]

    @property
    def files(self) -> tuple[str, ...]:
        return FILES.get(self.content.media, ONE_FILE)


def contents(media: str, language: str) -> Iterator[Content]:
    for performer in sorted(PERFORMERS):
        for sponsored in SPONSORED:
            yield Content(media, performer, sponsored, language)


def audience(code: str) -> frozenset[str]:
    return frozenset({code} - {""})


def cases(book: RuleBook, platform: str) -> Iterator[Case]:
    """What may go out on a platform; the language goes round, so that each meets each row in some case."""
    number = 0
    for place, taken in book.ways.items():
        for media in sorted(taken) if place.platform == platform else ():
            for code in AUDIENCES:
                for content in contents(media, rules.languages()[number % len(rules.languages())]):
                    number += 1
                    required = decide(content, place, audience(code), LATER, book)
                    if not isinstance(required, Blocked):
                        yield Case(content, place, code, tuple(required))


def text_of(mark: Mark, content: Content) -> str:
    """What an honest measurement reads where `rules.texts` wrote."""
    said = rules.texts(content.language, form=FORM[content.media], name="Maya", sponsored=content.sponsored)
    return said_of(mark, said, content.sponsored)


def proof(case: Case, mark: Mark, subject: str) -> Evidence:
    measured: dict[str, str | int | bool] = {"text": text_of(mark, case.content)}
    if mark is Mark.label:
        measured["height_thousandths"] = 50
    return Evidence(mark, True, "seen", "test 1", subject, measured)


def proofs(case: Case) -> list[Evidence]:
    marks = sorted({demand.mark for demand in case.required} - ON_REQUEST)
    return [
        proof(case, mark, subject)
        for mark in marks
        for subject in ((CAPTION,) if mark in IN_CAPTION else case.files)
    ]  # fmt: skip
