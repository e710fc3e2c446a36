"""The key of the hidden marks: one secret file per installation, and from it one key for each organization."""

import hmac
import os
import secrets
from pathlib import Path

from avatar_scheduler.domain.errors import Refused

FILE = "watermark.key"
LENGTH = 32
"""Bytes, of the secret and of the keys made from it."""


def make_key(folder: Path) -> None:
    """Made on the first call and kept ever after: films marked with a lost key lead nowhere."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".{FILE}.{secrets.token_hex(8)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(LENGTH))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, folder / FILE)  # a link never replaces: of two processes at once one wins
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def key_of(folder: Path, organization: str) -> bytes:
    """The organization's own key. Raises Refused when the installation's secret is missing, cut short or readable by
    others: what it marked could not be told from what anybody marked."""
    path = folder / FILE
    try:
        with path.open("rb") as file:
            open_to_others = os.fstat(file.fileno()).st_mode & 0o077
            master = file.read(LENGTH + 1)
    except OSError as problem:
        raise _refused(
            f"{path} cannot be read: {problem.strerror}. Restore it from your backup, or run init."
        ) from None
    if open_to_others:
        raise _refused(f"{path} can be read by others. Run: chmod 600 {path}")
    if len(master) != LENGTH:
        raise _refused(f"{path} does not hold {LENGTH} bytes. Restore it from your backup.")
    return hmac.digest(master, b"avatar-scheduler watermark v1\n" + organization.encode(), "sha256")


def _refused(why: str) -> Refused:
    return Refused(f"No hidden mark can be made or read. {why}", code="watermark_key")
