"""A time-stamp authority of our own (RFC 3161), on this machine: openssl does the stamping, over plain http.

Its certificates are made for the run. What it answers can be spoiled, and who asked what is kept.
"""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "Test Time Authority"
CONFIG = """
[tsa]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    def __init__(self, folder: Path, *, began: datetime | None = None) -> None:
        self.folder, self.root_pem = folder, ""
        self.asked: list[bytes] = []
        self.answer: bytes | None = None
        """Given instead of a stamp."""
        self.status = 200
        self.kind = "application/timestamp-reply"
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
        self._certify(began or datetime.now(UTC) - timedelta(days=3650))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/stamp"

    def stamp(self, query: bytes) -> bytes:
        openssl = shutil.which("openssl")
        assert openssl, "Install openssl."
        (self.folder / "query").write_bytes(query)
        files = {"-queryfile": "query", "-signer": "tsa.pem", "-inkey": "tsa.key", "-chain": "root.pem"}
        named = [part for flag, name in files.items() for part in (flag, str(self.folder / name))]
        config = ["-config", str(self.folder / "tsa.cnf"), "-section", "tsa"]
        command = [openssl, "ts", "-reply", *config, *named]
        return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout

    def _certify(self, began: datetime) -> None:
        root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, NAME), x509.NameAttribute(NameOID.COMMON_NAME, n)])
            for n in (f"{NAME} root", NAME)
        ]
        ends = datetime.now(UTC) + timedelta(days=3650)
        made = []
        for subject, key, ca in ((names[0], root, True), (names[1], leaf, False)):
            usage = x509.KeyUsage(
                digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, content_commitment=False,
                key_encipherment=False, data_encipherment=False, key_agreement=False,
                encipher_only=False, decipher_only=False,
            )  # fmt: skip
            builder = (
                x509.CertificateBuilder(names[0], subject, key.public_key(), x509.random_serial_number(), began, ends)
                .add_extension(x509.BasicConstraints(ca, None), critical=True)
                .add_extension(usage, critical=True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), critical=False)
            )
            if not ca:
                purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
                builder = builder.add_extension(purpose, critical=True)
            made.append(builder.sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        self.root_pem = made[0].decode()
        (self.folder / "root.pem").write_bytes(made[0])
        (self.folder / "tsa.pem").write_bytes(made[1])
        (self.folder / "tsa.key").write_bytes(
            leaf.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                authority.asked.append(query)
                body = authority.stamp(query) if authority.answer is None else authority.answer
                self.send_response(authority.status)
                self.send_header("Content-Type", authority.kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Authority]:
    authority = Authority(folder)
    thread = Thread(target=authority.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield authority
    finally:
        authority.server.shutdown()
        authority.server.server_close()
        thread.join()
