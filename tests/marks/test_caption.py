import hashlib
from collections.abc import Callable

import pytest

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.marks.caption import measure, measure_sponsor

LINE = "AI-generated avatar video."


@pytest.mark.parametrize("caption", [LINE, f"{LINE}\nOnions take ten minutes.", f"{LINE}\r\nOnions.\r\n", f"{LINE}\n"])
def test_the_line_comes_first(caption: str) -> None:
    evidence = measure(caption, LINE)
    assert evidence.ok
    assert evidence.mark is Mark.caption_line
    assert evidence.measured == {"text": LINE}
    assert evidence.subject == hashlib.sha256(caption.encode()).hexdigest()


@pytest.mark.parametrize(
    "caption",
    [
        "",
        f"\n{LINE}",
        f"Onions take ten minutes.\n{LINE}",
        f"{LINE} And onions.",
        f" {LINE}",
        LINE.lower(),
        LINE.replace("-", "\u2011"),
        f"\u200b{LINE}",
        "#AIavatar\nOnions take ten minutes.",
    ],
)
def test_anything_else_first_is_named(caption: str) -> None:
    evidence = measure(caption, LINE)
    assert not evidence.ok
    assert LINE in evidence.summary
    assert "text" not in evidence.measured


@pytest.mark.parametrize("line", ["", " ", "#AIavatar", "#AI #avatar", "＃AI"])
def test_a_hashtag_alone_is_never_the_line(line: str) -> None:
    evidence = measure(f"{line}\nOnions.", line)
    assert not evidence.ok
    assert "only a hashtag" in evidence.summary


def test_a_long_first_line_is_quoted_short() -> None:
    assert len(measure("onions " * 500, LINE).summary) < 150


def test_what_hides_before_the_line_is_shown_by_its_number() -> None:
    assert "“<U+200B><U+202E>AI" in measure(f"\u200b\u202e{LINE}", LINE).summary


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u00ad", "\u202e", "\u2060", "\ufeff", "\u0336", "\u20e0", "\u3164", "\x07", "\u2028"]
)
@pytest.mark.parametrize("measured", [measure, measure_sponsor])
def test_a_line_with_characters_nobody_sees_is_no_line(hidden: str, measured: Callable[[str, str], Evidence]) -> None:
    line = f"AI{hidden}-generated video."
    evidence = measured(f"{line}\n{line}", line)
    assert not evidence.ok
    assert f"U+{ord(hidden):04X}" in evidence.summary
    assert hidden not in evidence.summary


@pytest.mark.parametrize(
    "line", ["Images virtuelles\u202f: avatar généré par IA.", "Wideo z awatarem AI\u00a0– nie człowiek."]
)
def test_the_spaces_of_a_language_are_letters_like_others(line: str) -> None:
    assert measure(line, line).ok


class TestSponsorLine:
    CAPTION = f"{LINE}\nAd with Pan & Co.\n\nOnions."

    def test_it_is_the_second_line(self) -> None:
        evidence = measure_sponsor(self.CAPTION, "Ad with Pan & Co.")
        assert evidence.ok
        assert evidence.mark is Mark.sponsor_line
        assert evidence.measured == {"text": "Ad with Pan & Co."}
        assert evidence.subject == hashlib.sha256(self.CAPTION.encode()).hexdigest()

    @pytest.mark.parametrize(
        "caption",
        [
            "",
            LINE,
            f"{LINE}\n",
            "Ad with Pan & Co.",
            f"Ad with Pan & Co.\n{LINE}",
            f"{LINE}\n\nAd with Pan & Co.",
            f"{LINE}\nAd with Pan & Co",
            f"{LINE}\n Ad with Pan & Co.",
            f"{LINE}\n#Ad with Pan & Co.",
        ],
    )
    def test_anywhere_else_is_too_late(self, caption: str) -> None:
        evidence = measure_sponsor(caption, "Ad with Pan & Co.")
        assert not evidence.ok
        assert "second line must be" in evidence.summary

    @pytest.mark.parametrize("line", ["", "#ad", "#ad #sponsored"])
    def test_a_hashtag_alone_is_never_the_line(self, line: str) -> None:
        assert not measure_sponsor(f"{LINE}\n{line}", line).ok
