import numpy as np
import pytest

from avatar_scheduler.studio import audio


def noise(seconds: float, level: float = 0.05) -> audio.Sound:
    return (np.random.default_rng(1).standard_normal(int(seconds * 24_000)) * level).astype(np.float32)


class TestMaster:
    @pytest.mark.parametrize("level", [0.001, 0.05, 0.5])
    def test_lands_on_the_target_from_any_level(self, level: float) -> None:
        assert audio.measure(audio.master(noise(2, level), 24_000)) == pytest.approx(-14, abs=0.5)

    def test_holds_peaks_below_one_decibel_under_full(self) -> None:
        clicks = noise(3, 0.01)
        clicks[::6000] = 0.9
        mastered = audio.master(clicks, 24_000)
        assert 20 * np.log10(np.abs(mastered).max()) <= -1.5

    def test_gives_stereo_at_twice_the_samples(self) -> None:
        assert audio.master(noise(1), 24_000).shape == (2, 48_000)

    def test_a_clip_shorter_than_a_gating_block_is_made_as_loud(self) -> None:
        assert audio.measure(audio.master(noise(0.1), 24_000)) == pytest.approx(-14, abs=0.5)

    def test_silence_stays_silent(self) -> None:
        assert not audio.master(np.zeros(24_000, np.float32), 24_000).any()
