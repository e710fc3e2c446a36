import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.avatar.pack import Box, Pack, load
from avatar_scheduler.studio.job import PACKS, avatars


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Maya, to be broken."""
    return Path(shutil.copytree(PACKS / "maya", tmp_path / "maya"))


def edited(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), "utf-8")

    return edit


def removed(*names: str) -> Callable[[Path], None]:
    def remove(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return remove


def written(name: str, data: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return write


class TestLoad:
    @pytest.mark.parametrize("name", avatars())
    def test_reads_each_pack_that_ships(self, name: str) -> None:
        assert load(PACKS / name).name.lower() == name

    @pytest.mark.parametrize(
        ("breaking", "message"),
        [
            (removed("avatar.toml"), "maya has no readable avatar.toml."),
            (edited("avatar.toml", "format = 1", "format = "), 'avatar.toml, line 1: expected a value after "=".'),
            (
                edited("avatar.toml", "format = 1", "format = 2"),
                "This pack uses format 2. This version reads format 1.",
            ),
            (removed("mouth_D.svg"), "mouth_D is missing. A pack needs mouths A to F"),
            (removed("mouth_D.svg", "head.svg"), "head, mouth_D are missing."),
            (
                edited("eyes_open.svg", "0 0 1080 1350", "0 0 1080 1300"),
                "eyes_open.svg is 1080x1300, the artboard is 1080x1350.",
            ),
            (edited("avatar.toml", "mouth = [368", "mouth = [371"), "mouth box: 371 is odd. Use even numbers."),
            (edited("avatar.toml", "mouth = [368", "mouth = [968"), "mouth box reaches outside the artboard."),
            (edited("avatar.toml", '"hair_front"', '"hat"'), 'Layer "hat" has no file hat.svg or hat.png.'),
            (edited("avatar.toml", '"hair_front"', '"../head"'), '"../head" is not a file name.'),
            (
                edited("avatar.toml", 'part = "eyes"', 'part = "head"'),
                "The layer list must name body, head, mouth and eyes",
            ),
            (
                edited("hair_front.svg", "<title>", "<filter/><title>"),
                "hair_front.svg uses a filter (line 2). Filters are not drawn.",
            ),
            (edited("body.svg", "<title>", '<a href="http://x/"/><title>'), "body.svg links to another address."),
            (edited("avatar.toml", 'licence = "CC0-1.0"', 'licence = ""'), "licence is missing."),
            (
                edited("avatar.toml", "[blink]", "[wink]"),
                "avatar.toml: blink.every needs 2 whole numbers from 400 to 60000.",
            ),
            (
                edited("avatar.toml", "scale = 1.2", 'scale = "big"'),
                "avatar.toml: placement.scale needs 1 number from 0.2 to 4.",
            ),
            (written("head.svg", b"<svg cut off"), "head.svg cannot be read: line 1: "),
            (written("head.svg", b"\xff\xfe\x00"), "head.svg cannot be read: "),
            (written("head.svg", b" " * 1_200_000), "head.svg is 1.2 MB, the limit is 1 MB."),
            (written("hat.png", b"not a picture"), "hat.png cannot be read: it is not a complete PNG picture."),
        ],
    )
    def test_names_what_is_wrong(self, copy: Path, breaking: Callable[[Path], None], message: str) -> None:
        breaking(copy)
        with pytest.raises(Invalid) as caught:
            load(copy)
        assert message in caught.value.message
        assert "\n" not in caught.value.message

    def test_names_every_problem_at_once(self, copy: Path) -> None:
        removed("mouth_D.svg")(copy)
        edited("avatar.toml", "mouth = [368", "mouth = [371")(copy)
        with pytest.raises(Invalid, match=r"mouth_D is missing\..*371 is odd\."):
            load(copy)


class TestFallbacks:
    def test_missing_mouths_and_eyes(self, copy: Path) -> None:
        removed("mouth_G.svg", "mouth_H.svg", "mouth_X.svg", "mouth_smile_X.svg", "eyes_left.svg", "brows_up.svg")(copy)
        pack = load(copy)
        assert [pack.mouth(letter) for letter in "GHXD"] == ["mouth_B", "mouth_C", "mouth_A", "mouth_D"]
        assert pack.mouth("X", smiling=True) == "mouth_smile_A"
        assert pack.mouth("G", smiling=True) == "mouth_smile_B"
        assert (pack.eyes("left"), pack.brows("up")) == ("eyes_open", "brows_neutral")

    def test_a_pack_without_brows_has_them_in_its_head(self, copy: Path) -> None:
        removed("brows_neutral.svg", "brows_up.svg", "brows_worried.svg")(copy)
        assert load(copy).brows("up") == ""


def test_boxes_meet_join_and_stay_inside(maya: Pack) -> None:
    assert maya.boxes["eyes"].meets(maya.boxes["brows"])
    assert not maya.boxes["eyes"].meets(maya.boxes["mouth"])
    assert Box(0, 0, 2, 2).around(Box(4, 6, 2, 2)) == Box(0, 0, 6, 8)
    assert Box(-4, 2, 10, 10).within(4, 8) == Box(0, 2, 4, 6)
