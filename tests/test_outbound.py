"""Real sockets on loopback: what reached them is the witness."""

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from avatar_scheduler import outbound
from avatar_scheduler.domain.errors import Conflict, Invalid, OutcomeUnknown, Refused
from avatar_scheduler.outbound import Outbound, Reply, local

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def whole_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (chunk := connection.recv(65536)):
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    told = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    while told and len(body) < int(told[1]) and (chunk := connection.recv(65536)):
        body += chunk
    return head + b"\r\n\r\n" + body


def listen_only(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def look_away(_connection: socket.socket) -> None:
    threading.Event().wait(3)


class Server:
    """Answers each connection with `respond(connection)` and keeps what it was sent."""

    def __init__(self, respond: Callable[[socket.socket], None] | bytes = OK, address: str = "127.0.0.1") -> None:
        self.respond = respond
        self.received: list[bytes] = []
        self.connections = 0
        self.listener = socket.create_server((address, 0))
        self.port: int = self.listener.getsockname()[1]
        self.url = f"http://{address}:{self.port}/"
        self.open: list[socket.socket] = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(connection)
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        try:
            if isinstance(self.respond, bytes):
                self.received.append(whole_request(connection))
                connection.sendall(self.respond)
                connection.close()
            else:
                self.respond(connection)
        except OSError:
            pass  # the client hung up first, which some tests are about

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.open:
            connection.close()
        self.thread.join()


@contextmanager
def serving(respond: Callable[[socket.socket], None] | bytes = OK, address: str = "127.0.0.1") -> Iterator[Server]:
    server = Server(respond, address)
    try:
        yield server
    finally:
        server.close()


def towards(*addresses: str, host: str = "pds.test", opened: tuple[str, ...] = ("127.0.0.0/8",)) -> Outbound:
    """A client that finds every name at `addresses`; only `host` may lead to this machine."""
    return Outbound({host: opened}, resolve=lambda _host, _port: addresses)


FORBIDDEN = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "017700000001",
    "0177.0.0.1",
    "0.0.0.0",
    "0",
    "10.0.0.8",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "198.18.0.1",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "localhost",
    "localhost.",
]


