from datetime import date, timedelta
from pathlib import Path

import pytest

from avatar_scheduler.rules import checking, languages, wording
from avatar_scheduler.rules.books import floor
from tests.rules.test_packs import ROW

TODAY = date(2026, 11, 22)


def test_the_floor_is_in_order() -> None:
    """Fails when a rule asks for words nobody writes. Its age is nobody's fault but wants a look: see `rules check`."""
    assert checking.check(None, TODAY) == []


def test_every_row_is_dated_and_sourced_in_every_pack() -> None:
    rows = [*floor().laws, *floor().surfaces, *floor().places.values(), wording("en")]
    assert len(rows) > 70
    for row in rows:
        assert len(row.source) >= 8
        assert date(2026, 1, 1) < row.checked


def test_a_row_nobody_looked_at_for_half_a_year_wants_a_look() -> None:
    assert checking.check(None, TODAY + timedelta(days=180)) == []
    old = checking.check(None, TODAY + timedelta(days=181))
    assert not any(one.serious for one in old)
    assert {"jurisdictions.toml", "surfaces.toml", "wording.toml", "platforms.toml"} == {one.file for one in old}
    assert "last checked 181 days ago" in old[0].problem


def test_a_date_in_the_future_is_wrong() -> None:
    assert all(one.serious for one in checking.check(None, TODAY - timedelta(days=1)))


@pytest.mark.parametrize(
    ("words", "unwritten"),
    [
        ('"*" = ["Hello"]', set(languages())),
        ('"*" = ["This video"]', {"fr"}),
        ('fr = ["Cette"], "*" = ["Hello", "This video"]', set()),
        ('"*" = []', set()),
    ],
)
def test_words_nobody_writes_are_found(tmp_path: Path, words: str, unwritten: set[str]) -> None:
    row = ROW.replace('marks = ["spoken"]', f'marks = ["spoken"]\nwording.spoken = {{ {words} }}')
    (tmp_path / "own.toml").write_text(row)
    found = checking.check(tmp_path, TODAY)
    assert all(one.serious and (one.file, one.row) == ("own.toml", "agency.gap") for one in found)
    assert {one.problem.split()[2] for one in found} == unwritten


def test_a_mark_the_media_cannot_carry_is_found(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(ROW.replace('media = ["video"]', 'media = ["video", "image", "text"]'))
    assert [one.problem for one in checking.check(tmp_path, TODAY)] == [
        "spoken: nothing of the kind “image” can carry that; narrow the row's media",
        "spoken: nothing of the kind “text” can carry that; narrow the row's media",
    ]


def test_a_pack_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[[rule")
    [one] = checking.check(tmp_path, TODAY)
    assert one.serious
    assert "own.toml is refused" in one.problem
