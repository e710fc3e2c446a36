from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
import pytest

from avatar_scheduler.studio.avatar import sway
from avatar_scheduler.studio.avatar.motion import POSES, Look, plan, pose
from avatar_scheduler.studio.avatar.pack import Motion, Pack
from avatar_scheduler.studio.seeds import stream
from avatar_scheduler.studio.speech.speak import speak
from avatar_scheduler.studio.timed import Cue, Speech, Timed

FPS = 30
TONGUE_TWISTER = (
    "Peter Piper picked a peck of pickled peppers. Bobby bumped a big brown bumblebee. My mum made me some more "
    "marmalade maps. Pepper, bumper, member, amber, happy people probably permit bumpy camps. Stop bum puppy!"
)


@pytest.fixture(scope="module")
def long_speech() -> Speech:
    return speak("Bake with me. " * 9 + "Really?", "en")


@pytest.fixture(scope="module")
def twister() -> Speech:
    return speak(TONGUE_TWISTER, "en")


@pytest.fixture(scope="module")
def looks(maya: Pack, long_speech: Speech) -> list[Look]:
    return plan(maya, long_speech, scale=1.2, fps=FPS, seed="5eed")


class TestPlan:
    def test_starts_and_ends_at_rest_with_a_smile_and_open_eyes(self, looks: list[Look]) -> None:
        assert (looks[0].mouth, looks[0].eyes) == ("mouth_smile_X", "eyes_open")
        assert looks[-1].mouth == "mouth_smile_X"

    def test_blinks_for_a_moment_now_and_then(self, looks: list[Look]) -> None:
        shut = [len(list(run)) for eyes, run in groupby(look.eyes for look in looks) if eyes == "eyes_closed"]
        assert len(looks) / FPS / 6 < len(shut) < len(looks) / FPS / 2
        assert set(shut) == {3}

    def test_looks_aside_but_mostly_at_you(self, looks: list[Look]) -> None:
        aside = sum(look.eyes in ("eyes_left", "eyes_right") for look in looks) / len(looks)
        assert 0.03 < aside < 0.35

    def test_raises_the_brows_for_a_question(self, looks: list[Look], long_speech: Speech) -> None:
        assert looks[round((long_speech.words[-1].start + 0.1) * FPS)].brows == "brows_up"

    def test_moves_the_head_in_small_steps_that_come_back(self, looks: list[Look]) -> None:
        tilts = [look.pose.tilt for look in looks]
        assert max(abs(a - b) for a, b in pairwise(tilts)) < 0.35
        assert len({look.pose for look in looks}) <= POSES
        assert max(tilts) > 0.5
        assert min(tilts) < -0.5
        assert all(look.pose.dy % 2 == 0 for look in looks)

    def test_is_the_same_for_the_same_seed_only(self, maya: Pack, long_speech: Speech, looks: list[Look]) -> None:
        assert plan(maya, long_speech, scale=1.2, fps=FPS, seed="5eed") == looks
        assert plan(maya, long_speech, scale=1.2, fps=FPS, seed="0dd") != looks

    def test_uses_only_pictures_the_pack_has(self, maya: Pack, long_speech: Speech) -> None:
        optional = ("mouth_smile_", "mouth_G", "mouth_H", "mouth_X", "eyes_half", "eyes_left", "eyes_right", "brows")
        bare = replace(maya, files={part: path for part, path in maya.files.items() if not part.startswith(optional)})
        used = plan(bare, long_speech, scale=1.2, fps=FPS, seed="5eed")
        assert {part for look in used for part in (look.mouth, look.eyes, look.brows) if part} <= set(bare.files)
        assert {look.brows for look in used} == {""}


def test_poses_close_into_a_loop(maya: Pack) -> None:
    assert pose(maya.motion, 1.2, 0) == pose(maya.motion, 1.2, POSES)


class TestLips:
    @pytest.mark.parametrize("cue", ["smile", "worried"])
    def test_close_on_every_p_b_and_m_within_40_ms(self, maya: Pack, twister: Speech, cue: str) -> None:
        looks = plan(maya, replace(twister, cues=(Cue(cue, "", 1.0),)), scale=1.2, fps=FPS, seed="5eed")
        closed = {f for f, look in enumerate(looks) if look.mouth in ("mouth_A", "mouth_smile_A")}
        lips = [phoneme for phoneme in twister.phonemes if phoneme.text in ("p", "b", "m")]
        assert len(lips) > 40
        assert [p for p in lips if not any(p.start - 0.04 <= f / FPS <= p.end + 0.04 for f in closed)] == []

    def test_hold_each_mouth_two_frames_whatever_the_cues(self, maya: Pack, long_speech: Speech) -> None:
        at = [word.start for word in long_speech.words[::3]]
        cues = tuple(Cue(("smile", "worried", "neutral")[n % 3], "", second) for n, second in enumerate(at))
        looks = plan(maya, replace(long_speech, cues=cues), scale=1.2, fps=FPS, seed="5eed")
        assert min(len(list(run)) for _, run in groupby(look.mouth for look in looks)) >= 2


