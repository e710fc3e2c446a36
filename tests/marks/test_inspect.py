from dataclasses import replace
from pathlib import Path

import pytest

from avatar_scheduler.domain.disclosure import VIDEO_MARKS, Mark, gate, missing
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.marks import credentials, digest
from avatar_scheduler.marks.inspect import Expected, inspect
from avatar_scheduler.marks.label import LabelArt, draw
from tests.marks.conftest import SMALL
from tests.marks.test_label import remux

LINE = "AI-generated avatar video."


@pytest.fixture
def expected(art: LabelArt, folder: Path) -> Expected:
    return Expected(art, f"{LINE}\nOnions take ten minutes.", LINE, credentials.read_root(folder))


def test_a_finished_post_passes_the_gate(signed: Path, expected: Expected) -> None:
    evidence = inspect(signed, expected)
    assert {e.mark for e in evidence} == VIDEO_MARKS
    assert len(evidence) == len(VIDEO_MARKS)
    gate(VIDEO_MARKS, evidence, media=digest.of_file(signed), caption=digest.of_text(expected.caption))


def test_the_evidence_is_about_these_bytes_only(signed: Path, expected: Expected) -> None:
    with pytest.raises(Refused, match="not measured on this file"):
        gate(VIDEO_MARKS, inspect(signed, expected), media="0" * 64, caption=digest.of_text(expected.caption))


def test_each_mark_fails_by_itself(signed: Path, expected: Expected, tmp_path: Path) -> None:
    remux(signed, stripped := tmp_path / "stripped.mp4")
    cases = [
        (signed, replace(expected, label=draw("AI", "Avatar of Leo", SMALL)), {Mark.label}),
        (signed, replace(expected, caption="Onions take ten minutes."), {Mark.caption_line}),
        (signed, replace(expected, root_pem=""), {Mark.credentials}),
        (stripped, expected, {Mark.xmp, Mark.credentials}),
    ]
    for media, wanted, marks in cases:
        assert {e.mark for e in inspect(media, wanted) if not e.ok} == marks


@pytest.mark.parametrize("content", [None, b"", b"garbage" * 1000])
def test_bad_media_is_evidence_not_an_exception(expected: Expected, tmp_path: Path, content: bytes | None) -> None:
    media = tmp_path / "post.mp4"
    if content is not None:
        media.write_bytes(content)
    evidence = inspect(media, expected)
    assert {e.mark for e in evidence if e.ok} == {Mark.caption_line}
    assert all(e.summary and "\n" not in e.summary for e in evidence)
    reasons = missing(VIDEO_MARKS, evidence, media=digest.of_file(media), caption=digest.of_text(expected.caption))
    assert len(reasons) == 3
