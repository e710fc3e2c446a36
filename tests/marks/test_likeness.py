import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_scheduler.marks.footage import Luma, luma_of
from avatar_scheduler.marks.label import LabelArt
from avatar_scheduler.marks.likeness import Template


@pytest.fixture
def drawn(art: LabelArt) -> Luma:
    pixels: NDArray[np.float32] = np.frombuffer(art.rgba, np.uint8).reshape(art.height, art.width, 4).astype(np.float32)
    return luma_of(pixels[..., :3])


def test_the_art_is_like_itself(art: LabelArt, drawn: Luma) -> None:
    likeness = Template(art, 540).compare(drawn)
    assert (likeness.match, likeness.patch, likeness.ok) == (1000, 0, True)


def test_what_lies_under_the_rounded_corners_does_not_count(art: LabelArt, drawn: Luma) -> None:
    drawn[0, 0] = drawn[-1, -1] = 255
    assert Template(art, 540).compare(drawn).match == 1000


def test_a_flat_plate_is_like_nothing(art: LabelArt, drawn: Luma) -> None:
    assert Template(art, 540).compare(np.full_like(drawn, drawn[drawn.shape[0] // 2, 4])).match == 0


def test_a_small_smear_is_caught_by_its_patch(art: LabelArt, drawn: Luma) -> None:
    drawn[20:30, -60:-50] = 128
    likeness = Template(art, 540).compare(drawn)
    assert likeness.match >= 950
    assert not likeness.ok


def test_noise_all_over_is_caught_by_the_correlation(art: LabelArt, drawn: Luma) -> None:
    noise = np.random.default_rng(3).uniform(-75, 75, drawn.shape).astype(np.float32)
    likeness = Template(art, 540).compare(drawn + noise)
    assert likeness.patch <= 200
    assert not likeness.ok
