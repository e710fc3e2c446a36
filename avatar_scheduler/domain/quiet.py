"""Hours in which nobody is disturbed, and when a notice is due because of them."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

CLOSE = timedelta(hours=1)
"""A deadline this soon after the quiet hours cannot wait for their end."""
BEFORE = timedelta(minutes=5)
"""How long before the quiet hours a notice goes that cannot wait for their end."""
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class Quiet:
    """From one wall-clock time to the next of the other, every day, as clocks in `zone` show it."""

    zone: ZoneInfo
    start: time
    end: time

    def window(self, at: datetime) -> tuple[datetime, datetime] | None:
        """The quiet hours that `at` falls into, as UTC instants; its end is no longer quiet."""
        today = at.astimezone(self.zone).date()
        for day in (today - timedelta(days=1), today):
            begins = self._instant(day, self.start, fold=0)
            over = day if self.start < self.end else day + timedelta(days=1)
            ends = self._instant(over, self.end, fold=1)
            if begins <= at < ends:
                return begins, ends
        return None

    def _instant(self, day: date, clock: time, fold: int) -> datetime:
        """Of an hour that comes twice, quiet begins with the first and ends with the second."""
        return datetime.combine(day, clock, self.zone).replace(fold=fold).astimezone(UTC)


def quiet(start: str, end: str, zone: ZoneInfo) -> Quiet | None:
    """None where there are no such hours; text that is no time of day is none either."""
    times = [_CLOCK.fullmatch(text) for text in (start, end)]
    if not all(times) or start == end:
        return None
    return Quiet(zone, time.fromisoformat(start), time.fromisoformat(end))


def moment(planned: datetime, deadline: datetime | None, hours: Quiet | None, since: datetime) -> datetime:
    """When a notice planned for `planned` goes, never before `since`.

    In quiet hours it waits for their end. Where the deadline would not leave an hour then, it goes before they start.
    """
    window = hours.window(planned) if hours else None
    if window is None:
        return planned
    begins, ends = window
    if deadline is None or deadline > ends + CLOSE or begins - BEFORE < since:
        return ends
    return begins - BEFORE


def unreachable(now: datetime, deadline: datetime, hours: Quiet | None) -> bool:
    """Whether from now to the deadline there is next to no time in which they may be disturbed."""
    window = hours.window(now) if hours else None
    return window is not None and deadline <= window[1] + CLOSE


@dataclass(frozen=True)
class Plan:
    """When somebody is told, counted back from the latest moment at which a yes still works."""

    asked_at: datetime
    half_at: datetime
    escalated_at: datetime
    deadline: datetime


def plan(asked_at: datetime, deadline: datetime) -> Plan:
    span = max(deadline - asked_at, timedelta(0))
    return Plan(asked_at, asked_at + span / 2, asked_at + span * 3 / 4, deadline)
