"""What a consent covers, and what makes one wider than it was given."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from avatar_scheduler.domain.consent import Grant, check, widened
from avatar_scheduler.domain.errors import Refused

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BOTH = frozenset({"likeness", "voice"})
GIVEN = Grant(
    BOTH, frozenset({"own_feed"}), NOW - DAY, NOW + DAY, None, live=False, sponsored=False,
    brands_excluded=frozenset({"Acme"}), languages=frozenset({"en", "pt-BR"}),
)  # fmt: skip
USED: dict[str, Any] = {"creator": "Maya", "platforms": frozenset({"own_feed"}), "at": NOW, "language": "en-GB"}

OUTSIDE: dict[str, tuple[Grant | None, dict[str, Any], str]] = {
    "missing": (None, {}, "consent_missing"),
    "withdrawn": (replace(GIVEN, revoked_at=NOW), {}, "consent_revoked"),
    "not begun": (GIVEN, {"at": NOW - 2 * DAY}, "consent_not_started"),
    "ended": (GIVEN, {"at": NOW + DAY}, "consent_expired"),
    "no voice": (replace(GIVEN, rights=frozenset({"likeness"})), {}, "consent_scope"),
    "no face": (replace(GIVEN, rights=frozenset({"voice"})), {}, "consent_scope"),
    "elsewhere": (GIVEN, {"platforms": frozenset({"own_feed", "bluesky"})}, "consent_scope"),
    "another language": (GIVEN, {"language": "fr"}, "consent_language"),
    "a sibling language": (GIVEN, {"language": "pt-PT"}, "consent_language"),
    "a language that begins alike": (GIVEN, {"language": "eng"}, "consent_language"),
    "own product": (GIVEN, {"sponsored": "own"}, "consent_sponsored"),
    "paid": (GIVEN, {"sponsored": "paid"}, "consent_sponsored"),
    "a word nobody thought of": (GIVEN, {"sponsored": ""}, "consent_sponsored"),
    "live": (GIVEN, {"live": True}, "consent_live"),
    "brand": (GIVEN, {"words": "Buy\n ACME today"}, "consent_brand"),
    "brand with a mark": (GIVEN, {"words": "#acme!"}, "consent_brand"),
}


def test_what_is_inside_passes() -> None:
    check(GIVEN, **USED, words="Pacme and acmes are other words")
    check(GIVEN, **{**USED, "language": "pt_br"})
    check(replace(GIVEN, languages=frozenset(), platforms=frozenset()), **{**USED, "language": "ja"})


@pytest.mark.parametrize("name", list(OUTSIDE))
def test_each_limit_has_its_own_answer(name: str) -> None:
    grant, use, code = OUTSIDE[name]
    with pytest.raises(Refused) as no:
        check(grant, **{**USED, **use})
    assert no.value.code == code


WIDER: dict[str, dict[str, Any]] = {
    "platforms": {"platforms": frozenset({"own_feed", "bluesky"})},
    "every platform": {"platforms": frozenset()},
    "languages": {"languages": frozenset({"en", "pt-BR", "fr"})},
    "any language": {"languages": frozenset()},
    "fewer brands": {"brands_excluded": frozenset()},
    "other brands": {"brands_excluded": frozenset({"Other"})},
    "earlier": {"starts_at": NOW - 2 * DAY},
    "longer": {"ends_at": NOW + 2 * DAY},
    "live": {"live": True},
    "sponsored": {"sponsored": True},
}
NARROWER: dict[str, dict[str, Any]] = {
    "same": {},
    "one language": {"languages": frozenset({"en"})},
    "more brands": {"brands_excluded": frozenset({"Acme", "Other"})},
    "later": {"starts_at": NOW},
    "shorter": {"ends_at": NOW},
    "one right": {"rights": frozenset({"voice"})},
}


@pytest.mark.parametrize("name", list(WIDER))
def test_wider_in_one_thing_is_wider(name: str) -> None:
    assert widened(replace(GIVEN, **WIDER[name]), GIVEN)


@pytest.mark.parametrize("name", list(NARROWER))
def test_narrower_is_not(name: str) -> None:
    assert not widened(replace(GIVEN, **NARROWER[name]), GIVEN)
    assert widened(GIVEN, replace(GIVEN, **NARROWER[name])) is (name != "same")
