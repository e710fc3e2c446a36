import tomllib
from dataclasses import dataclass, replace
from datetime import date

import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.publishers import platforms as publishers
from avatar_scheduler.rules.fits import media_problems, text_problems
from avatar_scheduler.rules.platforms import FILE, Fact, Platform, platform, platforms


def test_every_platform_that_publishes_has_its_rules() -> None:
    assert set(publishers()) == set(platforms())


def test_every_fact_says_where_and_when_it_was_read() -> None:
    facts = [fact for row in tomllib.loads(FILE.read_text("utf-8")).values() for fact in row["facts"].values()]
    assert len(facts) > 10
    for fact in facts:
        assert set(fact) == {"value", "source", "checked"}
        assert fact["source"]
        assert date(2026, 1, 1) < fact["checked"]


def test_a_fact_is_read_as_what_it_is() -> None:
    bluesky = platform("bluesky")
    assert bluesky.number("text_graphemes") == 300
    assert bluesky.word("ai_label") == "ai-generated"
    assert "InvalidRequest" in bluesky.words("errors_without_effect")
    for read, fact in ((bluesky.number, "ai_label"), (bluesky.number, "reads_back"), (bluesky.word, "images")):
        with pytest.raises(TypeError, match=fact):
            read(fact)
    with pytest.raises(TypeError, match="ai_label"):
        bluesky.words("ai_label")


def test_an_unknown_platform_is_named_with_those_known() -> None:
    with pytest.raises(Invalid, match=r"“myspace”.*bluesky"):
        platform("myspace")


@dataclass(frozen=True)
class Part:
    kind: str = "video"
    size: int = 1000
    duration_ms: int = 1000


def place(**facts: int) -> Platform:
    return Platform("Place", {name: Fact(value, "here", date(2026, 11, 22)) for name, value in facts.items()})


class TestFits:
    def test_a_text_at_its_limit_fits_and_one_more_does_not(self) -> None:
        here = place(text_graphemes=5, text_bytes=20)
        assert list(text_problems(here, "12345")) == []
        assert list(text_problems(here, "123456")) == ["The text has 6 characters, 1 more than the 5 allowed."]
        assert list(text_problems(here, "👩‍👩‍👧‍👦")) == ["The text has 25 bytes, 5 more than the 20 allowed."]

    def test_a_platform_without_a_limit_takes_any_text(self) -> None:
        assert list(text_problems(place(), "x" * 100_000)) == []

    def test_media_at_their_limits_fit_and_one_more_does_not(self) -> None:
        here = place(videos=1, images=2, video_bytes=1000, video_seconds=1, image_bytes=10)
        film, picture = Part(), Part("image", 10, 0)
        assert list(media_problems(here, [film])) == []
        assert list(media_problems(here, [picture, picture])) == []
        for media, reason in (
            ([film, film], "It has 2 videos, 1 allowed."),
            ([picture] * 3, "It has 3 images, 2 allowed."),
            ([film, picture], "It takes videos or images, not both and nothing else."),
            ([Part("audio")], "It takes videos or images, not both and nothing else."),
            ([replace(film, size=1001)], "One video has 1001 bytes, 1000 are allowed."),
            ([replace(film, duration_ms=1001)], "One video lasts 1.0 seconds, 1 are allowed."),
            ([replace(picture, size=11)], "One image has 11 bytes, 10 are allowed."),
        ):
            assert list(media_problems(here, media)) == [reason]
