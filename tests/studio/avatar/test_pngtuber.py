from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.avatar import pack, pack_zip
from avatar_scheduler.studio.avatar.motion import Look, Pose, rest
from avatar_scheduler.studio.avatar.sprites import Figure


def figure(mouth: int, *, eyes: bool = True, size: tuple[int, int] = (600, 700)) -> Image.Image:
    """A round face whose mouth is `mouth` pixels high."""
    picture = Image.new("RGBA", size)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((100, 500, 500, 700), fill=(40, 80, 160, 255))
    draw.ellipse((150, 100, 450, 560), fill=(240, 200, 170, 255))
    draw.ellipse((240, 440 - mouth, 360, 440 + mouth), fill=(120, 20, 30, 255))
    for x in (220, 340):
        draw.ellipse((x, 260, x + 40, 290 if eyes else 264), fill=(20, 20, 30, 255))
    return picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "my_face"
    made.mkdir()
    figure(4).save(made / "closed.png")
    figure(40).save(made / "open.png")
    figure(20).save(made / "half.png")
    figure(4, eyes=False).save(made / "eyes_closed.png")
    return made


@pytest.fixture
def made(folder: Path, tmp_path: Path) -> pack.Pack:
    pack_zip.canonical(folder, tmp_path / "face.zip")
    pack_zip.extract(tmp_path / "face.zip", tmp_path / "face")
    return pack.load(tmp_path / "face")


def shown(of: pack.Pack, look: Look) -> NDArray[np.uint8]:
    import skia

    drawing = Figure(of, 1080, 1920)
    rgba = np.zeros((1920, 1080, 4), np.uint8)
    drawing.draw(skia.Surface(rgba, colorType=skia.kRGBA_8888_ColorType).getCanvas(), look)
    return rgba


class TestConvert:
    def test_becomes_a_pack_with_the_mouth_where_the_pictures_differ(self, made: pack.Pack) -> None:
        box = made.boxes["mouth"]
        assert (made.name, made.width, made.height) == ("My Face", 600, 700)
        assert 230 <= box.x <= 240
        assert 360 <= box.right <= 370
        assert 390 <= box.y <= 400
        assert 480 <= box.bottom <= 490
        eyes = made.boxes["eyes"]
        assert 210 <= eyes.x <= 220
        assert 254 <= eyes.y <= 264

    @pytest.mark.parametrize(("letter", "height"), [("A", 4), ("B", 20), ("C", 40), ("D", 40), ("F", 20), ("X", 4)])
    def test_shows_each_mouth_as_it_was_drawn(self, made: pack.Pack, letter: str, height: int) -> None:
        still = rest(made)
        rgba = shown(made, Look(Pose(0, 0.0), made.mouth(letter), still.eyes, still.brows))
        as_drawn = figure(height).resize((1080, 1260), Image.Resampling.BILINEAR)
        apart = np.abs(rgba[660:].astype(int) - np.asarray(as_drawn)).max(axis=-1)
        assert (apart > 60).mean() < 0.004

    def test_blinks_with_its_own_picture(self, made: pack.Pack) -> None:
        open_eyes = shown(made, rest(made))
        closed = shown(made, Look(Pose(0, 0.0), rest(made).mouth, "eyes_closed", ""))
        rows = np.flatnonzero((open_eyes != closed).any(axis=(1, 2)))
        assert 1100 < rows[0] < rows[-1] < 1200

    def test_no_gap_opens_at_the_bottom_when_it_rises(self, made: pack.Pack) -> None:
        risen = shown(made, Look(Pose(-6, 0.0), "mouth_A", "eyes_open", ""))
        assert risen[1919, 300:780, 3].min() == 255

    def test_two_pictures_are_enough(self, folder: Path, tmp_path: Path) -> None:
        (folder / "half.png").unlink()
        (folder / "eyes_closed.png").unlink()
        assert pack_zip.canonical(folder, tmp_path / "face.zip") == [
            "Only closed and open were found: the lips have two shapes."
        ]

    def test_what_a_mouth_leaves_clear_is_clear(self, folder: Path, tmp_path: Path) -> None:
        """A shape smaller than the still one would otherwise show the still one behind it."""
        bitten = figure(40)
        bitten.paste((0, 0, 0, 0), (250, 420, 350, 460))
        bitten.save(folder / "open.png")
        pack_zip.canonical(folder, tmp_path / "face.zip")
        pack_zip.extract(tmp_path / "face.zip", tmp_path / "face")
        of = pack.load(tmp_path / "face")
        rgba = shown(of, Look(Pose(0, 0.0), "mouth_D", "eyes_open", ""))
        assert rgba[1920 - 1260 + 792, 540, 3] == 0

    @pytest.mark.parametrize(
        ("name", "picture", "message"),
        [
            ("open", figure(4), "closed.png and open.png are the same picture."),
            ("open", figure(40, size=(600, 720)), "The pictures differ in size: closed 600x700, open 600x720"),
            ("closed", figure(4).convert("RGB"), "closed.png has no transparent pixels."),
            ("half", Image.new("RGBA", (20, 20)), "half.png is 20x20. Use 64 to 4320 pixels a side."),
        ],
    )
    def test_says_what_is_wrong(
        self, folder: Path, tmp_path: Path, name: str, picture: Image.Image, message: str
    ) -> None:
        picture.save(folder / f"{name}.png")
        with pytest.raises(Invalid) as caught:
            pack_zip.canonical(folder, tmp_path / "face.zip")
        assert message in caught.value.message
        assert not (tmp_path / "face.zip").exists()
