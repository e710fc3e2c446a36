"""The linter of rule packs: `rules check` runs it, and so do the tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from avatar_scheduler.domain.disclosure import IN_CAPTION, ON_REQUEST, SPONSORED, Mark
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.rulebook import EVERY_LANGUAGE, Demand, Rule
from avatar_scheduler.rules import platforms
from avatar_scheduler.rules.books import LAWS, SURFACES, book, floor, packs
from avatar_scheduler.rules.words import FILE as WORDS
from avatar_scheduler.rules.words import LABEL_SIGN, Texts, languages, texts, wordings

STALE_DAYS = 180
_SEEN = {Mark.label, Mark.sponsor_label, Mark.xmp, Mark.aigc, Mark.credentials, Mark.watermark, *IN_CAPTION}
CARRIES = {
    "video": {*_SEEN, Mark.spoken},
    "image": _SEEN,
    "carousel": _SEEN,
    "audio": {Mark.spoken, Mark.aigc, Mark.credentials, *IN_CAPTION},
    "live": {Mark.label, Mark.sponsor_label, Mark.spoken, *IN_CAPTION},
    "text": IN_CAPTION,
}
FORM = {"video": "video", "image": "stills", "carousel": "stills", "audio": "audio", "live": "live", "text": "text"}


@dataclass(frozen=True)
class Finding:
    serious: bool
    """Something may never leave, or a date is wrong. The others want a look."""
    file: str
    row: str
    problem: str


def check(folder: Path | None, today: date) -> list[Finding]:
    """Floor and an operator's packs. A pack that cannot be read is a finding, and then the floor alone is checked."""
    found: list[Finding] = []
    try:
        whole, theirs = book(folder), packs(folder)
    except Invalid as problem:
        found.append(Finding(True, str(folder), "", problem.message))
        whole, theirs = book(), []
    files = {row.id: path.name for path, rows in theirs for row in rows}
    for rule in whole.rules:
        file = files.get(rule.id, SURFACES.name if rule.surfaces else LAWS.name)
        found += (Finding(True, file, rule.id, problem) for problem in (*_uncarried(rule), *_unwritten(rule)))
    found += _aged([*_dated(), *((files[row.id], row.id, row.checked) for _, rows in theirs for row in rows)], today)
    return sorted(found, key=lambda one: (not one.serious, one.file, one.row))


def _dated() -> Iterator[tuple[str, str, date]]:
    base = floor()
    yield from ((LAWS.name, row.id, row.checked) for row in base.laws)
    yield from ((LAWS.name, code, row.checked) for code, row in base.places.items())
    yield from ((SURFACES.name, row.id, row.checked) for row in base.surfaces)
    yield from ((WORDS.name, language, row.checked) for language, row in wordings().items())
    for key, known in platforms.platforms().items():
        yield from ((platforms.FILE.name, f"{key}.{name}", fact.checked) for name, fact in known.facts.items())


def _aged(rows: list[tuple[str, str, date]], today: date) -> Iterator[Finding]:
    for file, row, checked in rows:
        if checked > today:
            yield Finding(True, file, row, f"checked on {checked}, which is in the future")
        elif (days := (today - checked).days) > STALE_DAYS:
            yield Finding(False, file, row, f"last checked {days} days ago, on {checked}: read its source again")


def _uncarried(rule: Rule) -> Iterator[str]:
    """A picture says nothing aloud, and a text has no label: what asks for it keeps every such post back."""
    for media in sorted(rule.media):
        lost = sorted({demand.mark for demand in rule.demands} - CARRIES[media] - ON_REQUEST)
        if lost:
            yield f"{', '.join(lost)}: nothing of the kind “{media}” can carry that; narrow the row's media"


def _unwritten(rule: Rule) -> Iterator[str]:
    """Wordings nothing we write ever has: whatever the rule covers would be kept back for ever."""
    for demand in () if rule.draft else rule.demands:
        for language in languages():
            wanted = demand.wording.get(language, demand.wording[EVERY_LANGUAGE])
            if wanted and not all(any(words in said for words in wanted) for said in _said(rule, demand, language)):
                yield (
                    f"{demand.mark}: no {language} text of ours says {' or '.join(f'“{words}”' for words in wanted)}; "
                    f"posts in {language} it covers are kept back"
                )


def _said(rule: Rule, demand: Demand, language: str) -> Iterator[str]:
    for media in sorted(rule.media):
        for sponsored in sorted(rule.sponsored, key=SPONSORED.index):
            yield said_of(demand.mark, texts(language, form=FORM[media], name="", sponsored=sponsored), sponsored)


def said_of(mark: Mark, said: Texts, sponsored: str) -> str:
    """What an honest measurement of that mark reads."""
    return {
        Mark.label: f"{LABEL_SIGN} {said.label_words}",
        Mark.sponsor_label: said.sponsor,
        Mark.spoken: said.spoken if sponsored == "no" else said.spoken_sponsored,
        Mark.caption_line: said.caption_line,
        Mark.sponsor_line: said.sponsor_line,
    }.get(mark, "")
