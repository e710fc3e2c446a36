"""A command that signs for us, so that the key stays in a token or a key service: signer.toml.

It gets the bytes to sign on standard input (with input = "digest" their hash) and gives the signature on standard
output, as DER or as r||s. Nothing of it is believed: each signature is checked against the certificate.
"""

import contextlib
import hashlib
import os
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.marks import ecdsa

FILE = "signer.toml"


@dataclass(frozen=True)
class Command:
    where: Path
    """Folder of signer.toml; the command runs in it."""
    command: list[str]
    chain: str = "chain.pem"
    input: str = "data"
    seconds: int = 10
    environment: dict[str, str] = field(default_factory=dict)

    def sign(self, data: bytes, leaf: x509.Certificate) -> bytes:
        """The signature as r||s, once it has been checked against `leaf`. Raises Refused."""
        hashed = ecdsa.hash_of(leaf)
        answer = self._run(hashlib.new(hashed.name, data).digest() if self.input == "digest" else data)
        key = leaf.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101  # hash_of saw to it
        for der in _readings(answer, leaf):
            with contextlib.suppress(InvalidSignature):
                key.verify(der, data, ec.ECDSA(hashed))
                return ecdsa.raw(der, leaf)
        raise self._refused(
            "gave no signature of the key in the certificate. Check that it names the right key and that "
            f"{self.chain} is its chain"
        )

    def _run(self, asked: bytes) -> bytes:
        environment = os.environ | self.environment
        try:
            done = subprocess.run(
                self.command, input=asked, capture_output=True, timeout=self.seconds, cwd=self.where, check=False,
                env=environment,
            )  # fmt: skip
        except subprocess.TimeoutExpired as why:
            raise self._refused(
                f"did not answer within {self.seconds} seconds. Look at the token or the key service, then render again"
            ) from why
        except OSError as why:
            raise self._refused(f"cannot be started: {why.strerror}") from why
        if done.returncode:
            said = " ".join(done.stderr[-400:].decode(errors="replace").split())
            raise self._refused(f"failed: {said or done.returncode}")
        return done.stdout

    def _refused(self, what: str) -> Refused:
        return Refused(f"Nothing was signed: the signing command {self.command[0]} {what}.", code="signer")


def read(where: Path) -> Command | None:
    """None when there is no signer.toml in the folder. Raises Refused for one nobody should run."""
    path = where / FILE
    if not path.exists():
        return None
    if path.stat().st_mode & 0o022:
        raise Refused(f"{path} can be changed by others. Run: chmod 600 {path}", code="signer")
    try:
        told = tomllib.loads(path.read_text())
    except (OSError, ValueError) as why:
        raise Refused(f"{path} cannot be read: {why}. Correct it, then render again.", code="signer") from why
    words, seconds = told.get("command"), told.get("seconds", 10)
    environment = told.get("environment", {})
    good = (
        set(told) <= {"command", "chain", "input", "seconds", "environment"}
        and isinstance(words, list)
        and words
        and isinstance(environment, dict)
        and all(isinstance(text, str) for text in [*words, told.get("chain", ""), *environment.values()])
        and told.get("input", "data") in ("data", "digest")
        and isinstance(seconds, int)
        and 1 <= seconds <= 60
    )
    if not good:
        raise Refused(
            f'{path} must say command = ["program", "argument"], and may say chain, input ("data" or "digest"), '
            "seconds (1 to 60) and [environment]. Correct it, then render again.",
            code="signer",
        )
    return Command(where, **told)


def _readings(answer: bytes, leaf: x509.Certificate) -> Iterator[bytes]:
    """As DER, whichever of the two forms it is in."""
    half = ecdsa.half(leaf)
    if len(answer) == 2 * half:
        yield encode_dss_signature(int.from_bytes(answer[:half]), int.from_bytes(answer[half:]))
    with contextlib.suppress(ValueError):
        yield encode_dss_signature(*decode_dss_signature(answer))
