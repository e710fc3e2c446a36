"""Who signs Content Credentials for an organization: a key of this installation, one handed in, or one in a token.

`keys/credentials/` holds the installation's own chain (chain.py). `keys/credentials/<organization id>/` goes before it
when it is there, with `root.pem` (what its files are verified against) and either

    signer.pem     private key, leaf, then the certificates between it and the root
    signer.toml    command = ["pkcs11-tool", ...], chain = "chain.pem": the key stays in a token or a key service

The command gets the bytes to sign on standard input (with input = "digest" their hash) and gives the signature on
standard output, as DER or as r||s. Nothing of it is believed: each signature is checked against the leaf.
"""

import contextlib
import hashlib
import itertools
import os
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.x509.oid import NameOID

from avatar_scheduler.domain.errors import Refused

Sign = Callable[[bytes], bytes]
"""Bytes to an ECDSA signature as r||s; raises Refused."""
COMMAND_SECONDS = 10
WARN_BEFORE = timedelta(days=30)
HASHES: dict[int, hashes.SHA256 | hashes.SHA384] = {256: hashes.SHA256(), 384: hashes.SHA384()}
"""By size of the curve: ES256 and ES384."""


@dataclass(frozen=True)
class Signer:
    sign: Sign
    leaf: x509.Certificate
    chain_pem: str
    """Leaf and intermediates, no root: what goes into the file."""
    root_pem: str

    @property
    def algorithm(self) -> str:
        return f"ES{_curve(self.leaf).key_size}"

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
    """PEM that files of `organization` are verified against. Raises Refused when it is missing."""
    return _read(place(folder, organization) / "root.pem").decode()


def open_signer(folder: Path, at: datetime, organization: str = "") -> Signer:
    """Raises Refused when certificates are missing, not valid at that time, or do not belong together."""
    where = place(folder, organization)
    settings = _settings(where)
    pem = _read(where / (str(settings["chain"]) if settings else "signer.pem"))
    chain, root_pem = _certificates(pem, where), read_root(folder, organization)
    _check(chain, _certificates(root_pem.encode(), where), at, where)
    leaf = chain[0]
    sign = _by_command(settings, leaf, where) if settings else _by_key(pem, leaf, where)
    return Signer(sign, leaf, "".join(_pem(certificate) for certificate in chain), root_pem)


@dataclass(frozen=True)
class Expiry:
    day: date
    """Of the certificate that ends first."""
    warning: str
    """One line for a person from 30 days before; empty until then."""


def expiry(folder: Path, now: datetime, organization: str = "") -> Expiry:
    """Raises Refused when there are no certificates to read."""
    where = place(folder, organization)
    settings = _settings(where)
    chain = _certificates(_read(where / (str(settings["chain"]) if settings else "signer.pem")), where)
    ends = min(c.not_valid_after_utc for c in [*chain, *_certificates(_read(where / "root.pem"), where)])
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


def _settings(where: Path) -> dict[str, Any]:
    """Of signer.toml; empty when the key is in signer.pem."""
    path = where / "signer.toml"
    if not path.exists():
        return {}
    if path.stat().st_mode & 0o022:
        raise Refused(f"{path} can be changed by others. Run: chmod 600 {path}", code="signer")
    try:
        told = tomllib.loads(path.read_text())
    except (OSError, ValueError) as why:
        raise Refused(f"{path} cannot be read: {why}. Correct it, then render again.", code="signer") from why
    settings = {"chain": "chain.pem", "input": "data", "seconds": COMMAND_SECONDS, "environment": {}} | told
    command, seconds = settings.get("command"), settings["seconds"]
    good = (
        isinstance(command, list)
        and command
        and all(isinstance(part, str) for part in [*command, settings["chain"]])
        and settings["input"] in ("data", "digest")
        and isinstance(seconds, int)
        and 1 <= seconds <= 60
        and isinstance(settings["environment"], dict)
        and all(isinstance(value, str) for value in settings["environment"].values())
        and set(settings) == {"command", "chain", "input", "seconds", "environment"}
    )
    if not good:
        raise Refused(
            f'{path} must say command = ["program", "argument"], and may say chain, input ("data" or "digest"), '
            "seconds (1 to 60) and [environment]. Correct it, then render again.",
            code="signer",
        )
    return settings


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
    _curve(chain[0])


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
    algorithm = HASHES[_curve(leaf).key_size]
    return lambda data: _raw(key.sign(data, ec.ECDSA(algorithm)), leaf)


def _by_command(settings: dict[str, Any], leaf: x509.Certificate, where: Path) -> Sign:
    algorithm = HASHES[_curve(leaf).key_size]
    program, seconds = settings["command"][0], settings["seconds"]

    def sign(data: bytes) -> bytes:
        asked = hashlib.new(algorithm.name, data).digest() if settings["input"] == "digest" else data
        try:
            done = subprocess.run(
                settings["command"], input=asked, capture_output=True, timeout=seconds, cwd=where, check=False,
                env=os.environ | settings["environment"],
            )  # fmt: skip
        except subprocess.TimeoutExpired as why:
            raise _late(program, seconds) from why
        except OSError as why:
            raise Refused(f"The signing command {program} cannot be started: {why.strerror}.", code="signer") from why
        if done.returncode:
            said = " ".join(done.stderr[-400:].decode(errors="replace").split())
            raise Refused(f"The signing command {program} failed: {said or done.returncode}.", code="signer")
        return _believed(done.stdout, data, leaf, program)

    return sign


def _late(program: str, seconds: int) -> Refused:
    return Refused(
        f"The signing command {program} did not answer within {seconds} seconds. Nothing was signed. Look at the token "
        "or the key service, then render again.",
        code="signer",
    )


def _believed(answer: bytes, data: bytes, leaf: x509.Certificate, program: str) -> bytes:
    """The answer as r||s, once it has been checked against the leaf."""
    key, algorithm = leaf.public_key(), HASHES[_curve(leaf).key_size]
    assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101  # _curve saw to it
    for der in _readings(answer, leaf):
        with contextlib.suppress(InvalidSignature):
            key.verify(der, data, ec.ECDSA(algorithm))
            return _raw(der, leaf)
    raise Refused(
        f"The signing command {program} gave no signature of the key in the certificate. Nothing was signed. "
        "Check that it names the right key and that chain.pem is its chain.",
        code="signer",
    )


def _readings(answer: bytes, leaf: x509.Certificate) -> Iterator[bytes]:
    """As DER, whichever of the two forms it is in."""
    half = _half(leaf)
    if len(answer) == 2 * half:
        yield encode_dss_signature(int.from_bytes(answer[:half]), int.from_bytes(answer[half:]))
    with contextlib.suppress(ValueError):
        yield encode_dss_signature(*decode_dss_signature(answer))


def _raw(der: bytes, leaf: x509.Certificate) -> bytes:
    return b"".join(number.to_bytes(_half(leaf)) for number in decode_dss_signature(der))


def _half(leaf: x509.Certificate) -> int:
    return _curve(leaf).key_size // 8


def _curve(leaf: x509.Certificate) -> ec.EllipticCurve:
    key = leaf.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.key_size not in HASHES:
        raise Refused("The signing certificate must be for an ECDSA key on P-256 or P-384.", code="signer")
    return key.curve


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
