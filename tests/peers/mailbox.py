"""A mail server of our own on this machine: it insists on encryption and a password, and keeps what it took."""

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "scheduler", "onions & patience"


@dataclass
class Mailbox:
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    """Of every letter taken, in order: the ledger."""
    refuse: str = ""
    """Answered instead of taking a letter, such as "451 Later"."""
    after: Any = None
    """Called once a letter was taken and before that is answered."""
    url: str = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refuse:
            return self.refuse
        content = envelope.content
        raw = content if isinstance(content, bytes) else str(content).encode()
        letter = message_from_bytes(raw, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.recipients += envelope.rcpt_tos
        if self.after is not None:
            self.after()
        return "250 Taken"


def _known(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)


class _AnyPort(Controller):
    """aiosmtpd asks the port it was told whether it is open; ours is the one the system chose."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def mailbox(folder: Path, host: str = "127.0.0.1", *, encrypted: bool = True) -> Iterator[Mailbox]:
    box = Mailbox()
    context = certified(folder, host) if encrypted else None
    controller = _AnyPort(
        box, hostname=host, port=0, tls_context=context, require_starttls=encrypted, authenticator=_known,
        auth_required=encrypted, auth_require_tls=encrypted, auth_exclude_mechanism=["LOGIN"],
    )  # fmt: skip
    controller.start()
    try:
        port = controller.port
        box.url = f"smtp://{USER}:onions%20%26%20patience@{host}:{port}" if encrypted else f"smtp://{host}:{port}"
        yield box
    finally:
        controller.stop()


def certified(folder: Path, host: str) -> ssl.SSLContext:
    """Signed by itself, so that nobody who checks would believe it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / f"{host}.pem"
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(key.private_bytes(*plain) + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
