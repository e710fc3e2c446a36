"""Which marks laws and platforms ask for: rules as plain data, and the one pure function that answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from avatar_scheduler.domain.disclosure import SPONSORED, Blocked, Content, Mark, Place, RequiredMark

EVERY_LANGUAGE = "*"
"""Key of the wording for languages without words of their own."""
DAWN = timedelta(hours=14)
"""A date begins first at UTC+14. A law is kept from then on: nobody is harmed by a label that comes early."""


@dataclass(frozen=True)
class Demand:
    """One mark as a rule asks for it, in whatever language the content is."""

    mark: Mark
    wording: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {EVERY_LANGUAGE: ()})
    """Language (first part of BCP 47) or "*" -> words of which one must be there; none: no fixed words."""
    height_thousandths: int = 0
    field: str = ""
    value: str = ""


@dataclass(frozen=True)
class Rule:
    """A law or a platform's rule, and what it covers. It either demands marks or blocks."""

    id: str
    law: str
    source: str
    checked: date
    begins: date
    media: frozenset[str]
    performers: frozenset[str]
    sponsored: frozenset[str]
    where: str = ""
    """Jurisdiction; empty for everywhere."""
    platforms: frozenset[str] = frozenset()
    """Empty for all; so are surfaces."""
    surfaces: frozenset[str] = frozenset()
    demands: tuple[Demand, ...] = ()
    blocked: str = ""
    """Why it may not go there at all."""
    way_out: str = ""
    draft: bool = False
    """Not law yet: listed for those who plan, demands nothing."""
    manner: str = ""
    """Where and how long, in words. The label is measured from the first frame to the last, which is more."""

    def covers(self, place: Place, media: str, performer: str, sponsored: str) -> bool:
        return (
            not self.draft
            and media in self.media
            and performer in self.performers
            and sponsored in self.sponsored
            and (not self.platforms or place.platform in self.platforms)
            and (not self.surfaces or place.surface in self.surfaces)
        )


class _Entry(NamedTuple):
    begins: date
    where: str
    blocked: Blocked | None
    required: Mapping[str, tuple[RequiredMark, ...]]


class RuleBook:
    """All rules, laid out by what they cover, so that a decision only reads its own few."""

    def __init__(
        self,
        rules: Sequence[Rule],
        ways: Mapping[Place, frozenset[str]],
        performers: frozenset[str],
        reach: Mapping[str, frozenset[str]],
        version: str,
    ) -> None:
        """`ways`: the media each surface takes. `reach`: an audience's code -> the jurisdictions whose rules hold for
        it; a code that is not there is unknown, and every rule holds."""
        self.rules, self.ways, self.reach, self.version = tuple(rules), ways, reach, version
        self.performers = performers
        made = {rule.id: _entry(rule) for rule in rules}
        self._entries = {
            (place.platform, place.surface, media, performer, sponsored): tuple(
                made[rule.id] for rule in rules if rule.covers(place, media, performer, sponsored)
            )
            for place, taken in ways.items()
            for media in taken
            for performer in performers
            for sponsored in SPONSORED
        }

    def entries(self, content: Content, place: Place) -> tuple[_Entry, ...] | Blocked:
        key = (place.platform, place.surface, content.media, content.performer, content.sponsored)
        return self._entries.get(key) or self._unknown(content, place)

    def reached(self, jurisdictions: frozenset[str]) -> frozenset[str] | None:
        """The jurisdictions whose rules hold; None for all, because nobody knows or somebody cannot be placed."""
        if not jurisdictions or not jurisdictions <= self.reach.keys():
            return None
        return frozenset().union(*(self.reach[code] for code in jurisdictions))

    def _unknown(self, content: Content, place: Place) -> Blocked:
        surfaces = sorted(way.surface for way in self.ways if way.platform == place.platform)
        asked: list[tuple[str, str, Iterable[str]]] = [
            ("platform", place.platform, sorted({way.platform for way in self.ways})),
            ("surface", place.surface, surfaces),
            ("performer", content.performer, sorted(self.performers)),
            ("sponsored", content.sponsored, SPONSORED),
            ("media", content.media, sorted(self.ways.get(place, ()))),
        ]
        for what, value, known in asked:
            if value not in known:
                return Blocked(
                    f"unknown.{what}",
                    f"No rules are known for {what} “{value}” on {place.platform} {place.surface}.",
                    "avatar_scheduler/rules: what is not listed is kept back",
                    f"Choose one of: {', '.join(known)}.",
                )
        return _UNRULED


_UNRULED = Blocked(
    "unknown.rule",
    "No rule asks for anything here, and avatar media never leaves unmarked.",
    "avatar_scheduler/rules: what is not listed is kept back",
    "Repair the rule packs: avatar-scheduler rules check.",
)


def _entry(rule: Rule) -> _Entry:
    blocked = Blocked(rule.id, rule.blocked, rule.source, rule.way_out) if rule.blocked else None
    languages = {EVERY_LANGUAGE}.union(*(demand.wording for demand in rule.demands))
    required = {language: tuple(_required(rule, demand, language) for demand in rule.demands) for language in languages}
    return _Entry(rule.begins, rule.where, blocked, required)


def _required(rule: Rule, demand: Demand, language: str) -> RequiredMark:
    wording = demand.wording.get(language, demand.wording[EVERY_LANGUAGE])
    return RequiredMark(
        demand.mark, rule.id, rule.law, rule.source, rule.checked,
        wording, demand.height_thousandths, demand.field, demand.value,
    )  # fmt: skip


def decide(
    content: Content, place: Place, jurisdictions: frozenset[str], at: datetime, book: RuleBook
) -> list[RequiredMark] | Blocked:
    """What this content must carry there, for an audience in `jurisdictions` (ISO 3166, "EU"; empty: unknown, so all).

    Raises ValueError for a time without a zone.
    """
    if at.tzinfo is None:
        raise ValueError("a time without a zone is not on one day")
    entries = book.entries(content, place)
    if isinstance(entries, Blocked):
        return entries
    reached, day = book.reached(jurisdictions), (at.astimezone(UTC) + DAWN).date()
    language = content.language.partition("-")[0].lower()
    found: list[RequiredMark] = []
    for begins, where, blocked, required in entries:
        if begins > day or (where and reached is not None and where not in reached):
            continue
        if blocked:
            return blocked
        found += required.get(language) or required[EVERY_LANGUAGE]
    return found or _UNRULED
