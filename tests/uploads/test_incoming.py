"""Files on their way in: ordinary ones only, counted while they come, gone when they are refused."""

import hashlib
import os
from pathlib import Path

import pytest

from avatar_scheduler.domain.errors import Invalid, NotFound
from avatar_scheduler.uploads import kinds
from avatar_scheduler.uploads.incoming import Incoming, from_path


def refusal(path: Path, folder: Path) -> Invalid:
    with pytest.raises(Invalid) as caught, from_path(path, folder, 100):
        pass
    return caught.value


def test_what_is_no_ordinary_file_is_named_and_not_waited_for(tmp_path: Path) -> None:
    real, room = tmp_path / "real", tmp_path / "room"
    real.write_bytes(b"x")
    (tmp_path / "link").symlink_to(real)
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    for name, words in (
        ("link", "link is a link. Name the file itself."),
        ("loop", "loop is a link. Name the file itself."),
        ("pipe", "pipe is not a file but a pipe. Name a file."),
        (".", "is not a file but a folder. Name a file."),
    ):
        assert words in refusal(tmp_path / name, room).message
    assert "not a file but a device" in refusal(Path("/dev/zero"), room).message
    with pytest.raises(NotFound, match="There is no file"), from_path(tmp_path / "none", room, 100):
        pass
    assert not room.exists()


def test_it_is_counted_and_hashed_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"hello")
    with from_path(path, tmp_path / "room", 5) as incoming:
        assert incoming.sha256 == hashlib.sha256(b"hello").hexdigest()
        assert incoming.size == 5
        assert list((tmp_path / "room").iterdir()) == []  # it has no name that a crash could leave behind


def test_one_byte_too_many_ends_it(tmp_path: Path) -> None:
    with Incoming(tmp_path, 5) as incoming:
        incoming.write(b"hello")
        with pytest.raises(Invalid, match="larger than 5 bytes") as caught:
            incoming.write(b"!")
        assert caught.value.code == "upload_large"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 kB"), (25 * kinds.MB, "25 MB"), (5 << 30, "5.0 GB")],
)
def test_sizes_are_said_as_people_read_them(number: int, words: str) -> None:
    assert kinds.size(number) == words
