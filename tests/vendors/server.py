"""What the simulated vendors share: a real HTTP server on loopback, a ledger of what was bought, faults on order."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, TypeVar

KEY = "key-of-the-studio"
Answer = tuple[int, Any]
"""Status, and JSON or bytes."""


@dataclass(frozen=True)
class Fault:
    method: str
    path: str
    """How it begins."""
    status: int = 0
    """0: the connection is dropped without an answer."""
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False
    """Only once the call was carried out."""
    hang: bool = False


@dataclass
class Job:
    id: str
    key: str
    title: str
    body: dict[str, Any]
    created_at: datetime
    looks: int = 0
    deleted: bool = False


class Vendor:
    """`stages` are the vendor's own words for how far a job is; each look moves one on, and the last one stays."""

    stages: Sequence[str]
    needs: ClassVar[dict[str, str]]
    """What our avatar is known by there."""
    create: str
    """Where things are bought."""
    status: str

    def __init__(self, film: bytes) -> None:
        self.film = film
        self.jobs: dict[str, Job] = {}
        self.bought: list[str] = []
        """Our key of every call that was accepted, in order: the bill."""
        self.said: list[tuple[str, str]] = []
        self.hooks: list[str] = []
        """Addresses we were given."""
        self.faults: list[Fault] = []
        self.reason = ""
        self.cut = 0
        """How many of the next downloads lack their end."""
        self.expired = 0
        """How many of the next download addresses are too old already."""
        self.credits = 1000
        self.page = 100
        self.oldest_first = False
        self.stages = type(self).stages
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def next(self, method: str, path: str, **more: Any) -> None:
        self.faults.append(Fault(method, path, **more))

    def calls(self, method: str, path: str) -> int:
        return sum(said == method and where.startswith(path) for said, where in self.said)

    def buy(self, key: str, title: str, body: dict[str, Any]) -> Job:
        job = Job(f"job-{len(self.jobs) + 1}", key, title, body, datetime.now(UTC))
        self.jobs[job.id] = job
        self.bought.append(key)
        self.credits -= 1
        return job

    def stage(self, job: Job) -> str:
        """And one look further."""
        now = self.stages[min(job.looks, len(self.stages) - 1)]
        job.looks += 1
        return now

    def listed(self, path: str) -> tuple[list[Job], str]:
        """One page, and the token of the next."""
        start = int(path.rpartition("token=")[2]) if "token=" in path else 0
        if "offset=" in path:
            start = int(path.rpartition("offset=")[2])
        jobs = [job for job in self.jobs.values() if not job.deleted]
        jobs = jobs if self.oldest_first else jobs[::-1]
        end = start + self.page
        return jobs[start:end], str(end) if end < len(jobs) else ""

    def media(self, job: Job) -> str:
        """A passing address, a new one each time it is asked for."""
        return f"{self.url}/media/{job.id}-{job.looks}.mp4"

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Answer:
        raise NotImplementedError

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Answer:
        if path.startswith("/media/"):
            if self.expired:
                self.expired -= 1
                return 403, b"<Error><Code>AccessDenied</Code></Error>"
            if self.cut:
                self.cut -= 1
                return 200, self.film[: len(self.film) * 2 // 3]
            return 200, self.film
        return self.answer(method, path, headers, body)


def _handler(vendor: Vendor) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Quiet."""

        def _serve(self) -> None:
            data = self.rfile.read(int(self.headers.get("content-length") or 0))
            vendor.said.append((self.command, self.path))
            fault = next((f for f in vendor.faults if f.method == self.command and self.path.startswith(f.path)), None)
            if fault:
                vendor.faults.remove(fault)
            if fault is None or fault.after:
                given = {k.lower(): v for k, v in self.headers.items()}
                status, body = vendor.handle(self.command, self.path, given, json.loads(data or b"{}"))
            if fault and fault.hang:
                vendor.released.wait(20)
                return
            if fault and not fault.status:
                return
            if fault:
                status, body = fault.status, fault.body
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**(fault.headers if fault else {}), "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815

    return Handler


Made = TypeVar("Made", bound=Vendor)


@contextmanager
def running(kind: type[Made], film: bytes) -> Iterator[Made]:
    vendor = kind(film)
    try:
        yield vendor
    finally:
        vendor.close()