@pytest.fixture(scope="module")
def quiet() -> Speech:
    """Three sentences of one second each, with a pause of half a second after each."""
    words = tuple(
        Timed(text, number * 1.5 + part / 2, number * 1.5 + (part + 1) / 2)
        for number in range(3)
        for part, text in enumerate(("one", "two."))
    )
    sounds = tuple(Timed("s", word.start, word.end) for word in words)
    return Speech(np.zeros(5 * 24_000, np.float32), 24_000, words, sounds, "misaki_en")


class TestCues:
    def looks(self, maya: Pack, quiet: Speech, *cues: Cue) -> list[Look]:
        return plan(maya, replace(quiet, cues=cues), scale=1.2, fps=FPS, seed="5eed")

    def test_a_smile_lasts_through_its_sentence_and_the_pause_after_it(self, maya: Pack, quiet: Speech) -> None:
        looks = self.looks(maya, quiet, Cue("smile", "", 1.45), Cue("neutral", "", 3.0))
        assert {look.mouth for look in looks[46:74]} == {"mouth_smile_B"}
        assert not any("smile" in look.mouth for look in looks[90:])

    def test_without_a_next_cue_it_ends_with_the_sentence(self, maya: Pack, quiet: Speech) -> None:
        looks = self.looks(maya, quiet, Cue("worried", "", 1.5))
        brows = [look.brows for look in looks]
        assert set(brows[43:86]) == {"brows_worried"}
        assert "brows_worried" not in brows[:41] + brows[89:]
        assert not any("smile" in look.mouth for look in looks[45:86])

    def test_a_surprise_is_short_and_does_not_blink(self, maya: Pack, quiet: Speech) -> None:
        looks = self.looks(maya, quiet, Cue("surprised", "", 1.6))
        assert {look.brows for look in looks[46:86]} == {"brows_up"}
        assert looks[100].brows != "brows_up"
        assert {look.eyes for look in looks[46:70]} == {"eyes_open"}

    @pytest.mark.parametrize("side", ["left", "right"])
    def test_eyes_stay_where_they_are_sent_until_called_back(self, maya: Pack, quiet: Speech, side: str) -> None:
        looks = self.looks(maya, quiet, Cue("look", side, 1.5), Cue("look", "camera", 2.2))
        aside = [look.eyes for look in looks[43:62]]
        assert set(aside) <= {f"eyes_{side}", "eyes_half", "eyes_closed"}
        assert f"eyes_{side}" in aside
        assert not any(look.eyes in ("eyes_left", "eyes_right") for look in looks[64:86])

    def test_families_do_not_end_each_other(self, maya: Pack, quiet: Speech) -> None:
        looks = self.looks(maya, quiet, Cue("smile", "", 1.5), Cue("look", "left", 1.7))
        assert {look.mouth for look in looks[52:74]} == {"mouth_smile_B"}


class TestSway:
    def test_does_not_repeat_itself(self, maya: Pack) -> None:
        """No shift of a minute of movement looks like the movement itself."""
        steps = sway.steps([False] * 60 * FPS, FPS, POSES, stream("5eed", "pose"))
        tilts = np.array([pose(maya.motion, 1.2, step).tilt for step in steps])
        tilts -= tilts.mean()
        alike = [
            float(np.corrcoef(tilts[:-shift], tilts[shift:])[0, 1]) for shift in range(3 * FPS, 30 * FPS, FPS // 3)
        ]
        assert max(alike) < 0.6

    def test_moves_one_picture_at_a_time_and_pauses(self) -> None:
        steps = sway.steps([False] * 60 * FPS, FPS, POSES, stream("5eed", "pose"))
        places = [pose(Motion((540, 760), 6, 2), 1.2, step) for step in steps]
        moved = [a != b for a, b in pairwise(places)]
        assert 0.1 < sum(moved) / len(moved) < 0.3
        assert set(range(POSES)) - set(steps) == set()

    def test_is_calmer_at_rest(self) -> None:
        def moves(*, resting: bool) -> int:
            steps = sway.steps([resting] * 60 * FPS, FPS, POSES, stream("5eed", "pose"))
            return sum(a != b for a, b in pairwise(steps))

        assert moves(resting=True) < 0.8 * moves(resting=False)
