"""A picture service on loopback, as most of them answer: POST /v1/images/generations."""

import base64
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

KEY = "key-of-the-studio"


def png(color: tuple[int, int, int] = (20, 160, 90), size: tuple[int, int] = (256, 256)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


class Pictures:
    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        """The bill: every call that was carried out."""
        self.picture = png()
        self.as_url = False
        self.answer: tuple[int, bytes] | None = None
        """What to say instead."""
        self.keys_seen_at_store: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply(self, body: bytes, key: str) -> tuple[int, bytes]:
        if key != f"Bearer {KEY}":
            return 401, b'{"error": {"message": "Incorrect API key provided."}}'
        if self.answer:
            return self.answer
        self.asked.append(json.loads(body))
        if self.as_url:
            return 200, json.dumps({"data": [{"url": self.url.replace("/v1", "/store/1.png")}]}).encode()
        return 200, json.dumps({"data": [{"b64_json": base64.b64encode(self.picture).decode()}]}).encode()


@contextmanager
def serving() -> Iterator[Pictures]:
    service = Pictures()
    try:
        yield service
    finally:
        service.close()


def _handler(service: Pictures) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            there = self.path == "/v1/images/generations"
            self._say(*(service.reply(body, self.headers.get("Authorization", "")) if there else (404, b"{}")))

        def do_GET(self) -> None:
            service.keys_seen_at_store.append(self.headers.get("Authorization", ""))
            self._say(200 if self.path == "/store/1.png" else 404, service.picture)

        def _say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
