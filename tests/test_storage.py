"""Blobs: what is read is what was stored, or nothing."""

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from avatar_scheduler import storage
from avatar_scheduler.domain.errors import NotFound, Refused
from avatar_scheduler.storage import Blobs, file_sha256


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(os.urandom(3_000_000))
    return path


def files(blobs: Blobs) -> list[str]:
    return [path.name for path in blobs.folder.rglob("*") if path.is_file()]


def test_a_file_is_kept_under_its_hash_once(blobs: Blobs, source: Path) -> None:
    digest = blobs.put(source)
    assert digest == file_sha256(source) == blobs.put(source)
    assert blobs.verified(digest).read_bytes() == source.read_bytes()
    assert files(blobs) == [digest]


def test_one_flipped_bit_is_found(blobs: Blobs, source: Path) -> None:
    digest = blobs.put(source)
    data = bytearray(source.read_bytes())
    data[-1] ^= 1
    blobs.path(digest).write_bytes(data)
    with pytest.raises(Refused, match="was changed") as refused:
        blobs.verified(digest)
    assert refused.value.code == "blob_changed"


def test_a_swapped_file_is_found_and_a_missing_one_said(blobs: Blobs, source: Path, tmp_path: Path) -> None:
    digest = blobs.put(source)
    (tmp_path / "other").write_bytes(b"other")
    other = blobs.put(tmp_path / "other")
    blobs.path(digest).write_bytes(blobs.path(other).read_bytes())
    with pytest.raises(Refused, match="was changed"):
        blobs.verified(digest)
    blobs.path(other).unlink()
    with pytest.raises(Refused, match="is gone"):
        blobs.verified(other)


def test_storing_again_mends_a_damaged_file(blobs: Blobs, source: Path) -> None:
    digest = blobs.put(source)
    blobs.path(digest).write_bytes(b"rot")
    blobs.put(source)
    assert blobs.verified(digest).stat().st_size == 3_000_000


@pytest.mark.parametrize(
    "name",
    ["", "..", "../../etc/passwd", "/etc/passwd", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 64 + "\n", "\0" * 64],
)
def test_a_name_that_is_no_hash_reaches_no_file(blobs: Blobs, name: str) -> None:
    with pytest.raises(NotFound):
        blobs.path(name)
    with pytest.raises(NotFound):
        blobs.verified(name)


def test_a_full_disk_is_said_and_leaves_nothing(blobs: Blobs, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused, match="is full") as refused:
        blobs.put(source)
    assert refused.value.code == "disk_full"
    assert files(blobs) == []


def test_another_disk_error_is_not_called_full(blobs: Blobs, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        blobs.put(source)
    assert files(blobs) == []


def test_a_file_that_changes_while_it_is_copied_is_refused(
    blobs: Blobs, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = storage.file_sha256

    def then_change(path: Path) -> str:
        digest = hashed(path)
        path.write_bytes(b"something else")
        return digest

    monkeypatch.setattr(storage, "file_sha256", then_change)
    with pytest.raises(Refused, match="changed while it was copied"):
        blobs.put(source)
    assert files(blobs) == []


def test_eight_threads_store_the_same_file_at_once(blobs: Blobs, source: Path) -> None:
    start = threading.Barrier(8)

    def put() -> str:
        start.wait()
        return blobs.put(source)

    with ThreadPoolExecutor(8) as pool:
        stored = [pool.submit(put) for _ in range(8)]
    assert {one.result() for one in stored} == {file_sha256(source)}
    assert files(blobs) == [file_sha256(source)]
