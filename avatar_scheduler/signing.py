"""Ed25519 signatures, one key per purpose, and the purpose inside the signed bytes.

Either alone would do; together a signature for one purpose stays worthless for another even if a key file is copied.
"""

import base64
import binascii
import re
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from avatar_scheduler import keyfiles
from avatar_scheduler.domain.errors import Invalid

PURPOSE = re.compile(r"[a-z][a-z0-9_-]{0,31}")


def make_signing_key(folder: Path, purpose: str) -> str:
    """The public key as PEM; the pair is made on the first call and kept ever after."""
    private, public = _files(folder, purpose)
    if not (private.exists() and public.exists()):
        keyfiles.create(private, public, Ed25519PrivateKey.generate())
    return public.read_text("ascii")


def public_pem(folder: Path, purpose: str) -> str:
    """The public key of a pair that exists; nothing is made here."""
    _, public = _files(folder, purpose)
    try:
        return public.read_text("ascii")
    except FileNotFoundError:
        raise Invalid(f"{public} is missing. Restore it from a backup: nothing can be verified without it.") from None


def sign(folder: Path, purpose: str, payload: bytes) -> str:
    """Standard base64 of the 64-byte signature."""
    private, _ = _files(folder, purpose)
    key = keyfiles.load_private(private)
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid(f"{private} is not a signing key.")
    return base64.b64encode(key.sign(_bound(purpose, payload))).decode()


def verify(public_pem: str | bytes, purpose: str, payload: bytes, signature: str) -> bool:
    key = keyfiles.load_public(public_pem)
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid("This is not a key that checks signatures.")
    try:
        key.verify(base64.b64decode(signature, validate=True), _bound(purpose, payload))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _bound(purpose: str, payload: bytes) -> bytes:
    if not PURPOSE.fullmatch(purpose):
        raise Invalid(f"{purpose!r} is no purpose: lower-case letters, digits, - and _, 32 at most.")
    # the line break cannot occur in a purpose, so no purpose and payload run into those of another pair
    return f"avatar-scheduler signature v1\n{purpose}\n".encode() + payload


def _files(folder: Path, purpose: str) -> tuple[Path, Path]:
    if not PURPOSE.fullmatch(purpose):
        raise Invalid(f"{purpose!r} is no purpose: lower-case letters, digits, - and _, 32 at most.")
    return folder / f"sign-{purpose}.private.pem", folder / f"sign-{purpose}.public.pem"
