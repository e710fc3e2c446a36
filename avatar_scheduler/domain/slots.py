"""Wall-clock times people write, turned into instants."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from avatar_scheduler.domain.errors import Invalid

FARTHEST = timedelta(days=730)


@dataclass(frozen=True)
class Slot:
    local: str
    """"2026-11-22 18:00", as written."""
    zone: str
    due_at: datetime
    """UTC."""


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(
            f"There is no time zone “{name}”. Use a name such as Europe/Paris.", code="unknown_zone"
        ) from None


def resolve(text: str, zone: str, *, now: datetime) -> Slot:
    """`text` is "now", "+90s", "+10m", "+2h", or a local time such as "2026-11-22 18:00[:30]".

    A time inside a daylight-saving gap does not exist and is refused; of a doubled hour the first is meant.
    """
    tz = zone_of(zone)
    moment = _relative(text, now)
    if moment is None:
        moment = _local(text, tz)
    if moment < now - timedelta(minutes=1):
        raise Invalid(
            f"{text} ({zone}) is in the past. It is {now.astimezone(tz):%Y-%m-%d %H:%M} there now.", code="past"
        )
    if moment > now + FARTHEST:
        raise Invalid(f"{text} is more than two years away.", code="too_far")
    return Slot(f"{moment.astimezone(tz):%Y-%m-%d %H:%M:%S}", zone, moment.astimezone(UTC))


def _relative(text: str, now: datetime) -> datetime | None:
    if text == "now":
        return now
    units = {"s": 1, "m": 60, "h": 3600}
    if text.startswith("+") and text[1:-1].isascii() and text[1:-1].isdigit() and text[-1] in units:
        # Nine digits of hours are beyond every calendar; the caller refuses far less.
        return now + min(timedelta(seconds=int(text[1:-1][:9]) * units[text[-1]]), FARTHEST * 2)
    return None


def _local(text: str, tz: ZoneInfo) -> datetime:
    try:
        naive = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"“{text}” is not a time. Write it as 2026-11-22 18:00, or +10m.", code="bad_time") from None
    if naive.tzinfo is not None:
        return naive
    if not 1970 <= naive.year <= 9000:
        raise Invalid(f"“{text}” is not a year anybody posts in.", code="bad_time")
    aware = naive.replace(tzinfo=tz)
    back = aware.astimezone(UTC).astimezone(tz)
    if back.replace(tzinfo=None) != naive:
        raise Invalid(
            f"{text} does not exist in {tz.key}: the clocks jump over it. The next time that exists is {back:%H:%M}.",
            code="zone_gap",
        )
    return aware
