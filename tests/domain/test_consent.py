from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from avatar_scheduler.domain.consent import Grant, check
from avatar_scheduler.domain.errors import Refused

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
GRANT = Grant(frozenset({"likeness", "voice"}), frozenset(), NOW - DAY, NOW + DAY, None)


def test_a_running_consent_passes() -> None:
    check(GRANT, creator="Maya", platforms=frozenset({"own_feed"}), at=NOW)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ends_at": NOW}, "ended on 22 Nov 2026"),
        ({"starts_at": NOW + DAY}, "starts on"),
        ({"revoked_at": NOW}, "withdrew consent"),
        ({"rights": frozenset({"likeness"})}, "does not cover voice"),
        ({"platforms": frozenset({"bluesky"})}, "does not cover own_feed"),
    ],
)
def test_it_refuses_with_the_one_reason(change: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        check(replace(GRANT, **change), creator="Maya", platforms=frozenset({"own_feed"}), at=NOW)


def test_no_consent_is_a_refusal() -> None:
    with pytest.raises(Refused, match="has not consented"):
        check(None, creator="Maya", platforms=frozenset(), at=NOW)
