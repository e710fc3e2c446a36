"""Signing certificates as an operator would bring them: from an authority of their own, the key where they keep it."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from avatar_scheduler.marks import chain

NAME = "Agency Grace"
YEAR = timedelta(days=365)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form, no = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, no)


@dataclass(frozen=True)
class Operator:
    folder: Path
    """`keys/credentials/<organization id>/`."""
    root: chain.Party
    root_certificate: x509.Certificate
    now: datetime

    @classmethod
    def at(cls, folder: Path, now: datetime) -> "Operator":
        root = chain.Party(chain.name_of(NAME, "root"), ec.generate_private_key(ec.SECP256R1()))
        made = chain.certify(root.name, root.key.public_key(), root, now, 10 * YEAR, path_length=1)
        folder.mkdir(parents=True)
        (folder / "root.pem").write_bytes(pem(made))
        return cls(folder, root, made, now)

    def certify(self, public: ec.EllipticCurvePublicKey, life: timedelta = YEAR) -> bytes:
        """Leaf and intermediate, PEM."""
        middle = chain.Party(chain.name_of(NAME, "intermediate"), ec.generate_private_key(ec.SECP256R1()))
        issuer = chain.certify(middle.name, middle.key.public_key(), self.root, self.now, 9 * YEAR, path_length=0)
        leaf = chain.certify(chain.name_of(NAME, NAME), public, middle, self.now, life, path_length=None)
        return pem(leaf) + pem(issuer)

    def hand_in(self, key: ec.EllipticCurvePrivateKey | None = None, life: timedelta = YEAR) -> Path:
        """A key with its certificates, in one file."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        path = self.folder / "signer.pem"
        path.write_bytes(key_pem(key) + self.certify(key.public_key(), life))
        path.chmod(0o600)
        return path

    def command(self, command: list[str], chain_pem: bytes, more: str = "") -> Path:
        (self.folder / "chain.pem").write_bytes(chain_pem)
        path = self.folder / "signer.toml"
        path.write_text(f"command = {json.dumps(command)}\n{more}\n")
        path.chmod(0o600)
        return path
