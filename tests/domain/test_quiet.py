"""Quiet hours on real clocks, and when a notice goes because of them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from avatar_scheduler.domain.quiet import BEFORE, moment, plan, quiet, unreachable

PARIS = ZoneInfo("Europe/Paris")
NIGHT = quiet("22:00", "07:00", PARIS)


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


class TestWindow:
    @pytest.mark.parametrize(
        ("at", "inside"),
        [
            ("2026-11-22 21:59:59", False),
            ("2026-11-22 22:00", True),
            ("2026-11-23 00:00", True),
            ("2026-11-23 06:59:59", True),
            ("2026-11-23 07:00", False),
            ("2026-11-23 12:00", False),
        ],
    )
    def test_a_night_reaches_over_midnight(self, at: str, inside: bool) -> None:
        assert NIGHT is not None
        assert (NIGHT.window(paris(at)) is not None) is inside

    def test_a_siesta_stays_within_the_day(self) -> None:
        siesta = quiet("12:00", "14:00", PARIS)
        assert siesta is not None
        assert siesta.window(paris("2026-11-22 13:00")) == (paris("2026-11-22 12:00"), paris("2026-11-22 14:00"))
        assert siesta.window(paris("2026-11-22 23:00")) is None

    @pytest.mark.parametrize(
        ("day", "hours"),
        [("2026-03-28 23:00", 8), ("2026-10-24 23:00", 10), ("2026-11-22 23:00", 9)],
    )
    def test_the_night_of_the_clock_change_is_shorter_or_longer(self, day: str, hours: int) -> None:
        assert NIGHT is not None
        window = NIGHT.window(paris(day))
        assert window is not None
        assert window[1] - window[0] == timedelta(hours=hours)

    def test_an_hour_that_comes_twice_is_quiet_both_times(self) -> None:
        hours = quiet("02:00", "02:30", PARIS)
        assert hours is not None
        first = datetime(2026, 10, 25, 0, 10, tzinfo=UTC)
        assert hours.window(first) is not None
        assert hours.window(first + timedelta(hours=1)) is not None
        assert hours.window(first + timedelta(hours=1, minutes=25)) is None

    @pytest.mark.parametrize(
        ("start", "end"),
        [("", ""), ("22:00", ""), ("22:00", "22:00"), ("24:00", "07:00"), ("22:00\n", "07:00"), ("٢٢:00", "07:00")],
    )
    def test_what_is_no_time_of_day_is_no_quiet(self, start: str, end: str) -> None:
        assert quiet(start, end, PARIS) is None


class TestMoment:
    def test_without_quiet_hours_it_goes_as_planned(self) -> None:
        at = paris("2026-11-22 23:00")
        assert moment(at, None, None, at) == at
        assert moment(paris("2026-11-22 12:00"), None, NIGHT, at) == paris("2026-11-22 12:00")

    def test_at_night_it_waits_for_the_morning(self) -> None:
        at = paris("2026-11-22 23:00")
        assert moment(at, paris("2026-11-23 18:00"), NIGHT, at) == paris("2026-11-23 07:00")
        assert moment(at, None, NIGHT, at) == paris("2026-11-23 07:00")

    @pytest.mark.parametrize("deadline", ["2026-11-23 03:00", "2026-11-23 07:30", "2026-11-23 08:00"])
    def test_where_the_morning_is_too_late_it_goes_before_the_night(self, deadline: str) -> None:
        since = paris("2026-11-22 18:00")
        found = moment(paris("2026-11-22 23:00"), paris(deadline), NIGHT, since)
        assert found == paris("2026-11-22 22:00") - BEFORE

    def test_nobody_is_told_before_there_is_something_to_tell(self) -> None:
        since = paris("2026-11-22 23:00")
        assert moment(since, paris("2026-11-23 05:00"), NIGHT, since) == paris("2026-11-23 07:00")

    @pytest.mark.parametrize(
        ("now", "deadline", "late"),
        [
            ("2026-11-22 23:00", "2026-11-23 05:00", True),
            ("2026-11-22 23:00", "2026-11-23 08:00", True),
            ("2026-11-22 23:00", "2026-11-23 08:01", False),
            ("2026-11-22 21:00", "2026-11-23 05:00", False),
        ],
    )
    def test_at_risk_is_who_cannot_be_disturbed_until_the_deadline(self, now: str, deadline: str, late: bool) -> None:
        assert unreachable(paris(now), paris(deadline), NIGHT) is late
        assert unreachable(paris(now), paris(deadline), None) is False


def test_reminders_are_counted_back_from_the_deadline() -> None:
    at = paris("2026-11-22 10:00")
    times = plan(at, at + timedelta(hours=8))
    assert (times.half_at - at, times.escalated_at - at) == (timedelta(hours=4), timedelta(hours=6))
    late = plan(at, at - timedelta(hours=1))
    assert late.half_at == late.escalated_at == at
