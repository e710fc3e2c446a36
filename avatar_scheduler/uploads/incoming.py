"""A file on its way in: counted and hashed as it comes, on disk but without a name, so that no crash leaves it."""

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from avatar_scheduler.domain.errors import Invalid, NotFound, Refused
from avatar_scheduler.uploads import kinds

_CHUNK = 1 << 20


class Incoming:
    def __init__(self, folder: Path, most_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (closed in __exit__)
        self.most_bytes = most_bytes
        self.size = 0
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self.most_bytes:
            raise too_large(self.most_bytes)
        self._hash.update(chunk)
        try:
            self.file.write(chunk)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise Refused(
                    "The disk is full. Free some space, then try again; nothing was kept.", code="disk_full"
                ) from None
            raise


def too_large(most_bytes: int) -> Invalid:
    return Invalid(f"The file is larger than {kinds.size(most_bytes)}. Bring a smaller one.", code="upload_large")


@contextmanager
def from_path(path: Path, folder: Path, most_bytes: int) -> Iterator[Incoming]:
    """A copy: what is opened later is what was hashed, whatever happens to the file meanwhile."""
    with os.fdopen(_descriptor(path), "rb") as source, Incoming(folder, most_bytes) as incoming:
        while chunk := source.read(_CHUNK):
            incoming.write(chunk)
        yield incoming


def _descriptor(path: Path) -> int:
    """Of an ordinary file. A pipe is not waited for, a link is not followed."""
    try:
        found = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Invalid(f"{path.name} is a link. Name the file itself.", code="upload_link") from None
        if error.errno == errno.ENOENT:
            raise NotFound(f"There is no file {path}.", code="upload_missing") from None
        raise Invalid(f"{path.name} cannot be read: {error.strerror}.", code="upload_unreadable") from None
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise Invalid(f"{path.name} is not a file but {_what(path)}. Name a file.", code="upload_no_file")
    return found


def _what(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    return "a pipe" if path.is_fifo() else "a device"
