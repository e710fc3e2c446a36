import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import skia

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.studio import emoji, lettering


@pytest.mark.parametrize(
    ("typed", "drawn"),
    [
        ("chaud 🍞 !", "chaud 🍞 !"),
        ("👩🏾‍🍳🇫🇷1️⃣❤️", "👩🏾‍🍳🇫🇷1️⃣❤️"),
        ("👨‍👩‍👧‍👦 et 🏴󠁧󠁢󠁳󠁣󠁴󠁿", "👨‍👩‍👧‍👦 et 🏴󠁧󠁢󠁳󠁣󠁴󠁿"),
        ("so 👩‍🍞 not", "so not"),
        ("a lone 🇫 letter", "a lone letter"),
        ("→ ✓ ok", "ok"),
        ("5 € * # © ™ é", "5 € * # © ™ é"),
        ("e\u0301te\u0301", "été"),
        ("日本 ok", "ok"),
        ("«\u00a0oui\u202f!\u00a0»", "«\u00a0oui\u202f!\u00a0»"),
    ],
)
def test_each_sequence_is_one_picture_or_left_out(typed: str, drawn: str) -> None:
    assert lettering.drawable(typed) == drawn


def test_without_the_font_emoji_are_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("FONT", "_DEBIAN"):
        monkeypatch.setattr(emoji, name, tmp_path / "none.woff")
    emoji.typeface.cache_clear()
    lettering.drawable.cache_clear()
    try:
        assert lettering.drawable("pain 🍞 🇫🇷 chaud") == "pain chaud"
    finally:
        emoji.typeface.cache_clear()
        lettering.drawable.cache_clear()


def test_an_emoji_has_colours_of_its_own() -> None:
    rgba = np.zeros((120, 120, 4), np.uint8)
    canvas = skia.Surface(rgba, colorType=skia.kRGBA_8888_ColorType).getCanvas()
    lettering.piece("❤️", 90, 0xFFFFFFFF).draw(canvas, 5, 95)
    reds = (rgba[..., 0] > 180) & (rgba[..., 1] < 110)
    assert reds.sum() > 2000


class TestInstall:
    @staticmethod
    def archive(content: bytes) -> bytes:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w:gz") as package:
            member = tarfile.TarInfo(emoji._MEMBER)
            member.size = len(content)
            package.addfile(member, io.BytesIO(content))
        return made.getvalue()

    def fetch(self, content: bytes) -> "Fetch":
        return Fetch(self.archive(content))

    def test_keeps_the_font_that_was_pinned(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(emoji, "_SHA256", hashlib.sha256(b"a font").hexdigest())
        font, fetch = tmp_path / "share" / "emoji.woff", self.fetch(b"a font")
        emoji.install(font, fetch)
        emoji.install(font, fetch)
        assert font.read_bytes() == b"a font"
        assert fetch.asked == [emoji._PACKAGE]

    def test_refuses_another_and_leaves_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(Refused, match="SHA-256 differs"):
            emoji.install(tmp_path / "emoji.woff", self.fetch(b"another"))
        assert list(tmp_path.iterdir()) == []


class Fetch:
    def __init__(self, archive: bytes) -> None:
        self._archive = archive
        self.asked: list[str] = []

    def __call__(self, folder: Path, package: str) -> Path:
        self.asked.append(package)
        path = folder / "package.tgz"
        path.write_bytes(self._archive)
        return path
