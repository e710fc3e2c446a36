from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_scheduler.domain.disclosure import VIDEO_MARKS, Evidence, Mark, gate, missing
from avatar_scheduler.domain.errors import Refused

MEDIA, CAPTION = "a" * 64, "b" * 64


def proof(mark: Mark) -> Evidence:
    return Evidence(mark, True, "seen", "test 1", CAPTION if mark is Mark.caption_line else MEDIA)


ALL = [proof(mark) for mark in sorted(VIDEO_MARKS)]


def test_every_mark_on_these_bytes_passes() -> None:
    gate(VIDEO_MARKS, ALL, media=MEDIA, caption=CAPTION)


@pytest.mark.parametrize("mark", sorted(VIDEO_MARKS))
def test_each_single_mark_is_needed(mark: Mark) -> None:
    with pytest.raises(Refused, match=mark):
        gate(VIDEO_MARKS, [e for e in ALL if e.mark is not mark], media=MEDIA, caption=CAPTION)


@pytest.mark.parametrize("mark", sorted(VIDEO_MARKS))
def test_a_failed_measurement_says_why(mark: Mark) -> None:
    failed = [replace(e, ok=False, summary="gone from 0:41 to 0:48") if e.mark is mark else e for e in ALL]
    with pytest.raises(Refused, match="gone from 0:41"):
        gate(VIDEO_MARKS, failed, media=MEDIA, caption=CAPTION)


@given(st.sampled_from(sorted(VIDEO_MARKS)), st.text(min_size=1))
def test_evidence_about_other_bytes_is_no_evidence(mark: Mark, other: str) -> None:
    moved = [replace(e, subject=e.subject + other) if e.mark is mark else e for e in ALL]
    assert missing(VIDEO_MARKS, moved, media=MEDIA, caption=CAPTION)
