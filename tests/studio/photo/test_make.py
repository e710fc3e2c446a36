"""A portrait becomes a look, or the reason why it cannot is said in words a creator can act on."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import skia
from numpy.typing import NDArray
from PIL import Image

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.avatar.motion import Look, Pose
from avatar_scheduler.studio.avatar.pack import Pack
from avatar_scheduler.studio.avatar.sprites import Figure
from avatar_scheduler.studio.photo import environment, make
from avatar_scheduler.studio.photo.visemes import SHAPES
from tests.studio.photo.portraits import portrait

STILL = Look(Pose(0, 0.0), "mouth_X", "eyes_open", "brows_neutral")


def shown(of: Pack, mouth: str = "mouth_X", eyes: str = "eyes_open", brows: str = "brows_neutral") -> NDArray[np.int16]:
    rgba = np.full((1920, 1080, 4), 255, np.uint8)
    canvas = skia.Surface(rgba, colorType=skia.kRGBA_8888_ColorType).getCanvas()
    Figure(of, 1080, 1920).draw(canvas, Look(Pose(0, 0.0), mouth, eyes, brows))
    return rgba[..., :3].astype(np.int16)


def opened(of: Pack, mouth: str) -> int:
    """Pixels of the inside of a mouth: dark, and much redder than green."""
    box = Figure(of, 1080, 1920).box("mouth", Pose(0, 0.0))
    part = shown(of, mouth)[box.y : box.bottom, box.x : box.right]
    return int(((part[..., 0] < 90) & (part[..., 1] < 32) & (part[..., 0] > 20 + part[..., 1])).sum())


class TestLook:
    def test_has_every_part(self, look: Pack) -> None:
        mouths = {f"mouth_{smile}{letter}" for letter in SHAPES for smile in ("", "smile_")}
        assert set(look.files) >= mouths | {"eyes_closed", "eyes_half", "eyes_left", "eyes_right", "brows_up"}

    def test_shows_the_portrait_itself_at_rest(self, look: Pack) -> None:
        """The head that was cut out, scaled and laid together again is the head of the photograph."""
        picture, photo = shown(look), np.asarray(portrait(), np.int16)
        mouth = Figure(look, 1080, 1920).box("mouth", Pose(0, 0.0))
        columns, rows = slice(mouth.x + 80, mouth.right - 80), slice(mouth.y - 300, mouth.bottom)
        face = picture[rows, columns]
        apart = min(
            float(np.abs(face - photo[top : top + face.shape[0], columns]).mean())
            for top in range(rows.start - 200, rows.start + 200, 2)
        )
        assert apart < 4

    def test_opens_the_mouth_by_its_letter(self, look: Pack) -> None:
        area = {letter: opened(look, f"mouth_{letter}") for letter in "ACDEFX"}
        assert max(area["A"], area["X"]) < 40
        assert 200 < area["F"] < area["E"] < area["D"]
        assert area["C"] < area["D"]

    def test_shows_teeth_where_letters_have_them(self, look: Pack) -> None:
        def white(letter: str) -> int:
            fresh = shown(look, f"mouth_{letter}").min(axis=-1) - shown(look).min(axis=-1)
            return int((fresh > 70).sum())

        assert white("A") < 10
        assert min(white("B"), white("D"), white("G")) > 150

    def test_a_blink_covers_the_eyes_and_nothing_else(self, look: Pack) -> None:
        apart = np.abs(shown(look) - shown(look, eyes="eyes_closed")).max(axis=-1) > 24
        rows, columns = np.flatnonzero(apart.any(axis=1)), np.flatnonzero(apart.any(axis=0))
        box = Figure(look, 1080, 1920).box("eyes", Pose(0, 0.0))
        assert apart.sum() > 2000
        assert box.y <= rows[0] < rows[-1] < box.bottom
        assert box.x <= columns[0] < columns[-1] < box.right

    def test_eyes_look_to_both_sides(self, look: Pack) -> None:
        """The dark of the iris moves."""
        box = Figure(look, 1080, 1920).box("eyes", Pose(0, 0.0))
        middle: dict[str, float] = {}
        for side in ("left", "open", "right"):
            part = shown(look, eyes=f"eyes_{side}")[box.y + 30 : box.bottom - 10, box.x : box.x + 150].mean(axis=-1)
            middle[side] = float(np.average(np.arange(150), weights=(part < 90).sum(axis=0) + 1e-6))
        assert middle["left"] + 2 < middle["open"] < middle["right"] - 2

    def test_the_head_hides_the_body_it_moves_over(self, look: Pack) -> None:
        """No second rim of hair behind a head that has moved."""
        rgba = np.zeros((1920, 1080, 4), np.uint8)
        canvas = skia.Surface(rgba, colorType=skia.kRGBA_8888_ColorType).getCanvas()
        moved = Look(Pose(-4, look.motion.tilt), "mouth_X", "eyes_open", "brows_neutral")
        Figure(look, 1080, 1920).draw(canvas, moved)
        alone = np.zeros((1920, 1080, 4), np.uint8)
        head = [layer for layer in look.layers if layer.part != "body"]
        Figure(replace(look, layers=tuple(head)), 1080, 1920).draw(
            skia.Surface(alone, colorType=skia.kRGBA_8888_ColorType).getCanvas(), moved
        )
        mouth = Figure(look, 1080, 1920).box("mouth", Pose(0, 0.0))
        above = slice(0, mouth.y)
        assert np.array_equal(rgba[above], alone[above])


def two() -> Image.Image:
    one = portrait().crop((140, 400, 940, 1400))
    pair = Image.new("RGB", (1600, 1000))
    pair.paste(one, (0, 0))
    pair.paste(portrait(name="maya").crop((140, 400, 940, 1400)), (800, 0))
    return pair


def small() -> Image.Image:
    wall = Image.new("RGB", (1600, 1600), (228, 228, 228))
    wall.paste(portrait().resize((540, 960)), (500, 640))
    return wall


class TestRefusals:
    @pytest.mark.parametrize(
        ("picture", "message"),
        [
            (lambda: Image.new("RGB", (800, 800), (200, 190, 180)), "No face was found in the picture. Ask for a"),
            (two, "2 faces were found. Use a picture of one person alone."),
            (small, "The face is too small: 1"),
            (lambda: portrait("mouth_D"), "The mouth is open. Ask for a neutral face with the mouth closed"),
            (lambda: portrait(eyes="eyes_closed"), "An eye is closed."),
            (lambda: portrait().rotate(20, fillcolor=(228, 228, 228)), "The head leans to one side."),
            (lambda: portrait().crop((0, 460, 1080, 1920)), "The top of the head is cut off."),
            (lambda: portrait().crop((0, 0, 1080, 1300)), "Too little is seen below the chin."),
        ],
    )
    def test_says_what_to_ask_for(
        self, data: Path, tmp_path: Path, picture: Callable[[], Image.Image], message: str
    ) -> None:
        picture().save(tmp_path / "portrait.png")
        with pytest.raises(Invalid) as caught:
            make.make(tmp_path / "portrait.png", partial(environment.find, data), tmp_path / "look", name="Leo")
        assert message in caught.value.message
        assert not (tmp_path / "look").exists()

    @pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff cut off", b"GIF89a"])
    def test_what_is_no_picture(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "portrait.jpg").write_bytes(content)
        with pytest.raises(Invalid, match=r"portrait\.jpg cannot be read"):
            make.make(tmp_path / "portrait.jpg", lambda pixels: pytest.fail("looked at"), tmp_path / "look", name="Leo")

    def test_a_picture_too_large_is_not_unpacked(self, tmp_path: Path) -> None:
        Image.new("1", (9000, 6000)).save(tmp_path / "portrait.png")
        with pytest.raises(Invalid, match="over 50 megapixels"):
            make.make(tmp_path / "portrait.png", lambda pixels: pytest.fail("looked at"), tmp_path / "look", name="Leo")
