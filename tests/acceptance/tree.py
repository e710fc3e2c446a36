"""The whole product as an operator starts it: `avatar-scheduler up` in a folder of its own, on a free port."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from redis import Redis

from avatar_scheduler.config import Settings
from avatar_scheduler.publishers.own_feed import Feed

READY_SECONDS = 90


def until(condition: Callable[[], Any], what: str, seconds: float = 90) -> Any:
    """Looks ten times a second: these processes are somebody else's, they send us no signal."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)  # other processes change it, and have no signal to give
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


class Tree:
    def __init__(self, data: Path, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{port}"
        self.environment = {
            **os.environ,
            "AVATAR_SCHEDULER_DATA": str(data),
            "AVATAR_SCHEDULER_PORT": str(port),
            "AVATAR_SCHEDULER_BASE_URL": self.base_url,
            "AVATAR_SCHEDULER_LEASE_SECONDS": "5",
            "COLUMNS": "200",
            **environment,
        }
        self.settings = Settings(data=data, base_url=self.base_url, port=port)
        self.log = data.parent / "up.log"

    def cli(self, *arguments: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "avatar_scheduler", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=False, timeout=110, text=True)
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def json(self, *arguments: str) -> Any:
        return json.loads(self.cli(*arguments, "--json"))

    def set_up(self) -> str:
        """The one-time link of the first owner."""
        told = self.cli("init", "--organization", "Studio", "--name", "Ada", "--email", "ada@example.org")
        self.cli("creator", "add", "Maya", "--zone", "Europe/Paris")
        return told.strip().splitlines()[-1]

    @contextmanager
    def up(self) -> Iterator["Tree"]:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "avatar_scheduler", "up"]
            process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        try:
            until(self.ready, "the pages answer", READY_SECONDS)
            yield self
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=40)

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.base_url}/healthz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def processes(self, name: str) -> list[psutil.Process]:
        """Of this tree: the worker, clock or redis process `name`."""
        socket_path = str(self.settings.runtime / "redis.sock")
        tags = {"clock": "workers.clock", "redis": socket_path, "web": "cli.run web"}
        tag, found = tags.get(name, f"-n {name}@"), []
        for process in psutil.process_iter(["cmdline"]):
            line = " ".join(process.info["cmdline"] or [])
            try:
                # the Redis server writes its title over its environment, but the socket is ours alone
                ours = name == "redis" or process.environ().get("AVATAR_SCHEDULER_DATA") == str(self.settings.data)
            except psutil.Error:
                continue
            if ours and tag in line:
                found.append(process)
        return found

    def flush_redis(self) -> None:
        with Redis.from_url(self.settings.redis_url) as redis:
            redis.flushall()

    def state(self, post_id: str) -> str:
        return str(self.json("post", "show", post_id)["progress"]["state"])

    @property
    def ledger(self) -> list[dict[str, object]]:
        return Feed(self.settings).ledger()
