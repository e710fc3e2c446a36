"""Sealing of platform tokens: whoever holds the public key can seal, only the publish worker can open.

HPKE (RFC 9180) base mode, DHKEM(X25519, HKDF-SHA256), AES-256-GCM. What a token belongs to goes into the key schedule,
so a sealed text moved to another organization, channel or field does not open there.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from avatar_scheduler import keyfiles
from avatar_scheduler.domain.errors import Invalid, Refused

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
FORMAT = "v1"


@dataclass(frozen=True)
class Belongs:
    """What a secret is, and whose."""

    organization: str
    channel: str
    field: str

    def bound(self, key_id: str) -> bytes:
        return json.dumps(
            ["avatar-scheduler vault", FORMAT, key_id, self.organization, self.channel, self.field]
        ).encode()


def make_keys(folder: Path, name: str = "vault") -> tuple[Path, Path]:
    """The public and the private key file, made on the first call and kept ever after. Each worker has its own name."""
    public, private = folder / f"{name}.public.pem", folder / f"{name}.private.pem"
    if not (public.exists() and private.exists()):
        keyfiles.create(private, public, X25519PrivateKey.generate())
    return public, private


class Sealer:
    def __init__(self, public: Path) -> None:
        key = keyfiles.load_public(public)
        if not isinstance(key, X25519PublicKey):
            raise Invalid(f"{public} is not a sealing key.")
        self._key = key
        self.key_id = _key_id(key)

    def seal(self, secret: str, belongs: Belongs) -> str:
        sealed = SUITE.encrypt(secret.encode(), self._key, info=belongs.bound(self.key_id))
        return f"{FORMAT}.{self.key_id}.{base64.urlsafe_b64encode(sealed).decode()}"


class Opener:
    """Holds the present private key and, after a change of keys, the earlier ones."""

    def __init__(self, private: Path, earlier: Sequence[Path] = ()) -> None:
        self._keys: dict[str, X25519PrivateKey] = {}
        for path in (private, *earlier):
            key = keyfiles.load_private(path)
            if not isinstance(key, X25519PrivateKey):
                raise Invalid(f"{path} is not an opening key.")
            self._keys[_key_id(key.public_key())] = key

    def open(self, sealed: str, belongs: Belongs) -> str:
        form, _, rest = sealed.partition(".")
        key_id, _, text = rest.partition(".")
        if form != FORMAT or key_id not in self._keys:
            raise Refused("No key here opens these credentials. Reconnect the channel.", code="sealed")
        try:
            data = base64.b64decode(text, altchars=b"-_", validate=True)
            return SUITE.decrypt(data, self._keys[key_id], info=belongs.bound(key_id)).decode()
        except (InvalidTag, binascii.Error, UnicodeDecodeError) as why:
            raise Refused(
                "These credentials belong to another channel or were changed. Reconnect the channel.", code="sealed"
            ) from why


def _key_id(key: X25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]
