"""A push service and the browser behind it: it checks who sends, as RFC 8292 says, and decrypts, as RFC 8291 says."""

import base64
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey

AUTH = b"0123456789abcdef"


@dataclass(frozen=True)
class Received:
    text: str
    """As decrypted by the browser."""
    sealed: bytes
    headers: dict[str, str]
    """Names in lower case."""
    claims: dict[str, object]
    key: str
    """The sender's public key, whose signature was checked."""


@dataclass
class PushService:
    received: list[Received] = field(default_factory=list)
    status: int = 201
    url: str = ""
    browser: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def subscription(self) -> str:
        point = self.browser.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return json.dumps({
            "endpoint": f"{self.url}/send/abc", "expirationTime": None,
            "keys": {"p256dh": b64(point), "auth": b64(AUTH)},
        })  # fmt: skip

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        scheme, _, parts = headers["authorization"].partition(" ")
        said = dict(part.strip().split("=", 1) for part in parts.split(","))
        claims = jwt.decode(said["t"], _ec_key(said["k"]), algorithms=["ES256"]).claims
        if scheme != "vapid" or claims["aud"] != self.url:
            return 403
        if self.status < 300:
            text = http_ece.decrypt(body, private_key=self.browser, auth_secret=AUTH, version="aes128gcm").decode()
            self.received.append(Received(text, body, headers, claims, said["k"]))
        return self.status


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _ec_key(point: str) -> ECKey:
    raw = base64.urlsafe_b64decode(point + "==")
    return ECKey.import_key({"kty": "EC", "crv": "P-256", "x": b64(raw[1:33]), "y": b64(raw[33:])})


@contextlib.contextmanager
def push_service() -> Iterator[PushService]:
    service = PushService()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(service.take(body, {k.lower(): v for k, v in self.headers.items()}))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
