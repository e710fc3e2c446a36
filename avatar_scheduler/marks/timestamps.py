"""An RFC 3161 time stamp on a signature, so that it outlives its certificate.

c2pa fetches stamps with an HTTP client of its own, which asks nobody where it may go. So it is sent to a relay on
127.0.0.1 that lives for one signature, and the relay asks the authority through the product's one outbound client.
Of the authority only the stamp is believed, and only under `timestamp-roots.pem`, which lies beside the certificates.
"""

import contextlib
import os
import secrets
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer
from threading import Thread

from avatar_scheduler.domain.errors import OutcomeUnknown, Refused
from avatar_scheduler.outbound import Outbound

ROOTS = "timestamp-roots.pem"
SECONDS = 15.0
"""For one stamp, whole."""
LOCAL_SECONDS = 5.0
QUERY_BYTES = 4096
ANSWER_BYTES = 64 * 1024
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
PROXIES = ("ALL_PROXY", "HTTP_PROXY", "all_proxy", "http_proxy")


def read_roots(folder: Path) -> str:
    """PEM of the roots under which stamps are believed; empty when there are none. `folder` is `keys/credentials`."""
    path = folder / ROOTS
    try:
        return path.read_text() if path.exists() else ""
    except (OSError, ValueError) as why:
        raise Refused(
            f"{path} cannot be read: {why}. Put the authority's root certificate there.", code="timestamp"
        ) from why


def demand_roots(folder: Path) -> str:
    """Raises Refused when there are none: a stamp nobody believes is no stamp."""
    roots = read_roots(folder)
    if not roots:
        raise Refused(
            f"A time-stamp authority is set, but {folder / ROOTS} is missing. Put the authority's root certificate "
            "there (PEM), or empty AVATAR_SCHEDULER_TIMESTAMP_AUTHORITY.",
            code="timestamp",
        )
    return roots


def failed(why: str) -> Refused:
    return Refused(
        f"The time-stamp authority gave no stamp: {why.rstrip('.')}. Nothing was signed. Render it again later, or "
        "choose another authority.",
        code="timestamp",
    )


@contextlib.contextmanager
def relay(authority: str, outbound: Outbound) -> Iterator["Relay"]:
    """c2pa is sent there; afterwards it says what went wrong on the way."""
    _past_proxies()
    server = Relay(authority, outbound)
    thread = Thread(target=server.answer_until_closed, name="timestamp relay", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(SECONDS + LOCAL_SECONDS)


class Relay(TCPServer):
    def __init__(self, authority: str, outbound: Outbound) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.authority, self.outbound = authority, outbound
        # others on this machine see the port, not the path
        self.path = f"/{secrets.token_urlsafe(16)}"
        self.open = True
        self.refused: Refused | None = None
        """What went wrong between the authority and us."""
        self.answered = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{self.path}"

    def answer_until_closed(self) -> None:
        while self.open:
            self.handle_request()

    def close(self) -> None:
        self.open = False
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread at once
        self.server_close()

    def stamp(self, query: bytes) -> bytes | None:
        headers = {"Content-Type": QUERY, "Accept": REPLY}
        try:
            reply = self.outbound.call(
                "POST", self.authority, seconds=SECONDS, headers=headers, content=query, answer_bytes=ANSWER_BYTES
            )
        except (Refused, OutcomeUnknown) as why:
            self.refused = failed(why.message)
            return None
        if reply.status != 200 or reply.headers.get("content-type", "").partition(";")[0].strip() != REPLY:
            self.refused = failed(f"it answered {reply.status} with something that is no stamp")
            return None
        self.answered = True
        return reply.body

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever hung up sees no stamp, which is said where the signature fails."""


class _Handler(BaseHTTPRequestHandler):
    server: Relay
    timeout = LOCAL_SECONDS

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        asked = self.path == self.server.path and length.isascii() and length.isdigit() and int(length) <= QUERY_BYTES
        stamp = self.server.stamp(self.rfile.read(int(length))) if asked else None
        self.send_response(502 if stamp is None else 200)
        self.send_header("Content-Type", REPLY)
        self.send_header("Content-Length", str(len(stamp or b"")))
        self.end_headers()
        self.wfile.write(stamp or b"")

    def log_message(self, *_: object) -> None:
        """The caller says what went wrong."""


def _past_proxies() -> None:
    """c2pa's client obeys these variables, and no proxy can reach this machine's own loopback for us."""
    if any(os.environ.get(name) for name in PROXIES):
        for name in ("NO_PROXY", "no_proxy"):
            hosts = [host for host in os.environ.get(name, "").split(",") if host]
            if "127.0.0.1" not in hosts:
                os.environ[name] = ",".join([*hosts, "127.0.0.1"])
