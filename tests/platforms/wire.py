"""A wire between us and a real server that loses what it is told to lose. One connection carries one request."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

LOSE_REQUEST, LOSE_ANSWER = "request", "answer"


class Wire:
    def __init__(self, towards: str) -> None:
        target = urlsplit(towards)
        assert target.hostname
        assert target.port
        self.target = (target.hostname, target.port)
        self.requests: list[str] = []
        """Method names in the order they came."""
        self.faults: list[tuple[str, str | bytes]] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def next(self, method: str, fault: str | bytes) -> None:
        """The next call of `method` is lost, or answered with `fault` when that is bytes."""
        self.faults.append((method, fault))

    def answer_next(self, method: str, status: int, body: str, *headers: str) -> None:
        head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers))
        self.next(method, f"{head}\r\n{body}".encode())

    def calls(self, method: str) -> int:
        return self.requests.count(method)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._carry, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _carry(self, client: socket.socket) -> None:
        with closing(client):
            head, body, whole = _request(client)
            found = re.match(rb"\w+ /xrpc/([\w.]+)", head)
            if not found or not whole:
                return
            name = found[1].decode().rpartition(".")[2]
            self.requests.append(name)
            fault = self._fault(name)
            if fault == LOSE_REQUEST:
                return
            if isinstance(fault, bytes):
                client.sendall(fault)
                return
            with socket.create_connection(self.target) as server:
                server.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
                # read to the end before deciding: the server has done it, whatever becomes of its answer
                answer = b"".join(iter(lambda: server.recv(65536), b""))
            if fault != LOSE_ANSWER:
                client.sendall(answer)

    def _fault(self, name: str) -> str | bytes | None:
        for number, (method, fault) in enumerate(self.faults):
            if method == name:
                del self.faults[number]
                return fault
        return None

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(timeout=10)


@contextmanager
def wire(towards: str) -> Iterator[Wire]:
    made = Wire(towards)
    try:
        yield made
    finally:
        made.close()


def _request(client: socket.socket) -> tuple[bytes, bytes, bool]:
    data = b""
    while b"\r\n\r\n" not in data and (chunk := client.recv(65536)):
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    told = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    length = int(told[1]) if told else 0
    while len(body) < length and (chunk := client.recv(65536)):
        body += chunk
    return head, body, len(body) == length
