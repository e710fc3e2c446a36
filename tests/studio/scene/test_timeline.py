from dataclasses import replace

import numpy as np
import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.staging import Card, Staging
from avatar_scheduler.studio.scene.timeline import Shot, Timeline, check, lay_out
from avatar_scheduler.studio.timed import Cue, Speech
from tests.studio.scene.material import RATE, speech

FPS = 30
CARDS = Staging(intro=Card("Hi", seconds=1.0), outro=Card("Bye", seconds=0.5))


def laid(spoken: Speech, staging: Staging | None = None, **lengths: int) -> Timeline:
    return lay_out(spoken, staging or Staging(), lengths, FPS)


def kinds(timeline: Timeline) -> list[tuple[str, int, int]]:
    return [(shot.kind, shot.first, shot.end) for shot in timeline.shots]


class TestLayOut:
    def test_speech_alone_is_one_shot(self) -> None:
        timeline = laid(speech())
        assert timeline.shots == (Shot("avatar", 0, 60),)
        assert timeline.human_ms == ()

    def test_cards_stand_before_and_after(self) -> None:
        timeline = laid(speech(), CARDS)
        assert kinds(timeline) == [("card", 0, 30), ("avatar", 30, 90), ("card", 90, 105)]
        assert timeline.speech.seconds == pytest.approx(3.5)
        assert timeline.speech.words[0].start == pytest.approx(1.3)
        assert not timeline.speech.samples[:RATE].any()
        assert not timeline.speech.samples[3 * RATE :].any()

    def test_the_speech_waits_for_a_clip(self) -> None:
        spoken = speech(Cue("clip", "me", 1.0))
        timeline = laid(spoken, me=45)
        assert kinds(timeline) == [("avatar", 0, 30), ("human", 30, 75), ("avatar", 75, 105)]
        assert timeline.human_ms == ((1000, 2500),)
        assert np.array_equal(timeline.speech.samples[:RATE], spoken.samples[:RATE])
        assert not timeline.speech.samples[RATE : RATE * 5 // 2].any()
        assert np.array_equal(timeline.speech.samples[RATE * 5 // 2 :], spoken.samples[RATE:])
        later = [after.start - before.start for after, before in zip(timeline.speech.words, spoken.words, strict=True)]
        assert later == pytest.approx([0, 0, 1.5, 1.5])
        sounds = [
            after.start - before.start for after, before in zip(timeline.speech.phonemes, spoken.phonemes, strict=True)
        ]
        assert sounds == pytest.approx([0] * 4 + [1.5] * 4)

    def test_two_clips_one_after_the_other(self) -> None:
        timeline = laid(speech(Cue("clip", "a", 1.0), Cue("clip", "b", 1.0)), a=10, b=20)
        assert kinds(timeline)[1:3] == [("human", 30, 40), ("human", 40, 60)]

    def test_a_word_right_after_the_cue_keeps_its_beginning(self) -> None:
        spoken = speech()
        at = spoken.words[2].start + 0.001
        spoken = replace(
            spoken, words=(spoken.words[0], replace(spoken.words[2], start=at)), cues=(Cue("clip", "me", at),)
        )
        timeline = laid(spoken, me=30)
        begins = round(timeline.speech.words[1].start * RATE)
        assert timeline.speech.words[1].start == pytest.approx(at + 1)
        assert np.array_equal(timeline.speech.samples[begins : begins + 100], spoken.samples[round(at * RATE) :][:100])

    @pytest.mark.parametrize(
        ("cues", "expected"),
        [
            ([Cue("show", "cake 1s", 0.5)], [("insert", 15, 45)]),
            ([Cue("show", "cake", 0.5)], [("insert", 15, 60)]),
            ([Cue("show", "sea", 0.5)], [("insert", 15, 35)]),
            ([Cue("show", "cake", 0.5), Cue("show", "sea", 0.7)], [("insert", 15, 21), ("insert", 21, 41)]),
            ([Cue("show", "cake 0.5s", 0.5), Cue("show", "sea", 1.1)], [("insert", 15, 33), ("insert", 33, 60)]),
        ],
        ids=["as long as asked", "a picture", "a clip's length", "the next takes over", "no glimpse between or after"],
    )
    def test_inserts(self, cues: list[Cue], expected: list[tuple[str, int, int]]) -> None:
        assert [shot for shot in kinds(laid(speech(*cues), sea=20)) if shot[0] == "insert"] == expected

    def test_shots_leave_no_gap(self) -> None:
        cues = [Cue("show", "cake 0.5s", 0.2), Cue("clip", "me", 0.9), Cue("show", "sea", 0.9), Cue("clip", "me", 1.8)]
        timeline = laid(speech(*cues), CARDS, me=7, sea=5)
        ends = [0, *(shot.end for shot in timeline.shots)]
        assert [shot.first for shot in timeline.shots] == ends[:-1]
        assert timeline.frames == 60 + 30 + 15 + 14
        assert timeline.speech.seconds * FPS == pytest.approx(timeline.frames)


class TestCheck:
    def test_a_clip_in_the_middle_is_fine(self) -> None:
        check(laid(speech(Cue("clip", "me", 1.0)), me=60))

    @pytest.mark.parametrize("at", [0.9, 1.2])
    def test_not_in_the_first_or_last_second(self, at: float) -> None:
        with pytest.raises(Invalid, match=r"“me” stands in the first or last second") as caught:
            check(laid(speech(Cue("clip", "me", at)), me=30))
        assert caught.value.code == "clip_at_end"

    def test_not_more_than_half(self) -> None:
        with pytest.raises(Invalid, match=r"fill 2 of 4 seconds. Half of a film is the most"):
            check(laid(speech(Cue("clip", "me", 1.0)), me=61))
