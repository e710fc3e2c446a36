from dataclasses import replace
from itertools import groupby, pairwise

import pytest

from avatar_scheduler.studio.avatar.motion import POSES, Look, plan, pose
from avatar_scheduler.studio.avatar.pack import Pack
from avatar_scheduler.studio.speech.speak import speak
from avatar_scheduler.studio.timed import Speech

FPS = 30


@pytest.fixture(scope="module")
def long_speech() -> Speech:
    return speak("Bake with me. " * 9 + "Really?", "en", "5eed")


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
