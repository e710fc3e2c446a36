from datetime import UTC, datetime

import pytest

from avatar_scheduler.web import when

AT = datetime(2026, 11, 22, 16, 45, tzinfo=UTC)


def test_clock_is_local_and_in_the_manner_of_the_language() -> None:
    assert when.clock(AT, "Europe/Paris", "en") == "17:45"
    assert when.clock(AT, "Europe/Paris", "fr") == "17\u00a0h\u00a045"


def test_day_names_follow_the_language() -> None:
    assert when.day_and_clock(AT, "UTC", "en") == "Sun 22 Nov, 16:45"
    assert when.day_and_clock(AT, "UTC", "fr") == "dim. 22 nov., 16\u00a0h\u00a045"


@pytest.mark.parametrize(
    ("seconds", "english", "french"),
    [
        (-1, "passed", "passée"),
        (0, "0 min", "0\u00a0min"),
        (42 * 60, "42 min", "42\u00a0min"),
        (70 * 60, "1 h 10", "1\u00a0h\u00a010"),
        (3 * 3600, "3 h", "3\u00a0h"),
        (24 * 3600, "1 day", "1\u00a0jour"),
        (50 * 3600, "2 days", "2\u00a0jours"),
    ],
)
def test_time_left_is_short(seconds: int, english: str, french: str) -> None:
    assert when.left(seconds, "en") == english
    assert when.left(seconds, "fr") == french


@pytest.mark.parametrize(("ms", "shown"), [(0, "0:00"), (1, "0:01"), (24_000, "0:24"), (60_001, "1:01")])
def test_a_length_is_never_rounded_to_nothing(ms: int, shown: str) -> None:
    assert when.length(ms) == shown


def test_no_countdown_colour_before_the_last_hour() -> None:
    assert when.urgency(3599) == "bad"
    assert when.urgency(3600) == ""
    assert when.urgency(None) == ""
