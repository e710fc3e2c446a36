from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio import planes
from avatar_scheduler.studio.job import Material
from avatar_scheduler.studio.scene.moving import Moving
from tests.studio.scene.material import clip, level


def numbers(pictures: Iterator[planes.Planes], count: int) -> list[int]:
    """Which picture of the clip each is, told by its grey."""
    levels = [float(y[y.shape[0] // 2, y.shape[1] // 2] - 16) * 255 / 219 for y, _, _ in islice(pictures, count)]
    return [round((seen - level(0)) / 4) for seen in levels]


def moving(path: Path) -> Moving:
    return Moving("sea", Material("clip", path))


class TestTime:
    def test_each_picture_once_at_the_same_rate(self, tmp_path: Path) -> None:
        sea = moving(clip(tmp_path / "sea.mp4", seconds=0.5))
        assert sea.frames(30) == 15
        assert numbers(sea.covering((64, 48), 30, loop=False), 15) == list(range(15))

    def test_a_slower_film_keeps_its_pace(self, tmp_path: Path) -> None:
        sea = moving(clip(tmp_path / "sea.mp4", seconds=1, fps=15))
        assert numbers(sea.covering((64, 48), 30, loop=False), 30) == [n // 2 for n in range(30)]

    def test_a_faster_one_too(self, tmp_path: Path) -> None:
        sea = moving(clip(tmp_path / "sea.mp4", seconds=0.5, fps=60))
        assert numbers(sea.covering((64, 48), 30, loop=False), 15) == [2 * n + 1 for n in range(15)]

    def test_it_starts_over_or_stands_still(self, tmp_path: Path) -> None:
        sea = moving(clip(tmp_path / "sea.mp4", seconds=0.2))
        assert numbers(sea.covering((64, 48), 30, loop=True), 15) == [n % 6 for n in range(15)]
        assert numbers(sea.covering((64, 48), 30, loop=False), 9) == [0, 1, 2, 3, 4, 5, 5, 5, 5]

    def test_a_picture_that_stays_is_the_same_object(self, tmp_path: Path) -> None:
        sea = moving(clip(tmp_path / "sea.mp4", seconds=1, fps=15))
        first, second, third = islice(sea.covering((64, 48), 30, loop=False), 3)
        assert first is second
        assert second is not third


class TestSize:
    @pytest.mark.parametrize("size", [(270, 480), (480, 270), (480, 480), (320, 240)])
    def test_a_background_covers_the_frame(self, size: tuple[int, int], tmp_path: Path) -> None:
        y, u, v = next(moving(clip(tmp_path / "sea.mp4", seconds=0.1)).covering(size, 30, loop=True))
        assert (y.shape, u.shape, v.shape) == (size[::-1], (size[1] // 2, size[0] // 2), (size[1] // 2, size[0] // 2))
        assert np.ptp(y) <= 2

    def test_a_person_in_a_wide_clip_is_shown_whole_in_a_tall_frame(self, tmp_path: Path) -> None:
        y, u, v = next(moving(clip(tmp_path / "me.mp4", (320, 180), seconds=0.1)).fitted((270, 480), 30))
        assert (y[:150] == 16).all()
        assert (y[-150:] == 16).all()
        assert y[166:310].min() > 40
        assert (u == 128).all()
        assert (v == 128).all()

    def test_a_person_in_nearly_the_same_shape_fills_the_frame(self, tmp_path: Path) -> None:
        y, _, _ = next(moving(clip(tmp_path / "me.mp4", (240, 320), seconds=0.1)).fitted((270, 480), 30))
        assert y.min() > 40


class TestUnreadable:
    @pytest.mark.parametrize("data", [None, b"", b"not a film " * 99])
    def test_it_is_named(self, data: bytes | None, tmp_path: Path) -> None:
        if data is not None:
            (tmp_path / "sea.mp4").write_bytes(data)
        with pytest.raises(Invalid, match=r"^The clip “sea” cannot be read\. Upload it again\.$"):
            moving(tmp_path / "sea.mp4")

    def test_sound_alone_is_no_clip(self, tmp_path: Path) -> None:
        import wave

        with wave.open(str(tmp_path / "sea.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(bytes(16000))
        with pytest.raises(Invalid, match="“sea” cannot be read"):
            moving(tmp_path / "sea.wav")
