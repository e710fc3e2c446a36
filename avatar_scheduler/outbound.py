"""The only way out: one HTTP client that decides at the socket whom it talks to.

The addresses behind a name are looked at once and the connection is made to one of those, so a name that resolves
differently a moment later changes nothing. One call is one connection, so a stale kept-alive socket can never turn a
plain failure into a sent-or-not question.

    Refused(code="address")    a forbidden scheme, host, port or address; no byte left
    Refused(code="not_sent")   nobody opened the door; no byte of the request left
    OutcomeUnknown             the request began, the answer did not arrive whole
"""

import functools
import ipaddress
import json
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httpcore
import httpx

from avatar_scheduler import __version__
from avatar_scheduler.domain.errors import Invalid, OutcomeUnknown, Refused

USER_AGENT = f"avatar-scheduler/{__version__}"
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
ANSWER_BYTES = 1024 * 1024

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""Host and port to the numeric addresses a connection would try, in order."""

# Written out because `is_global` changed its mind between Python releases (6to4, benchmarking, shared address space).
NOT_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(n)
    for n in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
# IANA has handed out 2000::/3 only. All beside it (loopback, ULA, link-local, NAT64, mapped IPv4) is refused.
PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
NOT_PUBLIC_V6 = tuple(ipaddress.IPv6Network(n) for n in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


def public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        return address in PUBLIC_V6 and not any(address in n for n in NOT_PUBLIC_V6)
    return not any(address in n for n in NOT_PUBLIC_V4)


class Sink(Protocol):
    def write(self, chunk: bytes, /) -> object: ...


class TooSoon(Refused):
    """The platform said 429 before doing anything."""

    code = "rate_limited"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds, between 15 minutes and a day whatever the platform claims."""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> dict[str, Any]:
        """The JSON object in the body; empty when it is anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def retry_after(self) -> int:
        """Clamped seconds. A date counts from the answer's own Date header, so that our clock does not matter."""
        return max(15 * 60, min(24 * 3600, self._retry_after()))

    def _retry_after(self) -> int:
        told, date = self.headers.get("retry-after", ""), self.headers.get("date", "")
        reset = self.headers.get("ratelimit-reset", "")
        if told.isascii() and told.isdigit():
            return int(told[:9])
        try:
            answered = parsedate_to_datetime(date)
            if told:
                return int((parsedate_to_datetime(told) - answered).total_seconds())
            if reset.isascii() and reset.isdigit():
                return int(reset[:12]) - int(answered.timestamp())
        except (ValueError, TypeError, OverflowError):
            pass  # unreadable dates: the shortest wait we allow ourselves
        return 0


