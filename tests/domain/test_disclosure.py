from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_scheduler.domain.disclosure import IN_CAPTION, ON_REQUEST, Evidence, Mark, RequiredMark, unproven

MEDIA, CAPTION = "a" * 64, "b" * 64
WORDS = {Mark.label: "AI Avatar of Maya", Mark.caption_line: "AI-generated avatar video."}


def demand(mark: Mark, *wording: str, height: int = 0) -> RequiredMark:
    return RequiredMark(mark, f"test.{mark}", "A law", "its source", date(2026, 11, 22), wording, height)


def proof(mark: Mark, subject: str = "", **measured: str | int) -> Evidence:
    subject = subject or (CAPTION if mark in IN_CAPTION else MEDIA)
    return Evidence(mark, True, "seen", "test 1", subject, {"text": WORDS.get(mark, "")} | dict(measured))


FILE_MARKS = sorted(set(Mark) - ON_REQUEST)
REQUIRED = [demand(mark) for mark in sorted(Mark)]
ALL = [proof(mark) for mark in FILE_MARKS]


def reasons(evidence: list[Evidence], required: list[RequiredMark] = REQUIRED, *media: str) -> list[str]:
    return unproven(required, evidence, media=media or (MEDIA,), caption=CAPTION)


def test_every_mark_on_these_bytes_passes_and_flags_wait_for_the_request() -> None:
    assert reasons(ALL) == []


@pytest.mark.parametrize("mark", FILE_MARKS)
class TestEachMark:
    def test_is_needed(self, mark: Mark) -> None:
        assert reasons([e for e in ALL if e.mark is not mark]) == [
            f"{mark}: not measured on this file. Render it again."
        ]

    def test_a_failed_measurement_says_why_whatever_else_was_measured(self, mark: Mark) -> None:
        failed = replace(proof(mark), ok=False, summary="gone from 0:41 to 0:48")
        assert reasons([*ALL, failed]) == [f"{mark}: gone from 0:41 to 0:48"]

    @given(other=st.text(min_size=1))
    def test_evidence_about_other_bytes_is_no_evidence(self, mark: Mark, other: str) -> None:
        assert reasons([replace(e, subject=e.subject + other) if e.mark is mark else e for e in ALL])


class TestWording:
    def test_one_of_the_rules_words_must_be_there_letter_for_letter(self) -> None:
        required = [demand(Mark.label, "Virtual images", "AI")]
        assert reasons([proof(Mark.label)], required) == []
        assert reasons([proof(Mark.label, text="ai avatar")], required) == [
            "label: it must say “Virtual images” or “AI” (test.label), it says “ai avatar”."
        ]

    @pytest.mark.parametrize("measured", [{}, {"text": 7}, {"text": True}])
    def test_what_was_not_read_says_nothing(self, measured: Mapping[str, str | int | bool]) -> None:
        seen = replace(proof(Mark.label), measured=measured)
        assert "it must say “AI”" in reasons([seen], [demand(Mark.label, "AI")])[0]

    def test_each_rule_has_its_own_words(self) -> None:
        required = [demand(Mark.label, "AI"), demand(Mark.label, "Images virtuelles")]
        assert reasons([proof(Mark.label, text="AI Images virtuelles")], required) == []
        assert len(reasons([proof(Mark.label)], required)) == 1

    def test_every_measurement_must_say_it(self) -> None:
        both = [proof(Mark.label), proof(Mark.label, text="Avatar")]
        assert len(reasons(both, [demand(Mark.label, "AI")])) == 1


class TestHeight:
    @pytest.mark.parametrize(("height", "enough"), [(50, True), (51, True), (49, False), (0, False), ("50", False)])
    def test_a_label_is_as_high_as_the_rule_wants(self, height: int, enough: bool) -> None:
        seen = proof(Mark.label, height_thousandths=height)
        assert (reasons([seen], [demand(Mark.label, height=50)]) == []) == enough

    def test_it_says_how_high_it_is(self) -> None:
        seen = proof(Mark.label, height_thousandths=33)
        assert reasons([seen], [demand(Mark.label, height=50)]) == [
            "label: it is 3.3 % high, 5 % of the shortest side (test.label) are asked for."
        ]


class TestFiles:
    def test_each_of_several_needs_its_own_marks(self) -> None:
        required = [demand(Mark.label), demand(Mark.caption_line)]
        here = [proof(Mark.label), proof(Mark.caption_line)]
        assert reasons(here, required, MEDIA, "c" * 64) == [
            "picture 2, label: not measured on this file. Render it again."
        ]
        assert reasons([*here, proof(Mark.label, "c" * 64)], required, MEDIA, "c" * 64) == []

    def test_nothing_to_send_is_not_sent_but_words_need_no_file(self) -> None:
        said = unproven([demand(Mark.label)], [], media=(), caption=CAPTION)
        assert said == ["There is nothing to send. Render it again."]
        words = [demand(Mark.caption_line)]
        assert unproven(words, [proof(Mark.caption_line)], media=(), caption=CAPTION) == []

    @pytest.mark.parametrize("required", [[], [demand(Mark.platform_flag)]])
    def test_nothing_asked_for_is_a_mistake_not_a_pass(self, required: list[RequiredMark]) -> None:
        assert "which is never so" in reasons(ALL, required)[0]


def test_the_same_lack_is_said_once() -> None:
    assert len(reasons([], [demand(Mark.label), replace(demand(Mark.label), rule="another")])) == 1
