from datetime import UTC, datetime

import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.slots import resolve

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-11-22 18:00", "Europe/Paris", "2026-11-22T17:00:00+00:00"),
        ("2026-11-22 18:00:30", "UTC", "2026-11-22T18:00:30+00:00"),
        ("2027-07-01 09:00", "Europe/Paris", "2027-07-01T07:00:00+00:00"),
        ("2026-11-23 00:00", "Asia/Kathmandu", "2026-11-22T18:15:00+00:00"),
        ("2027-10-31 02:30", "Europe/Paris", "2027-10-31T00:30:00+00:00"),  # twice that night: the first is meant
        ("2028-02-29 12:00", "Pacific/Kiritimati", "2028-02-28T22:00:00+00:00"),
        ("now", "UTC", "2026-11-22T12:00:00+00:00"),
        ("+90s", "Europe/Paris", "2026-11-22T12:01:30+00:00"),
        ("+2h", "UTC", "2026-11-22T14:00:00+00:00"),
        ("2026-11-22T18:00+01:00", "Europe/Paris", "2026-11-22T17:00:00+00:00"),
    ],
)
def test_it_finds_the_instant_people_mean(text: str, zone: str, utc: str) -> None:
    assert resolve(text, zone, now=NOW).due_at.isoformat() == utc


@pytest.mark.parametrize(
    ("text", "zone", "says"),
    [
        ("2027-03-28 02:30", "Europe/Paris", r"does not exist in Europe/Paris.*03:30"),
        ("2027-03-14 02:15", "America/New_York", r"does not exist in America/New_York"),
        ("2026-11-22 11:00", "UTC", r"in the past. It is 2026-11-22 12:00"),
        ("2036-01-01 00:00", "UTC", r"more than two years"),
        ("tomorrow", "UTC", r"not a time. Write it as 2026"),
        ("2026-13-01 00:00", "UTC", r"not a time"),
        ("+5m", "Europe/Pariss", r"no time zone “Europe/Pariss”"),
        ("+5m", "../etc/passwd", r"no time zone"),
        ("+²m", "UTC", r"not a time"),
        ("+99999999999999h", "UTC", r"more than two years"),
        ("0001-01-01 00:00", "Europe/Paris", r"not a year"),
        ("9999-12-31 23:59", "America/New_York", r"not a year"),
    ],
)
def test_it_says_what_is_wrong_and_what_to_do(text: str, zone: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        resolve(text, zone, now=NOW)
