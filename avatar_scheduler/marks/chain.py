"""The installation's own signing certificates: root -> intermediate -> leaf.

Files: root.pem (public: what others verify against), issuer.pem (intermediate with its key), signer.pem (leaf with its
key, then the intermediate's certificate). Each pair shares one file, so a renewal replaces it whole or not at all.
"""

import os
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

from avatar_scheduler.domain.errors import Refused

CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
"""c2pa-kp-claimSigning, the purpose C2PA 2.x asks for."""
PURPOSES = (CLAIM_SIGNING, ObjectIdentifier("1.3.6.1.5.5.7.3.36"), ObjectIdentifier("1.3.6.1.5.5.7.3.4"))
"""Of a certificate that may sign claims: also document signing and e-mail protection, which C2PA 1.x asked for."""
ROOT_LIFE = timedelta(days=3652)
LEAF_LIFE = timedelta(days=730)
RENEW_BEFORE = timedelta(days=30)
CLOCK_SKEW = timedelta(days=1)

Key = ec.EllipticCurvePrivateKey
PublicKey = ec.EllipticCurvePublicKey


class Party(NamedTuple):
    name: x509.Name
    key: Key


def make_chain(folder: Path, organization: str, now: datetime) -> None:
    """Makes the certificates once; afterwards only renews the leaf, from 30 days before it ends.

    The root's key is never written down: nobody can issue in this installation's name but its own intermediate.
    """
    if folder.is_dir() and any(folder.iterdir()):
        _renew_leaf(folder, now)
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))  # 0700
    try:
        root = Party(name_of(organization, "Avatar Scheduler root"), _new_key())
        issuer = Party(name_of(organization, "Avatar Scheduler intermediate"), _new_key())
        issuer_certificate = certify(issuer.name, issuer.key.public_key(), root, now, ROOT_LIFE, path_length=0)
        root_certificate = certify(root.name, root.key.public_key(), root, now, ROOT_LIFE, path_length=1)
        _write(fresh / "root.pem", _pem(root_certificate))
        _write(fresh / "issuer.pem", _key_pem(issuer.key) + _pem(issuer_certificate))
        _write(fresh / "signer.pem", _new_leaf(issuer_certificate, issuer.key, now))
        fresh.rename(folder)
    except OSError:
        # Another process was faster: its chain is as good as ours.
        if not (folder / "signer.pem").exists():
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _renew_leaf(folder: Path, now: datetime) -> None:
    leaf = x509.load_pem_x509_certificates(_read(folder / "signer.pem"))[0]
    if now + RENEW_BEFORE < leaf.not_valid_after_utc:
        return
    pem = _read(folder / "issuer.pem")
    issuer = x509.load_pem_x509_certificate(pem)
    if now + RENEW_BEFORE > issuer.not_valid_after_utc:
        raise Refused(
            f"The signing certificates in {folder} have reached their end. Move that folder away and make new ones.",
            code="chain_expired",
        )
    fresh = folder / "signer.pem.new"
    fresh.unlink(missing_ok=True)
    _write(fresh, _new_leaf(issuer, _load_key(pem), now))
    fresh.replace(folder / "signer.pem")


def _new_leaf(issuer: x509.Certificate, issuer_key: Key, now: datetime) -> bytes:
    organization = str(issuer.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value)
    key = _new_key()
    life = min(LEAF_LIFE, issuer.not_valid_after_utc - now)
    name, party = name_of(organization, organization), Party(issuer.subject, issuer_key)
    certificate = certify(name, key.public_key(), party, now, life, path_length=None)
    return _key_pem(key) + _pem(certificate) + _pem(issuer)


def certify(
    name: x509.Name, public: PublicKey, issuer: Party, now: datetime, life: timedelta, *, path_length: int | None
) -> x509.Certificate:
    """A certificate authority, or a leaf when `path_length` is None. The profile C2PA validators accept."""
    is_ca = path_length is not None
    usage = x509.KeyUsage(
        digital_signature=not is_ca, key_cert_sign=is_ca, crl_sign=is_ca, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder(issuer.name, name, public, x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.BasicConstraints(is_ca, path_length), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    if not is_ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage([CLAIM_SIGNING]), critical=False)
    return builder.sign(issuer.key, hashes.SHA256())


def name_of(organization: str, common: str) -> x509.Name:
    """X.509 allows 64 characters in each part."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, common[:64]),
        ]
    )


def _new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def _load_key(pem: bytes) -> Key:
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101  # we wrote it
    return key


def _key_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise Refused(
            f"No signing certificate in {path.parent} ({problem.strerror}). Set this installation up first.",
            code="chain_missing",
        ) from problem


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