@functools.cache
def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def resolve_by_system(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


@dataclass(frozen=True)
class Outbound:
    """`private_hosts` lets a named host lead into the named networks, on any port, and there over plain http too.
    It says nothing about any other host."""

    private_hosts: Mapping[str, Collection[str]] = field(default_factory=dict)
    resolve: Resolve = resolve_by_system
    only: tuple[str, str, int] | None = None
    """Scheme, host and port when this client may reach one place alone."""
    trust: ssl.SSLContext = field(default_factory=_trust, repr=False)

    def call(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        headers: Mapping[str, str] | None = None,
        content: bytes | Iterable[bytes] | None = None,
        answer_bytes: int = ANSWER_BYTES,
        into: Sink | None = None,
    ) -> Reply:
        """One request, one answer, whatever its status. `seconds` bounds all of it: name, connection, body, answer.

        The body of a 200 goes into the file `into`, when one is given, instead of memory. An exception raised by
        `content` while it is being sent ends the call and passes through.
        """
        target = self._target(url)
        request = httpx.Request(method, target, headers=_checked(method, headers or {}), content=content)
        line = _Line(self, time.monotonic() + seconds, plain=target.scheme == "http")
        try:
            return _exchange(line, request, answer_bytes, into)
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as why:
            if not line.began:
                raise Refused(
                    f"Nothing was sent: {target.host} cannot be reached. {_plain(why)}", code="not_sent"
                ) from why
            how = "did not answer in time" if isinstance(why, httpcore.TimeoutException) else "broke off"
            raise OutcomeUnknown(f"{target.host} {how} after the request had begun. {_plain(why)}") from why

    def check(self, url: str) -> None:
        """Raises Refused for an address no call would go to. Its name is not resolved."""
        self._target(url)

    def _target(self, url: str) -> httpx.URL:
        if any(c <= " " or c in "\\\x7f" for c in url):
            raise _forbidden(f"{url[:80]!r} is not a web address")
        try:
            target = httpx.URL(url)
        except (httpx.InvalidURL, ValueError) as why:
            raise _forbidden(f"{url[:80]!r} is not a web address") from why
        host = _name(target.raw_host.decode())
        if not host or target.userinfo:
            raise _forbidden("A web address must name a host and carry no user name")
        port = {"https": 443, "http": 80}.get(target.scheme, 0) if target.port is None else target.port
        if self.only:
            if (target.scheme, host, port) != self.only:
                raise _forbidden(f"{target.scheme}://{host}:{port} is not the one place this client may talk to")
        elif target.scheme != "https" and (target.scheme != "http" or not self._opened(host)):
            raise _forbidden(f"{host} must be reached over https")
        elif port != 443 and not self._opened(host):
            raise _forbidden(f"{host} may be reached on port 443 only, not {port}")
        return target

    def _opened(self, host: str) -> list[Network]:
        return [ipaddress.ip_network(n) for h, nets in self.private_hosts.items() if _name(h) == host for n in nets]

    def addresses(self, host: str, port: int, *, plain: bool, seconds: float) -> list[str]:
        """All of them, or Refused if even one is forbidden: a mixed answer is an attack or a mistake."""
        found = _within(seconds, lambda: self.resolve(host, port))
        opened = self._opened(host)
        for text in found:
            try:
                address = ipaddress.ip_address(text)
            except ValueError as why:
                raise _forbidden(f"{host} leads to {text!r}, which is no address") from why
            inside = any(address in n for n in opened)
            if not inside and not public(address):
                raise _forbidden(f"{host} leads to {address}, which is not a public address")
            if not inside and plain:
                raise _forbidden(f"{host} leads to {address}, which must be reached over https")
        if not found:
            raise httpcore.ConnectError("it has no address")
        return list(found)


def local(base_url: str) -> Outbound:
    """A client for our own server: it reaches exactly this loopback host and port, and nothing else."""
    base = httpx.URL(base_url)
    host, port = _name(base.host), base.port or 80
    if base.scheme != "http" or host not in ("127.0.0.1", "::1", "localhost"):
        raise _forbidden(f"{base_url} is not a plain http address of this machine")
    return Outbound(private_hosts={host: ("127.0.0.0/8", "::1/128")}, only=("http", host, port))


class _Line(httpcore.NetworkBackend):
    """One call's connection: dials a checked address, keeps the deadline, knows whether the request began."""

    def __init__(self, outbound: Outbound, deadline: float, *, plain: bool) -> None:
        self.outbound = outbound
        self.deadline = deadline
        self.plain = plain
        self.began = False

    def left(self, most: float | None) -> float:
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise httpcore.ReadTimeout("the time allowed for the whole call is over")
        return remaining if most is None else min(most, remaining)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        until = time.monotonic() + self.left(CONNECT_SECONDS)
        failure: Exception = httpcore.ConnectTimeout("no time left to connect")
        seconds = until - time.monotonic()
        for address in self.outbound.addresses(_name(host), port, plain=self.plain, seconds=seconds):
            remaining = until - time.monotonic()
            if remaining <= 0:
                break
            try:
                stream = httpcore.SyncBackend().connect_tcp(address, port, remaining, local_address, socket_options)
                return _Stream(stream, self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as why:
                failure = why
        raise failure


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, line: _Line) -> None:
        self.inner = inner
        self.line = line

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, self.line.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        remaining = self.line.left(timeout)
        self.line.began = True
        self.inner.write(buffer, remaining)

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self.inner.start_tls(ssl_context, server_hostname, self.line.left(CONNECT_SECONDS)), self.line)

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


class _Transport(httpx.BaseTransport):
    def __init__(self, line: _Line) -> None:
        self.pool = httpcore.ConnectionPool(
            ssl_context=line.outbound.trust, max_keepalive_connections=0, network_backend=line, retries=0
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = self.pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions={"timeout": {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS}},
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        self.pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self.answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self.answer.iter_stream()

    def close(self) -> None:
        self.answer.close()


def _exchange(line: _Line, request: httpx.Request, limit: int, into: Sink | None) -> Reply:
    with httpx.Client(transport=_Transport(line), trust_env=False, follow_redirects=False) as client:
        answer = client.send(request, stream=True)
        try:
            body, length = bytearray(), 0
            for chunk in answer.iter_raw():
                length += len(chunk)
                if into is not None and answer.status_code == 200:
                    into.write(chunk)
                else:
                    body += chunk
                if length > limit:
                    raise OutcomeUnknown(f"{request.url.host} answered with more than {limit} bytes; it was not read.")
            return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, bytes(body))
        finally:
            answer.close()


def _checked(method: str, headers: Mapping[str, str]) -> dict[str, str]:
    if method not in METHODS:
        raise Invalid(f"{method!r} is not a method this client sends.")
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
            raise Invalid(f"The header {name[:40]!r} holds a character that could start another header.")
    # identity: a compressed answer could unfold far beyond the cap
    return {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", **headers}


def _within(seconds: float, work: Callable[[], Sequence[str]]) -> Sequence[str]:
    """The system resolver knows no deadline, so it runs beside us and is left behind when it is late."""
    done: queue.SimpleQueue[Sequence[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put(work())
        except (OSError, UnicodeError) as why:
            done.put(why)

    threading.Thread(target=run, daemon=True, name="resolve").start()
    try:
        answer = done.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout("its name was not resolved in time") from None
    if isinstance(answer, OSError | UnicodeError):
        raise httpcore.ConnectError("its name does not resolve") from answer
    return answer


def _name(host: str) -> str:
    return host.lower().rstrip(".")


def _plain(why: Exception) -> str:
    return " ".join(str(why).split())[:120] or type(why).__name__


def _forbidden(reason: str) -> Refused:
    return Refused(f"{reason}. Nothing was sent. Correct the address or open the host in the settings.", code="address")
