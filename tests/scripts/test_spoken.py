from datetime import date, time
from decimal import Decimal

import pytest

from avatar_scheduler.scripts.spoken import Day, Moment, Number, Series


@pytest.mark.parametrize(
    ("clock", "english", "french"),
    [
        ((0, 0), "midnight", "minuit"),
        ((0, 5), "12:05 am", "0 heure 05"),
        ((1, 0), "1 am", "1 heure"),
        ((12, 0), "noon", "midi"),
        ((12, 30), "12:30 pm", "12 heures 30"),
        ((18, 0), "6 pm", "18 heures"),
        ((23, 59), "11:59 pm", "23 heures 59"),
    ],
)
def test_times_are_spoken(clock: tuple[int, int], english: str, french: str) -> None:
    assert str(Moment.of(time(*clock), "en")) == english
    assert str(Moment.of(time(*clock), "fr")) == french


def test_days_are_spoken() -> None:
    assert str(Day.of(date(2027, 8, 1), "en-GB")) == "Sunday, August 1"
    assert str(Day.of(date(2027, 8, 1), "fr")) == "dimanche 1er août"
    assert str(Day.of(date(2027, 12, 31), "fr")) == "vendredi 31 décembre"


@pytest.mark.parametrize(
    ("items", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_series_are_spoken(items: list[str], text: str) -> None:
    assert str(Series.of(items, "en")) == text


def test_numbers_round_the_way_prices_do() -> None:
    assert str(Number.of(Decimal("2.5"), "en").rounded(0)) == "3"
    assert str(Number.of(Decimal("2.345"), "fr").rounded(2)) == "2,35"
    assert str(Number.of(Decimal(1200), "en")) == "1200"
