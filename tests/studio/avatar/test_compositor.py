import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio import planes
from avatar_scheduler.studio.avatar import pack
from avatar_scheduler.studio.avatar.compositor import Compositor
from avatar_scheduler.studio.avatar.motion import POSES, Look, pose, rest
from avatar_scheduler.studio.avatar.pack import Box, Pack
from avatar_scheduler.studio.avatar.sprites import Figure
from avatar_scheduler.studio.avatar.stage import Stage
from avatar_scheduler.studio.caption_art import place
from avatar_scheduler.studio.captions import Caption
from avatar_scheduler.studio.job import PACKS, StudioJob, avatars
from avatar_scheduler.studio.lettering import typeface
from avatar_scheduler.studio.timed import Timed
from tests.studio.jobs import make_job, striped

CAPTION = Caption((Timed("Hello", 0.0, 0.5), Timed("there", 0.5, 1.0)), 0.0, 1.0)


def looks(of: Pack, scale: float, count: int) -> list[Look]:
    rng = random.Random(7)

    def parts(slot: str) -> list[str]:
        return sorted(part for part in of.files if part.startswith(slot))

    return [
        Look(
            pose(of.motion, scale, rng.randrange(POSES)),
            rng.choice(parts("mouth_")),
            rng.choice(parts("eyes_")),
            rng.choice(parts("brows_")),
        )
        for _ in range(count)
    ]


def luma(compositor: Compositor) -> planes.Pixels:
    return planes.views(compositor.frame)[0]


class TestShow:
    @pytest.mark.parametrize("name", avatars())
    def test_patches_add_up_to_the_picture_drawn_whole(self, name: str) -> None:
        of, job = pack.load(PACKS / name), make_job(avatar=name)
        figure = Figure(of, job.width, job.height)
        compositor, stage = Compositor(job, of, figure, []), Stage(job, figure)
        for look in looks(of, figure.scale, 6):
            compositor.show(look, None)
            whole = stage.patch(Box(0, 0, job.width, job.height), look)
            for patched, drawn in zip(planes.views(compositor.frame), whole, strict=True):
                apart = np.abs(patched.astype(np.int16) - drawn)
                # Skia rounds a few edge pixels differently when the clip differs. A seam would be hundreds.
                assert (apart > 12).sum() < 120
                assert apart.max() < 90

    def test_a_patch_of_the_scene_is_cut_without_a_seam(self, maya: Pack) -> None:
        job = make_job()
        stage = Stage(job, Figure(maya, job.width, job.height))
        whole, box = stage.patch(Box(0, 0, job.width, job.height), rest(maya)), Box(12, 460, 150, 300)
        for patched, drawn in zip(stage.patch(box, rest(maya)), planes.cut(whole, box), strict=True):
            assert np.array_equal(patched, drawn)

    def test_the_label_survives_everything(self, maya: Pack) -> None:
        """A label in the middle of the face, where every patch is laid over it."""
        job = make_job(overlay=striped(x=260, y=800))
        compositor = Compositor(job, maya, Figure(maya, job.width, job.height), [CAPTION])
        before = luma(compositor)[800:920, 260:820].copy()
        for number, look in enumerate(looks(maya, 1.2, 12)):
            compositor.show(look, (0, number % 2) if number % 3 else None)
            assert np.array_equal(luma(compositor)[800:920, 260:820], before)
        assert before[:, 4:36].min() > 190
        assert before[:, 44:76].max() < 50

    def test_the_word_being_heard_stands_out_and_goes_when_the_caption_does(self, maya: Pack) -> None:
        job = make_job()
        compositor = Compositor(job, maya, Figure(maya, job.width, job.height), [CAPTION])
        still = rest(maya)
        empty = luma(compositor).copy()
        first = luma(compositor_at(compositor, still, (0, 0))).copy()
        second = luma(compositor_at(compositor, still, (0, 1))).copy()
        assert not np.array_equal(first, second)
        assert np.array_equal(luma(compositor_at(compositor, still, None)), empty)

    def test_a_square_frame_where_head_and_caption_overlap_keeps_both(self, maya: Pack) -> None:
        job = make_job(width=1080, height=1080)
        figure = Figure(maya, job.width, job.height)
        compositor = Compositor(job, maya, figure, [CAPTION])
        moved = looks(maya, figure.scale, 3)
        for look in moved:
            compositor.show(look, (0, 0))
        box = place(job.width, job.height, job.overlay)
        middle = luma(compositor)[box.y + 110 : box.y + 140, 400:680]
        assert middle.max() > 180
        compositor.show(moved[-1], None)
        whole = Stage(job, figure).patch(Box(0, 0, 1080, 1080), moved[-1])[0]
        assert (np.abs(luma(compositor).astype(np.int16) - whole) > 12).sum() < 120

    def test_a_still_frame_is_not_redrawn(self, maya: Pack) -> None:
        job = make_job()
        compositor = Compositor(job, maya, Figure(maya, job.width, job.height), [CAPTION])
        compositor.show(rest(maya), (0, 0))
        luma(compositor)[:] = 77
        compositor.show(rest(maya), (0, 0))
        assert (luma(compositor) == 77).all()


def compositor_at(compositor: Compositor, look: Look, caption: tuple[int, int] | None) -> Compositor:
    compositor.show(look, caption)
    return compositor


class TestPlace:
    @pytest.mark.parametrize("y", [60, 900, 1240, 1400])
    def test_keeps_captions_clear_of_the_label(self, y: int) -> None:
        overlay = striped(y=y)
        box = place(1080, 1920, overlay)
        assert not box.meets(Box(overlay.x, overlay.y, overlay.width, overlay.height))
        assert box.y >= 960
        assert box.bottom <= 1920

    def test_a_label_over_the_whole_lower_half_is_refused(self) -> None:
        with pytest.raises(Invalid, match="leaves no room for captions"):
            place(1080, 1920, striped(width=1080, height=1000, x=0, y=900))


class TestUnreadable:
    @pytest.mark.parametrize("data", [None, b"no font"])
    def test_font_is_named(self, data: bytes | None, tmp_path: Path) -> None:
        path = tmp_path / "Bold.ttf"
        if data:
            path.write_bytes(data)
        with pytest.raises(Invalid, match=r"^The font Bold\.ttf cannot be read\."):
            typeface(path)

    @pytest.mark.parametrize("name", ["hat.svg", "hat.png"])
    @pytest.mark.parametrize("data", [None, b"<svg><g"])
    def test_sprite_is_named(self, name: str, data: bytes | None, maya: Pack, tmp_path: Path) -> None:
        if data:
            (tmp_path / name).write_bytes(data)
        broken = replace(maya, files={**maya.files, "hat": tmp_path / name})
        with pytest.raises(Invalid, match=rf"^{name} cannot be read"):
            Figure(broken, 1080, 1920)


def test_png_pictures_are_drawn_like_svg_ones(maya: Pack, small_job: StudioJob, tmp_path: Path) -> None:
    from PIL import Image

    red = Image.new("RGBA", (maya.width * 2, maya.height * 2), (0, 0, 0, 0))
    red.paste((255, 255, 255, 255), (0, 0, maya.width * 2, 200))
    red.save(tmp_path / "head.png")
    painted = replace(maya, files={**maya.files, "head": tmp_path / "head.png"})
    figure = Figure(painted, small_job.width, small_job.height)
    stage = Stage(small_job, figure)
    top = round(small_job.height - maya.height * figure.scale)
    row = stage.patch(Box(0, 0, 540, 960), rest(maya))[0][top + 10 : top + 50, 10:60]
    assert row.min() > 230
