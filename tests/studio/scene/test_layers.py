"""Blending in planes gives what blending in RGB and converting would have given."""

import numpy as np
import pytest

from avatar_scheduler.studio import planes
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.scene.layers import Cutout, Sheet, layer

SIZE = (96, 64)
WHOLE = Box(0, 0, *SIZE)
BOX = Box(16, 8, 64, 48)
convert = planes.Converter()


def ground() -> planes.Pixels:
    rgba = np.full((SIZE[1], SIZE[0], 4), 255, np.uint8)
    rgba[..., 0] = np.linspace(0, 255, SIZE[0])
    rgba[..., 1] = np.linspace(255, 0, SIZE[1])[:, None]
    rgba[..., 2] = 90
    return rgba


def badge() -> planes.Pixels:
    """Premultiplied: clear at the rim, then half transparent, opaque inside."""
    rgba = np.zeros((BOX.height, BOX.width, 4), np.uint8)
    rgba[8:-8, 8:-8] = (120, 20, 60, 128)
    rgba[16:-16, 16:-16] = (255, 220, 0, 255)
    return rgba


def composed(front: planes.Pixels) -> planes.Planes:
    rgba = ground()
    under = rgba[BOX.y : BOX.bottom, BOX.x : BOX.right].astype(np.uint16)
    rgba[BOX.y : BOX.bottom, BOX.x : BOX.right] = front + under * (255 - front[..., 3:].astype(np.uint16)) // 255
    return convert(rgba)


def frame_of(rgba: planes.Pixels) -> planes.Planes:
    target = planes.views(planes.new_frame(*SIZE))
    planes.paste(target, convert(rgba), WHOLE)
    return target


def assert_alike(seen: planes.Planes, wanted: planes.Planes) -> None:
    for plane, other in zip(seen, wanted, strict=True):
        apart = np.abs(plane.astype(np.int16) - other)
        assert np.median(apart) <= 1
        assert (apart > 4).mean() < 0.05  # chroma along the edges is filtered a little differently


def test_a_layer_over_a_frame() -> None:
    target = frame_of(ground())
    made = layer(badge(), BOX, convert)
    assert made is not None
    assert made.box == Box(24, 16, 48, 32)
    made.over(target)
    assert_alike(target, composed(badge()))


def test_a_layer_of_nothing_is_none() -> None:
    assert layer(np.zeros_like(badge()), BOX, convert) is None


def test_a_cutout_shows_the_ground_around_and_keeps_what_is_opaque() -> None:
    target = frame_of(np.zeros_like(ground()))
    planes.paste(target, planes.cut(composed(badge()), BOX), BOX)
    inside = Box(34, 26, 28, 12)
    for plane in planes.cut(target, inside):
        plane[:] = 77
    Cutout(badge(), BOX, convert).lay(Sheet(target), Sheet(frame_of(ground())))
    assert all((plane == 77).all() for plane in planes.cut(target, inside))
    planes.paste(target, planes.cut(composed(badge()), inside), inside)
    assert_alike(planes.cut(target, BOX), planes.cut(composed(badge()), BOX))


def test_laying_a_cutout_again_changes_nothing() -> None:
    target, cutout = frame_of(ground()), Cutout(badge(), BOX, convert)
    cutout.lay(Sheet(target), Sheet(frame_of(ground())))
    once = [plane.copy() for plane in target]
    cutout.lay(Sheet(target), Sheet(frame_of(ground())))
    assert all(np.array_equal(plane, before) for plane, before in zip(target, once, strict=True))


def test_ground_of_another_row_length_is_read_right() -> None:
    wide = planes.views(planes.new_frame(SIZE[0] + 64, SIZE[1]))
    part = planes.cut(wide, Box(32, 0, *SIZE))
    for to, pixels in zip(part, frame_of(ground()), strict=True):
        to[:] = pixels
    one, other = frame_of(np.zeros_like(ground())), frame_of(np.zeros_like(ground()))
    cutout = Cutout(badge(), BOX, convert)
    cutout.lay(Sheet(one), Sheet(part))
    cutout.lay(Sheet(other), Sheet(frame_of(ground())))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("color", [(255, 255, 255), (0, 0, 0), (255, 0, 0), (0, 0, 255)])
def test_faint_layers_over_any_ground_never_wrap_around(color: tuple[int, int, int]) -> None:
    for alpha in (1, 3, 40, 254):
        front = np.zeros_like(badge())
        front[...] = (*(part * alpha // 255 for part in color), alpha)
        for level in (0, 255):
            target = frame_of(np.full_like(ground(), level))
            wanted = convert(_over(front, level))
            made = layer(front, BOX, convert)
            assert made is not None
            made.over(target)
            inner = Box(20, 12, 56, 40)
            for plane, other in zip(planes.cut(target, inner), planes.cut(wanted, inner), strict=True):
                assert np.abs(plane.astype(np.int16) - other).max() <= 3


def _over(front: planes.Pixels, level: int) -> planes.Pixels:
    rgba = np.full_like(ground(), level)
    under = rgba[BOX.y : BOX.bottom, BOX.x : BOX.right].astype(np.uint16)
    rgba[BOX.y : BOX.bottom, BOX.x : BOX.right] = front + under * (255 - front[..., 3:].astype(np.uint16)) // 255
    return rgba
