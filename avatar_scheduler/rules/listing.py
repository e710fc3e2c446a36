"""Which rules hold where and when, for people who read them."""

from collections.abc import Iterator
from datetime import date

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.rulebook import Rule, RuleBook
from avatar_scheduler.rules.books import floor, known_platforms
from avatar_scheduler.rules.packs import SurfaceRow


def holding(book: RuleBook, *, platform: str = "", jurisdiction: str = "", at: date | None = None) -> list[Rule]:
    """Rules in their order, drafts too, without those that begin after `at`. Raises Invalid for an unknown place."""
    if platform:
        check_platform(platform)
    reached = _reached(book, jurisdiction)
    return [
        rule
        for rule in book.rules
        if (at is None or rule.begins <= at)
        and (not platform or not rule.platforms or platform in rule.platforms)
        and (reached is None or not rule.where or rule.where in reached)
    ]


def beginning(book: RuleBook, since: date, until: date) -> list[Rule]:
    """What comes into force after `since`, up to and on `until`. Raises Invalid for dates the wrong way round."""
    if until < since:
        raise Invalid(f"{until} is before {since}. Say --from the earlier and --to the later day.", code="dates")
    found = [rule for rule in book.rules if since < rule.begins <= until]
    return sorted(found, key=lambda rule: rule.begins)


def added(book: RuleBook) -> list[Rule]:
    """An operator's own rules: what stands in the book and not in the floor."""
    base = {row.id for row in floor().laws} | switches()
    return [rule for rule in book.rules if rule.id not in base]


def switches() -> set[str]:
    """Ids of the rules behind the platforms' own switches and blocks, which their surfaces show."""
    return {rule.id for row in floor().surfaces for rule in row.rules()}


def surfaces(platform: str = "") -> Iterator[SurfaceRow]:
    if platform:
        check_platform(platform)
    return (row for row in floor().surfaces if platform in ("", row.platform))


def check_platform(platform: str) -> None:
    if platform not in known_platforms():
        raise Invalid(f"Nothing is known about “{platform}”. Known: {', '.join(known_platforms())}.", code="platform")


def _reached(book: RuleBook, jurisdiction: str) -> frozenset[str] | None:
    if jurisdiction and jurisdiction not in book.reach:
        raise Invalid(
            f"“{jurisdiction}” has no rows of its own, so every rule holds there: leave --jurisdiction out. "
            f"Known: {', '.join(sorted(book.reach))}.",
            code="jurisdiction",
        )
    return book.reached(frozenset({jurisdiction})) if jurisdiction else None