class TestAddresses:
    @pytest.mark.parametrize("host", FORBIDDEN)
    def test_no_spelling_of_a_private_address_is_reached(self, host: str) -> None:
        with pytest.raises(Refused) as refused:
            Outbound().call("GET", f"https://{host}/", seconds=5)
        assert refused.value.code == "address"

    @pytest.mark.parametrize(
        "address", ["93.184.216.34", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]
    )
    def test_public_addresses_are_public(self, address: str) -> None:
        assert Outbound(resolve=lambda _host, _port: [address]).addresses("api.test", 443, plain=False, seconds=1) == [
            address
        ]

    @pytest.mark.parametrize(
        "url",
        [
            "http://api.test/",
            "ftp://api.test/",
            "file:///etc/passwd",
            "https:///path",
            "//api.test/",
            "api.test",
            "https://api.test:22/",
            "https://api.test:0/",
            "https://good.test@127.0.0.1/",
            "https://good.test:443@127.0.0.1/",
            "https://good.test\\@127.0.0.1/",
            "https://api.test/a\r\nX-Evil: 1",
            "https://api.test/ HTTP/1.1",
            "https://[::1/",
            "https://\uff11\uff12\uff17.0.0.1:80/",
        ],
    )
    def test_an_address_that_is_not_plain_https_is_refused_before_its_name_is_looked_up(self, url: str) -> None:
        asked: list[str] = []

        def resolve(host: str, _port: int) -> list[str]:
            asked.append(host)
            return ["93.184.216.34"]

        with pytest.raises(Refused) as refused:
            Outbound(resolve=resolve).call("GET", url, seconds=5)
        assert refused.value.code == "address"
        assert asked == []

    def test_one_private_address_among_public_ones_is_enough_to_refuse(self) -> None:
        client = Outbound(resolve=lambda _host, _port: ["93.184.216.34", "10.0.0.1"])
        with pytest.raises(Refused, match=r"10\.0\.0\.1"):
            client.call("GET", "https://mixed.test/", seconds=5)

    def test_opening_one_host_opens_no_other(self) -> None:
        client = towards("127.0.0.1", host="pds.test")
        with serving() as server:
            assert client.call("GET", f"http://pds.test:{server.port}/", seconds=5).body == b"hi"
            for other in (
                "https://other.test/",
                "https://127.0.0.1/",
                "https://pds.test.evil.test/",
                "https://xpds.test/",
            ):
                with pytest.raises(Refused) as refused:
                    client.call("GET", other, seconds=5)
                assert refused.value.code == "address"
            with pytest.raises(Refused, match="over https"):
                client.call("GET", f"http://other.test:{server.port}/", seconds=5)
            assert server.connections == 1

    def test_an_opened_host_stays_inside_its_networks(self) -> None:
        with pytest.raises(Refused, match=r"10\.9\.9\.9"):
            towards("10.9.9.9", opened=("10.0.0.0/16",)).call("GET", "https://pds.test/", seconds=5)

    def test_an_opened_host_speaks_plain_http_inside_its_networks_only(self) -> None:
        with pytest.raises(Refused, match="must be reached over https"):
            towards("93.184.216.34").call("GET", "http://pds.test/", seconds=5)

    @pytest.mark.parametrize("address", ["::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:93.184.216.34"])
    def test_an_address_mapped_into_ipv6_is_refused_whatever_it_hides(self, address: str) -> None:
        with pytest.raises(Refused, match="not a public address"):
            towards(address).call("GET", "https://pds.test/", seconds=5)

    def test_a_name_that_turns_private_after_the_check_changes_nothing(self) -> None:
        with serving(address="127.0.0.2") as checked, serving() as victim:
            answers = iter([["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]])
            client = Outbound({"pds.test": ["127.0.0.2/32"]}, resolve=lambda _host, _port: next(answers))
            assert client.call("GET", f"http://pds.test:{checked.port}/", seconds=5).status == 200
            with pytest.raises(Refused) as refused:
                client.call("GET", f"http://pds.test:{victim.port}/", seconds=5)
            assert refused.value.code == "address"
            assert (checked.connections, victim.connections) == (1, 0)

    def test_the_second_address_is_tried_when_the_first_is_closed(self) -> None:
        with serving() as server:
            client = towards("127.0.0.9", "127.0.0.1")
            assert client.call("GET", f"http://pds.test:{server.port}/", seconds=5).status == 200

    def test_proxies_in_the_environment_are_ignored(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serving() as proxy, serving() as server:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)
            assert towards("127.0.0.1").call("GET", f"http://pds.test:{server.port}/", seconds=5).status == 200
            assert (proxy.connections, server.connections) == (0, 1)


class TestLocal:
    def test_it_reaches_our_own_server(self) -> None:
        with serving() as server:
            assert local(server.url).call("GET", server.url + "health", seconds=5).body == b"hi"

    def test_it_reaches_nothing_else(self) -> None:
        with serving() as ours, serving() as other:
            client = local(ours.url)
            for url in (
                other.url,
                f"http://localhost:{ours.port}/",
                "https://api.test/",
                ours.url.replace("http", "https"),
            ):
                with pytest.raises(Refused) as refused:
                    client.call("GET", url, seconds=5)
                assert refused.value.code == "address"
            assert (ours.connections, other.connections) == (0, 0)

    @pytest.mark.parametrize(
        "base", ["http://example.org/", "https://127.0.0.1/", "http://10.0.0.1/", "http://127.0.0.2/"]
    )
    def test_it_is_for_this_machine_only(self, base: str) -> None:
        with pytest.raises(Refused):
            local(base)


class TestExchange:
    def test_redirects_are_answers_not_orders(self) -> None:
        with serving() as target:
            moved = f"HTTP/1.1 302 Found\r\nLocation: {target.url}\r\nContent-Length: 0\r\n\r\n".encode()
            with serving(moved) as server:
                reply = local(server.url).call("GET", server.url, seconds=5)
            assert (reply.status, reply.headers["location"]) == (302, target.url)
            assert target.connections == 0

    def test_the_request_arrives_as_given(self) -> None:
        with serving() as server:
            local(server.url).call("POST", server.url + "x?a=1", seconds=5, headers={"X-A": "b"}, content=b"body")
        head, _, body = server.received[0].partition(b"\r\n\r\n")
        assert head.startswith(b"POST /x?a=1 HTTP/1.1\r\n")
        assert b"User-Agent: avatar-scheduler/" in head
        assert b"X-A: b" in head
        assert body == b"body"

    @pytest.mark.parametrize(
        "header", [("X-A", "b\r\nX-Evil: 1"), ("X-A\r\nX-Evil", "1"), ("X A", "b"), ("X-A", "b\0")]
    )
    def test_a_header_cannot_smuggle_another(self, header: tuple[str, str]) -> None:
        with serving() as server:
            with pytest.raises(Invalid):
                local(server.url).call("GET", server.url, seconds=5, headers=dict([header]))
            with pytest.raises(Invalid):
                local(server.url).call("GET / HTTP/1.1\r\nX-Evil: 1", server.url, seconds=5)
        assert server.connections == 0

    def test_an_answer_beyond_the_cap_is_not_read(self) -> None:
        def flood(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(b"x" * 65536)

        with serving(flood) as server, pytest.raises(OutcomeUnknown, match="more than 1000 bytes"):
            local(server.url).call("GET", server.url, seconds=20, answer_bytes=1000)

    def test_a_failure_while_reading_our_own_body_passes_through(self) -> None:
        def body() -> Iterator[bytes]:
            yield b"first"
            raise Conflict("the lease is gone")

        with serving() as server, pytest.raises(Conflict, match="lease"):
            local(server.url).call("POST", server.url, seconds=5, content=body())


class TestTime:
    def test_a_server_that_drips_its_answer_meets_the_total_deadline(self) -> None:
        def drip(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            pause = threading.Event()
            while not pause.wait(0.05):
                connection.sendall(b"x")

        with serving(drip) as server:
            started = time.monotonic()
            with pytest.raises(OutcomeUnknown, match="after the request had begun"):
                local(server.url).call("GET", server.url, seconds=0.6)
            assert 0.5 < time.monotonic() - started < 3

    def test_a_server_that_never_answers_leaves_the_outcome_open(self) -> None:
        with serving(listen_only) as server, pytest.raises(OutcomeUnknown, match="did not answer in time"):
            local(server.url).call("POST", server.url, seconds=0.3, content=b"post me")

    def test_a_server_that_never_reads_leaves_the_outcome_open(self) -> None:
        with serving(look_away) as server, pytest.raises(OutcomeUnknown):
            local(server.url).call("POST", server.url, seconds=0.5, content=(b"x" * 2**20 for _ in range(64)))

    def test_a_connection_cut_after_the_request_leaves_the_outcome_open(self) -> None:
        def cut(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.close()

        with serving(cut) as server, pytest.raises(OutcomeUnknown, match="broke off"):
            local(server.url).call("POST", server.url, seconds=5, content=b"post me")

    def test_an_answer_cut_short_leaves_the_outcome_open(self) -> None:
        with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") as server, pytest.raises(OutcomeUnknown):
            local(server.url).call("POST", server.url, seconds=5, content=b"post me")

    def test_an_answer_that_is_not_http_leaves_the_outcome_open(self) -> None:
        with serving(b"220 smtp.test ESMTP\r\n") as server, pytest.raises(OutcomeUnknown):
            local(server.url).call("POST", server.url, seconds=5, content=b"post me")

    def test_a_closed_door_means_nothing_was_sent(self) -> None:
        with serving() as server:
            pass
        with pytest.raises(Refused, match="Nothing was sent") as refused:
            local(server.url).call("POST", server.url, seconds=5, content=b"post me")
        assert refused.value.code == "not_sent"

    def test_a_name_nobody_knows_means_nothing_was_sent(self) -> None:
        def unknown(_host: str, _port: int) -> list[str]:
            raise socket.gaierror(socket.EAI_NONAME, "not known")

        with pytest.raises(Refused) as refused:
            Outbound(resolve=unknown).call("POST", "https://nowhere.test/", seconds=5, content=b"x")
        assert refused.value.code == "not_sent"

    def test_a_resolver_that_hangs_is_left_behind(self) -> None:
        release = threading.Event()

        def hang(_host: str, _port: int) -> list[str]:
            release.wait(20)
            return []

        started = time.monotonic()
        with pytest.raises(Refused) as refused:
            Outbound(resolve=hang).call("POST", "https://slow.test/", seconds=0.3, content=b"x")
        release.set()
        assert refused.value.code == "not_sent"
        assert time.monotonic() - started < 3

    def test_a_handshake_that_hangs_means_nothing_was_sent(self) -> None:
        with serving(listen_only) as server:
            client = Outbound({"pds.test": ["127.0.0.1/32"]}, resolve=lambda _host, _port: ["127.0.0.1"])
            started = time.monotonic()
            with pytest.raises(Refused) as refused:
                client.call("POST", f"https://pds.test:{server.port}/", seconds=0.4, content=b"x")
            assert refused.value.code == "not_sent"
            assert time.monotonic() - started < 3

    def test_a_server_nobody_vouches_for_gets_nothing(self) -> None:
        seen: list[bytes] = []

        def plain(connection: socket.socket) -> None:
            seen.append(connection.recv(65536))
            connection.sendall(OK)

        with serving(plain) as server:
            client = Outbound({"pds.test": ["127.0.0.1/32"]}, resolve=lambda _host, _port: ["127.0.0.1"])
            with pytest.raises(Refused) as refused:
                client.call("POST", f"https://pds.test:{server.port}/", seconds=5, content=b"secret")
        assert refused.value.code == "not_sent"
        assert b"secret" not in b"".join(seen)

    def test_certificates_are_checked(self) -> None:
        trust = Outbound().trust
        assert trust.verify_mode is ssl.CERT_REQUIRED
        assert trust.check_hostname


class TestReply:
    DATE = "Sun, 22 Nov 2026 12:00:00 GMT"

    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({}, 900),
            ({"retry-after": "1800"}, 1800),
            ({"retry-after": "5"}, 900),
            ({"retry-after": "-7"}, 900),
            ({"retry-after": "315360000"}, 86400),
            ({"retry-after": "9" * 5000}, 86400),
            ({"retry-after": "soon"}, 900),
            ({"retry-after": "Sun, 22 Nov 2026 13:00:00 GMT", "date": DATE}, 3600),
            ({"retry-after": "Sun, 22 Nov 2036 13:00:00 GMT", "date": DATE}, 86400),
            ({"retry-after": "Sun, 22 Nov 2026 13:00:00 GMT"}, 900),
            ({"ratelimit-reset": str(int(datetime(2026, 11, 22, 14, tzinfo=UTC).timestamp())), "date": DATE}, 7200),
            ({"ratelimit-reset": "9" * 5000, "date": DATE}, 86400),
        ],
    )
    def test_a_wait_is_honoured_between_a_quarter_hour_and_a_day(self, headers: dict[str, str], seconds: int) -> None:
        assert Reply(429, headers, b"").retry_after == seconds

    @pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff", b"[" * 100_000])
    def test_a_body_that_is_no_json_object_reads_as_empty(self, body: bytes) -> None:
        assert Reply(200, {}, body).json() == {}

    def test_a_rate_limit_is_a_refusal_that_says_when(self) -> None:
        assert isinstance(outbound.TooSoon("Later.", 900), Refused)
        assert outbound.TooSoon("Later.", 900).code == "rate_limited"
