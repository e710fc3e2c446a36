"""Blobs by hash in a folder. A name is the SHA-256 of the bytes, so a swapped or damaged file is found on reading."""

import contextlib
import errno
import hashlib
import os
import re
from pathlib import Path
from uuid import uuid4

from avatar_scheduler.domain.errors import NotFound, Refused

_HASH = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(source: Path, target: Path) -> str:
    """SHA-256 of the bytes that were written, which need not be those of an earlier look."""
    hashed = hashlib.sha256()
    with source.open("rb") as src, target.open("xb") as dst:
        while chunk := src.read(_CHUNK):
            hashed.update(chunk)
            dst.write(chunk)
        dst.flush()
        os.fsync(dst.fileno())
    return hashed.hexdigest()


class Blobs:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """Where it is, unread: for serving to people. What leaves for a platform goes through `verified`."""
        if not _HASH.fullmatch(sha256):
            raise NotFound("There is no such file.")
        return self.folder / sha256[:2] / sha256

    def put(self, source: Path) -> str:
        """Copies the file in and returns its hash. A crash leaves at most a temporary file, never half a blob."""
        digest = file_sha256(source)
        target = self.path(digest)
        if target.exists() and file_sha256(target) == digest:
            return digest
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{digest}.{uuid4().hex}.part")
        try:
            if _copy(source, part) != digest:
                raise Refused(f"{source.name} changed while it was copied. Render the post again.", code="blob_changed")
            part.replace(target)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise Refused(
                    f"The disk of {self.folder} is full. Free some space, then try again; nothing was kept.",
                    code="disk_full",
                ) from None
            raise
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        return digest

    def verified(self, sha256: str) -> Path:
        """The file, after hashing it again. Raises Refused when the bytes are no longer the ones that were stored."""
        path = self.path(sha256)
        if not path.is_file():
            raise Refused(f"The stored file {sha256[:12]} is gone. Render the post again.", code="blob_missing")
        found = file_sha256(path)
        if found != sha256:
            raise Refused(
                f"The stored file {sha256[:12]} was changed: it now hashes to {found[:12]}. Render the post again.",
                code="blob_changed",
            )
        return path
