import hashlib

import pytest

from avatar_scheduler.domain.disclosure import Mark
from avatar_scheduler.marks.caption import measure

LINE = "AI-generated avatar video."


@pytest.mark.parametrize("caption", [LINE, f"{LINE}\nOnions take ten minutes.", f"{LINE}\r\nOnions.\r\n", f"{LINE}\n"])
def test_the_line_comes_first(caption: str) -> None:
    evidence = measure(caption, LINE)
    assert evidence.ok
    assert evidence.mark is Mark.caption_line
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


@pytest.mark.parametrize("line", ["", " ", "#AIavatar", "#AI #avatar"])
def test_a_hashtag_alone_is_never_the_line(line: str) -> None:
    evidence = measure(f"{line}\nOnions.", line)
    assert not evidence.ok
    assert "only a hashtag" in evidence.summary


def test_a_long_first_line_is_quoted_short() -> None:
    assert len(measure("onions " * 500, LINE).summary) < 150
