"""Showing a stranger's file to a reader: what the reader can still do, and what never reaches it."""

import io
import tempfile
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.uploads import sandbox
from tests.uploads import good

MB = 2**20


def view(content: bytes, opener: str, reader: str = "escaping", told: bytes = b"") -> dict[str, Any]:
    with (
        tempfile.TemporaryFile() as source,
        tempfile.TemporaryFile() as small,
        Path("/dev/null").open("r+b", buffering=0) as nothing,
    ):
        for file, data in ((source, content), (small, told)):
            file.write(data)
            file.flush()
            file.seek(0)
        return sandbox.run(
            "view", cast("BinaryIO", source), cast("BinaryIO", nothing), cast("BinaryIO", small),
            {"reader": f"tests.uploads.readers:{reader}", "opener": opener}, wall_seconds=60, written_bytes=MB,
        )  # fmt: skip


def test_a_reader_can_do_nothing_but_look() -> None:
    assert view(good.picture("PNG"), "PNG")["worked"] == []


def test_beside_a_thread_it_does_not_start() -> None:
    """The filter holds the thread that asks for it, and no other."""
    with pytest.raises(Refused, match="started a thread"):
        view(good.picture("PNG"), "PNG", "in_company")


def test_pixels_and_a_question_are_all_the_second_one_gets() -> None:
    told = view(b"\0" * 100, "", told=b"question")
    assert (told["bytes"], told["told"]) == (100, "question")


@pytest.mark.parametrize(
    ("content", "opener"),
    [
        (b"\x89PNG\r\n\x1a\n cut", "PNG"),
        (good.picture("PNG"), "JPEG"),
        (b"\0\0\0\x18ftypmp42 cut", "mov"),
        (good.picture("PNG", good.scene(8, 8)), "PNG"),
    ],
)
def test_what_cannot_be_opened_is_not_shown(content: bytes, opener: str) -> None:
    with pytest.raises(Invalid):
        view(content, opener)


def test_a_film_without_a_picture_is_not_shown() -> None:
    sound = good.sound("mp4", "aac")
    assert io.BytesIO(sound).read(8)[4:] == b"ftyp"
    with pytest.raises(Invalid):
        view(sound, "mov")
