"""Packs from strangers: what is hidden in them goes nowhere, and what is wrong is all said at once."""

import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.storage import file_sha256
from avatar_scheduler.studio.avatar import pack, pack_check, pack_svg, pack_zip
from avatar_scheduler.studio.avatar.sprites import Figure
from avatar_scheduler.studio.job import PACKS, avatars

SPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
SVG = f'<svg {SPACES} viewBox="0 0 1080 1350">%s</svg>'


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACKS / "maya", tmp_path / "maya"))


def zipped(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def whole(folder: Path, prefix: str = "") -> dict[str, bytes]:
    return {prefix + path.name: path.read_bytes() for path in folder.iterdir()}


def drawn(folder: Path) -> bytes:
    import skia

    from avatar_scheduler.studio.avatar.motion import rest

    loaded = pack.load(folder)
    rgba = np.zeros((960, 540, 4), np.uint8)
    Figure(loaded, 540, 960).draw(skia.Surface(rgba, colorType=skia.kRGBA_8888_ColorType).getCanvas(), rest(loaded))
    return rgba.tobytes()


class TestCanonical:
    @pytest.mark.parametrize("name", avatars())
    def test_draws_the_same_and_is_its_own_canonical_form(self, name: str, tmp_path: Path) -> None:
        first, second = tmp_path / "first.zip", tmp_path / "second.zip"
        assert pack_zip.canonical(PACKS / name, first) == []
        pack_zip.extract(first, tmp_path / "again")
        assert drawn(tmp_path / "again") == drawn(PACKS / name)
        pack_zip.canonical(first, second)
        assert file_sha256(first) == file_sha256(second)

    def test_is_the_same_however_it_was_packed(self, copy: Path, tmp_path: Path) -> None:
        files = whole(copy, "my pack/")
        one = zipped(tmp_path / "one.zip", files)
        notes = {"__MACOSX/my pack/._head.svg": b"junk", "my pack/.DS_Store": b"junk", "my pack/README.md": b"Hello"}
        other = zipped(tmp_path / "other.zip", dict(reversed(files.items())) | notes, zipfile.ZIP_STORED)
        for source, target in ((one, "a"), (other, "b"), (copy, "c")):
            pack_zip.canonical(source, tmp_path / target)
        assert len({file_sha256(tmp_path / name) for name in "abc"}) == 1

    def test_leaves_out_what_is_not_drawn(self, copy: Path, tmp_path: Path) -> None:
        head = (copy / "head.svg").read_text()
        hidden = '<!-- secret --><metadata><rdf:x>secret</rdf:x></metadata><secret:note a="1"><path/></secret:note>'
        (copy / "head.svg").write_text(head.replace("<title>", hidden + "<title>", 1))
        Image.new("RGBA", (1080, 1350)).save(copy / "unused.png")
        pack_zip.canonical(copy, tmp_path / "clean.zip")
        with zipfile.ZipFile(tmp_path / "clean.zip") as archive:
            assert "unused.png" not in archive.namelist()
            assert all(b"secret" not in archive.read(name) for name in archive.namelist())
        pack_zip.extract(tmp_path / "clean.zip", tmp_path / "clean")
        assert drawn(tmp_path / "clean") == drawn(PACKS / "maya")

    def test_a_picture_with_a_zip_behind_it_loses_it(self, copy: Path, tmp_path: Path) -> None:
        hat = copy / "hair_front.png"
        Image.new("RGBA", (1080, 1350)).save(hat)
        (copy / "hair_front.svg").unlink()
        hat.write_bytes(hat.read_bytes() + b"PK\x03\x04 more")
        pack_zip.canonical(copy, tmp_path / "clean.zip")
        with zipfile.ZipFile(tmp_path / "clean.zip") as archive:
            assert b"PK" not in archive.read("hair_front.png")


class TestExtract:
    @pytest.mark.parametrize(
        ("files", "message"),
        [
            ({"../head.svg": b""}, '"../head.svg" is not a file name.'),
            ({"/etc/passwd": b""}, '"/etc/passwd" is not a file name.'),
            ({"a\\..\\b.svg": b""}, "is not a file name."),
            ({"avatar.toml": b"", "faces/head.svg": b""}, "faces/head.svg lies in a folder of its own."),
            ({"head.svg": b" " * 900_000}, "head.svg unpacks to over 200 times its size."),
            ({"head.svg": b" " * 1_100_000}, "head.svg is 1.1 MB, the limit is 1 MB."),
            ({f"p{n}.svg": b"" for n in range(81)}, "The pack has 81 files, the limit is 80."),
            ({f"p{n}.svg": b"" for n in range(400)}, "has 400 entries."),
            ({"Head.svg": b"", "head.svg": b""}, "head.svg is in the zip twice."),
        ],
    )
    def test_refuses_by_name_and_leaves_nothing(self, files: dict[str, bytes], message: str, tmp_path: Path) -> None:
        with pytest.raises(Invalid) as caught:
            pack_zip.extract(zipped(tmp_path / "bad.zip", files), tmp_path / "out")
        assert message in caught.value.message
        assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.zip"]

    def test_refuses_a_link(self, tmp_path: Path) -> None:
        entry = zipfile.ZipInfo("head.svg")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
            archive.writestr(entry, "/etc/passwd")
        with pytest.raises(Invalid, match=r"head\.svg is a link, not a file\."):
            pack_zip.extract(tmp_path / "bad.zip", tmp_path / "out")

    def test_a_size_that_the_header_hides_is_not_believed(self, tmp_path: Path) -> None:
        path = zipped(tmp_path / "bad.zip", {"head.svg": bytes(range(256)) * 8000})
        data = bytearray(path.read_bytes())
        directory = data.rindex(b"PK\x01\x02")
        data[directory + 24 : directory + 28] = (5000).to_bytes(4, "little")
        path.write_bytes(data)
        with pytest.raises(Invalid):
            pack_zip.extract(path, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not a zip", b"\x89PNG"])
    def test_refuses_what_is_no_zip(self, data: bytes, tmp_path: Path) -> None:
        (tmp_path / "bad.zip").write_bytes(data)
        with pytest.raises(Invalid, match=r"bad\.zip is not a zip file that can be opened"):
            pack_zip.extract(tmp_path / "bad.zip", tmp_path / "out")


def edited(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), "utf-8")

    return edit


def painted(name: str, box: tuple[int, int, int, int]) -> Callable[[Path], None]:
    def paint(folder: Path) -> None:
        picture = Image.new("RGBA", (1080, 1350))
        picture.paste((200, 0, 0, 255), box)
        (folder / f"{name}.svg").unlink(missing_ok=True)
        picture.save(folder / f"{name}.png")

    return paint


class TestCheck:
    """Maya's mouth box is 368,576 to 712,742; her head's is 262,84 to 830,740."""

    @pytest.mark.parametrize(
        ("breaking", "message"),
        [
            (painted("mouth_D", (400, 600, 500, 748)), "mouth_D.png reaches 6 pixels below the mouth box."),
            (painted("eyes_half", (380, 420, 500, 440)), "eyes_half.png reaches 4 pixels left of the eyes box."),
            (painted("brows_up", (400, 340, 684, 390)), "brows_up.png reaches 2 pixels right of the brows box."),
            (painted("hair_front", (400, 80, 500, 200)), "hair_front.png reaches 4 pixels above the head box."),
            (painted("mouth_B", (0, 0, 1080, 1350)), "mouth_B.png has no transparent pixels; it would hide the face."),
            (edited("head.svg", "<title>", "<!DOCTYPE x [<!ENTITY a 'b'>]><title>"), "head.svg cannot be read: line 2"),
            (edited("head.svg", "<svg", "<!DOCTYPE x [<!ENTITY a 'b'>]><svg"), "head.svg defines entities."),
            (edited("head.svg", "<title>", '<path onclick="x()"/><title>'), "head.svg uses a script (line 2)."),
            (edited("head.svg", "<title>", '<path fill="url(http://x/#a)"/><title>'), "head.svg links to another"),
            (edited("head.svg", 'viewBox="0 0', 'viewBox="10 0'), "The viewBox of head.svg begins at 10 0."),
            (edited("avatar.toml", "every = [2600", "every = [0"), "blink.every needs 2 whole numbers from 400"),
            (edited("avatar.toml", "scale = 1.2", "scale = nan"), "placement.scale needs 1 number from 0.2 to 4."),
            (edited("avatar.toml", 'moves = "head"', 'moves = "up"'), 'needs a part, and moves = "head" or "no"'),
        ],
    )  # fmt: skip
    def test_says_what_is_wrong(self, copy: Path, breaking: Callable[[Path], None], message: str) -> None:
        breaking(copy)
        with pytest.raises(Invalid) as caught:
            pack_check.check(copy)
        assert message in caught.value.message

    def test_says_all_at_once(self, copy: Path) -> None:
        painted("mouth_D", (400, 600, 500, 748))(copy)
        edited("avatar.toml", "scale = 1.2", 'scale = "big"')(copy)
        (copy / "body.svg").unlink()
        with pytest.raises(Invalid, match=r"placement\.scale needs.*body is missing"):
            pack_check.check(copy)

    def test_equal_mouths_are_a_warning(self, copy: Path) -> None:
        shutil.copy(copy / "mouth_C.svg", copy / "mouth_D.svg")
        assert pack_check.check(copy)[1] == ["mouth_C and mouth_D are the same picture."]

    @pytest.mark.parametrize(
        ("inside", "message"),
        [
            ("<g>" * 50 + "</g>" * 50, "parts more than 40 deep"),
            ("<g/>" * 6000, "more than 5000 parts"),
            (
                '<linearGradient id="a" xlink:href="#b"/><linearGradient id="b" xlink:href="#a"/>',
                "has gradients that refer to each other in a circle",
            ),
            ('<clipPath id="a"><path clip-path="url(#a)"/></clipPath>', "clips inside a clipPath"),
        ],
    )
    def test_what_would_draw_without_end_is_refused(self, inside: str, message: str) -> None:
        [problem] = pack_svg.problems("head.svg", (SVG % inside).encode(), (1080, 1350))
        assert message in problem
