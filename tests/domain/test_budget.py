"""Money: figures as people type and read them, and the month they count in."""

from datetime import UTC, datetime

import pytest

from avatar_scheduler.domain.budget import Month, cents_of, money, month_of
from avatar_scheduler.domain.errors import Invalid, Refused


@pytest.mark.parametrize(("text", "cents"), [("50", 5000), ("50.5", 5050), (" $1,200.00 ", 120_000), ("0", 0)])
def test_amounts_people_type(text: str, cents: int) -> None:
    assert cents_of(text) == cents


@pytest.mark.parametrize("text", ["", "-5", "1.005", "ten", "1e3", ".5", "50 EUR", "9" * 13, "٣"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(Invalid, match="is not an amount"):
        cents_of(text)


def test_amounts_people_read() -> None:
    assert [money(cents) for cents in (0, 7, 5000, 123_456_789)] == ["$0.00", "$0.07", "$50.00", "$1,234,567.89"]


@pytest.mark.parametrize(("month", "following"), [(1, (2026, 2)), (12, (2027, 1))])
def test_a_month_ends_where_the_next_begins(month: int, following: tuple[int, int]) -> None:
    start, end = month_of(datetime(2026, month, 31, 23, 59, 59, 999_999, UTC))
    assert (start, end) == (datetime(2026, month, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC))


def test_the_last_cent_may_be_spent_and_not_one_more() -> None:
    Month(100, 60).check(40, creator="Maya", slug="maya")
    with pytest.raises(Refused, match=r"\$1.00 for this month \$0.60"):
        Month(100, 60).check(41, creator="Maya", slug="maya")


def test_what_costs_nothing_needs_no_budget() -> None:
    Month(None, 0).check(0, creator="Maya", slug="maya")
    with pytest.raises(Refused, match="has no budget"):
        Month(None, 0).check(1, creator="Maya", slug="maya")
