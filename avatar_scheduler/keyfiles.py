"""Private keys on disk: written whole or not at all, once, readable by their owner alone."""

import os
import tempfile
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from avatar_scheduler.domain.errors import Invalid


def create(private: Path, public: Path, key: X25519PrivateKey | Ed25519PrivateKey | EllipticCurvePrivateKey) -> None:
    """Keeps a key that is already there: of two processes at once one wins, and both go on with its key."""
    private.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    draft = _draft(private.parent, pem)
    try:
        # a link never replaces, so neither a half-written nor a second key can stand under the final name
        os.link(draft, private)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    standing = (
        load_private(private)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    _draft(private.parent, standing, 0o644).replace(public)


def load_private(path: Path) -> PrivateKeyTypes:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise Invalid(f"{path} can be read by others. Run: chmod 600 {path}")
            return serialization.load_pem_private_key(file.read(), password=None)
    except OSError as why:
        raise Invalid(f"The key {path} cannot be read: {why.strerror}. Run the set-up again as its owner.") from why
    except (ValueError, TypeError, UnsupportedAlgorithm) as why:
        raise Invalid(f"{path} holds no private key. Restore it from your backup.") from why


def load_public(source: Path | str | bytes) -> PublicKeyTypes:
    """From a file, or from PEM text."""
    try:
        pem = source.read_bytes() if isinstance(source, Path) else source
        return serialization.load_pem_public_key(pem.encode() if isinstance(pem, str) else pem)
    except OSError as why:
        raise Invalid(f"The key {source!s} cannot be read: {why.strerror}. Run the set-up again.") from why
    except (ValueError, UnsupportedAlgorithm) as why:
        raise Invalid("This is no public key in PEM form.") from why


def _draft(folder: Path, data: bytes, mode: int = 0o600) -> Path:
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".key-")  # O_EXCL, 0600
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    return Path(name)
