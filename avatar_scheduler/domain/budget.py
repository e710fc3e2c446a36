"""What a creator's paid renders may cost in a calendar month (UTC). No budget means no paid call."""

from dataclasses import dataclass
from datetime import datetime

from avatar_scheduler.domain.errors import Invalid, Refused

LARGEST_CENTS = 100_000_000


@dataclass(frozen=True)
class Month:
    limit_cents: int | None
    """None when nobody set a budget."""
    spent_cents: int
    """Fetched at what it cost, under way at what it may cost."""

    def check(self, cents: int, *, creator: str, slug: str) -> None:
        """Raises Refused with the figures and the way out when `cents` more would be too much."""
        if not cents:
            return
        way_out = f"avatar-scheduler budget set --creator {slug} --monthly"
        if self.limit_cents is None:
            raise Refused(
                f"This render costs about {money(cents)}, and {creator} has no budget for paid renders. "
                f"Set one: {way_out} 50.00",
                code="no_budget",
            )
        if self.spent_cents + cents > self.limit_cents:
            raise Refused(
                f"This render costs about {money(cents)}. Of {creator}'s {money(self.limit_cents)} for this month "
                f"{money(self.spent_cents)} is spent or set aside. Raise it: {way_out} AMOUNT, shorten the script, "
                "or use a built-in avatar.",
                code="over_budget",
            )


def month_of(now: datetime) -> tuple[datetime, datetime]:
    """Its first moment, and the next month's."""
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start, following


def money(cents: int) -> str:
    return f"${cents // 100:,}.{cents % 100:02}"


def cents_of(text: str) -> int:
    """From "50", "50.5" or "$50.00". Raises Invalid for anything else."""
    whole, _, rest = text.strip().removeprefix("$").replace(",", "").partition(".")
    if not (whole.isascii() and whole.isdigit()) or not (rest == "" or (rest.isascii() and rest.isdigit())):
        raise Invalid(f"“{text}” is not an amount. Write it like 50.00.", code="amount")
    cents = int(whole[:12]) * 100 + int(rest.ljust(2, "0")[:2])
    if len(rest) > 2 or cents > LARGEST_CENTS:
        raise Invalid(f"“{text}” is not an amount up to {money(LARGEST_CENTS)} in whole cents.", code="amount")
    return cents
