import hashlib

import numpy as np
import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks.watermark import embed, pattern
from tests.marks.watermark.material import (
    ID,
    KEY,
    OTHER_KEY,
    PORTRAIT,
    SMALL,
    SQUARE,
    TALL,
    WIDE,
    Pixels,
    scene,
    to_rgb,
)


@pytest.mark.parametrize("size", [TALL, PORTRAIT, SQUARE, WIDE, SMALL, (722, 1284), (1080, 2400)])
def test_every_pixel_of_chroma_is_moved_and_luma_is_not(size: tuple[int, int]) -> None:
    width, height = size
    field = embed.field(scene(size)[0], ID, KEY)
    assert field.chroma.shape == (height // 2, width // 2)
    assert set(np.unique(abs(field.chroma))) <= {1, 2, 4}


def test_flat_pictures_are_moved_by_one_level() -> None:
    field = embed.field(np.full((1920, 1080), 128, np.uint8), ID, KEY)
    assert set(np.unique(field.chroma)) == {-1, 1}
    assert abs(int(field.chroma.sum(dtype=np.int64))) < field.chroma.size // 20, "the picture must not turn blue"


def test_an_edge_hides_no_more_in_the_flat_beside_it_and_texture_does() -> None:
    y = np.full((1920, 1080), 60, np.uint8)
    y[:, 500:] = 200
    assert abs(embed.field(y, ID, KEY).chroma).max() == 1
    y[600:1200, 300:900] = np.random.default_rng(1).integers(0, 255, (600, 600))
    assert (abs(embed.field(y, ID, KEY).chroma)[340:560, 200:400] == 4).all()


def test_a_patch_carries_its_part() -> None:
    field = embed.field(scene(SMALL)[0], ID, KEY)
    assert (field.cut(100, 200, 60, 40).chroma == field.chroma[100:120, 50:80]).all()


def test_what_is_added_is_saturated() -> None:
    field = embed.field(scene(SMALL)[0], ID, KEY)
    for edge in (0, 255):
        u: Pixels = np.full(field.chroma.shape, edge, np.uint8)
        field.add(u)
        assert (u == np.clip(edge + field.chroma.astype(int), 0, 255)).all()


def test_nobody_sees_it() -> None:
    y, u, v = scene(TALL)
    before = to_rgb((y, u, v)).astype(float)
    embed.field(y, ID, KEY).add(u)
    error = np.mean((to_rgb((y, u, v)) - before) ** 2)
    assert 10 * np.log10(255**2 / error) >= 38


def test_ids_and_keys_change_it() -> None:
    y = scene(SMALL)[0]
    made = [embed.field(y, mark_id, key).chroma for mark_id, key in ((ID, KEY), ("1badcaff", KEY), (ID, OTHER_KEY))]
    assert all((one != other).mean() > 0.05 for one, other in zip(made, made[1:] + made[:1], strict=True))
    assert (embed.field(y, ID, KEY).chroma == made[0]).all()


@pytest.mark.parametrize("shape", [(1921, 1080), (1920, 1081), (158, 300), (0, 0)])
def test_other_sizes_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(Invalid, match="cannot be marked"):
        embed.field(np.zeros(shape, np.uint8), ID, KEY)


def test_the_pattern_never_changes() -> None:
    """Films marked years ago must be readable."""
    shown, hidden = pattern.public(), pattern.secret(KEY)
    digest = hashlib.sha256(shown.sync.tobytes() + shown.signs.tobytes() + hidden.signs.tobytes())
    digest.update(hidden.bits.astype("<i4").tobytes())
    assert digest.hexdigest()[:16] == "8a9c29940976d882"
    assert 0.22 < shown.sync.mean() < 0.28
