"""Who signs Content Credentials for an organization: a key of this installation, one handed in, or one in a token.

`keys/credentials/` holds the installation's own chain (chain.py). `keys/credentials/<organization id>/` goes before it
when it is there, with `root.pem` (what its files are verified against; old roots may stay in it) and either

    signer.pem     private key, leaf, then the certificates between it and the root
    signer.toml    command = ["pkcs11-tool", ...] and chain.pem: the key stays in a token (signing_command.py)
"""

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.marks import ecdsa, signing_command
from avatar_scheduler.marks.signing_command import Command

Sign = Callable[[bytes], bytes]
"""Bytes to an ECDSA signature as r||s; raises Refused."""
WARN_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class Signer:
    sign: Sign
    leaf: x509.Certificate
    chain_pem: str
    """Leaf and intermediates, no root: what goes into the file."""
    root_pem: str

    @property
    def algorithm(self) -> str:
        return f"ES{ecdsa.bits(self.leaf)}"

    @property
    def provider(self) -> str:
        """The organization the certificate names, or whatever it names."""
        names = self.leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return str(names[0].value) if names else self.leaf.subject.rfc4514_string()

    @property
    def serial(self) -> str:
        return f"{self.leaf.serial_number:x}"


def place(folder: Path, organization: str = "") -> Path:
    """Where the certificates that sign for `organization` (an id) are. `folder` is `keys/credentials`."""
    own = folder / organization
    # an id is never a path: "..", "a/b" and "" stay with the installation's own chain
    return own if organization and own.parent == folder and organization != ".." and own.is_dir() else folder


def read_root(folder: Path, organization: str = "") -> str:
    """PEM that files of `organization` are verified against. Raises Refused when it is missing.

    The installation's own root stays in it: what was signed before an organization brought its own still holds.
    """
    where = place(folder, organization)
    return "".join(_read(each / "root.pem").decode().rstrip() + "\n" for each in dict.fromkeys((where, folder)))


def open_signer(folder: Path, at: datetime, organization: str = "") -> Signer:
    """Raises Refused when certificates are missing, not valid at that time, or do not belong together."""
    where = place(folder, organization)
    command, pem, chain, roots = _open(where)
    _check(chain, roots, at, where)
    leaf = chain[0]
    sign = partial(command.sign, leaf=leaf) if command else _by_key(pem, leaf, where)
    return Signer(sign, leaf, "".join(_pem(certificate) for certificate in chain), "".join(map(_pem, roots)))


def _open(where: Path) -> tuple[Command | None, bytes, list[x509.Certificate], list[x509.Certificate]]:
    """The command if there is one, what the chain was read from, the chain and the roots."""
    command = signing_command.read(where)
    pem = _read(where / (command.chain if command else "signer.pem"))
    return command, pem, _certificates(pem, where), _certificates(_read(where / "root.pem"), where)


@dataclass(frozen=True)
class Expiry:
    day: date
    """Of the certificate that ends first."""
    warning: str
    """One line for a person from 30 days before; empty until then."""


def expiry(folder: Path, now: datetime, organization: str = "") -> Expiry:
    """Raises Refused when there are no certificates to read."""
    where = place(folder, organization)
    _, _, chain, roots = _open(where)
    # of the roots the last to end, because old ones may stay
    ends = min(*(c.not_valid_after_utc for c in chain), max(root.not_valid_after_utc for root in roots))
    left = ends - now
    # our own leaf is renewed by itself before it warns; what warns there is a chain of ten years
    if left > WARN_BEFORE:
        return Expiry(ends.date(), "")
    when = f"ends on {ends.date()}, in {left.days} days" if left > timedelta() else f"ended on {ends.date()}"
    return Expiry(
        ends.date(), f"A signing certificate in {where} {when}. Put a new one there; nothing is signed after."
    )


def roots(folder: Path) -> str:
    """PEM of all roots here, the installation's own and each organization's: what a file of anybody here leads to."""
    found = [folder / "root.pem", *sorted(folder.glob("*/root.pem"))]
    return "".join(_read(path).decode().rstrip() + "\n" for path in found)


def _check(chain: list[x509.Certificate], roots: list[x509.Certificate], at: datetime, where: Path) -> None:
    for certificate in chain:
        if at > certificate.not_valid_after_utc:
            day = certificate.not_valid_after_utc.date()
            raise Refused(f"The signing certificate ended on {day}. Renew it, then sign again.", code="chain_expired")
        if at < certificate.not_valid_before_utc:
            day = certificate.not_valid_before_utc.date()
            raise Refused(f"The signing certificate starts on {day}. Check this machine's clock.", code="chain_expired")
    linked = all(_issued(certificate, issuer) for certificate, issuer in itertools.pairwise(chain))
    if not linked or not any(_issued(chain[-1], root) for root in roots):
        raise Refused(
            f"The certificates in {where} do not follow from one another. Put the leaf first, then its issuer, and so "
            "on up to the one that the root in root.pem issued.",
            code="signer",
        )
    ecdsa.bits(chain[0])


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _by_key(pem: bytes, leaf: x509.Certificate, where: Path) -> Sign:
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as why:
        raise Refused(
            f"{where / 'signer.pem'} holds no private key without a password. Put one before the certificates.",
            code="signer",
        ) from why
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != leaf.public_key():
        raise Refused(f"The key in {where / 'signer.pem'} is not that of its first certificate.", code="signer")
    algorithm = ec.ECDSA(ecdsa.hash_of(leaf))
    return lambda data: ecdsa.raw(key.sign(data, algorithm), leaf)


def _certificates(pem: bytes, where: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as why:
        raise Refused(f"The signing certificates in {where} cannot be read: {why}.", code="signer") from why


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            if path.name == "signer.pem" and os.fstat(file.fileno()).st_mode & 0o077:
                raise Refused(f"{path} can be read by others. Run: chmod 600 {path}", code="signer")
            return file.read()
    except OSError as problem:
        raise Refused(
            f"No signing certificate: {path} cannot be read ({problem.strerror}). Put it there, or set this "
            "installation up first.",
            code="chain_missing",
        ) from problem


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
