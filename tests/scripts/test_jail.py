"""The second wall, with the first one taken away: these programs start where an escaped script would stand."""

import json
import os
import select
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.scripts import jail
from avatar_scheduler.scripts.jail import Limits, Stop, StoppedError
from tests.scripts.corpus import ESCAPE, EXHAUST, HEAD, VALUES
from tests.scripts.footprint import SLACK, left_a_zombie, resident

CONFINED = """
import json, sys
sys.path.insert(0, sys.argv[1])
import os, resource, socket, subprocess, time
from jinja2.sandbox import ImmutableSandboxedEnvironment
from avatar_scheduler.scripts import child, sandbox
limits = json.loads(sys.argv[2])
del limits["output_bytes"]
child.warm_up()
apart = child.confine(**limits)
request = json.loads(sys.stdin.buffer.read())
def attempt(action):
    try:
        return repr(action())
    except Exception as error:
        return type(error).__name__
def say(answer):
    sys.stdout.buffer.write(json.dumps(answer).encode())
    sys.stdout.buffer.flush()
    os._exit(0)
"""


def ask(program: str, request: object = None, limits: Limits | None = None) -> Any:
    answer = jail.run(json.dumps(request).encode(), limits or Limits(), program=CONFINED + program)
    return json.loads(answer)


def stopped(program: str, limits: Limits, request: object = None) -> tuple[Stop, float]:
    """Why it was stopped, and after how many seconds; this process must not have grown, nor keep a child."""
    before, started = resident(), time.monotonic()
    with pytest.raises(StoppedError) as caught:
        ask(program, request, limits)
    assert resident() - before < SLACK
    assert not left_a_zombie()
    return caught.value.why, time.monotonic() - started


class TestLimits:
    def test_the_processor_is_taken_away(self) -> None:
        why, seconds = stopped("while True: pass", Limits(cpu_seconds=1, wall_seconds=30))
        assert why is Stop.late
        assert seconds < 15

    def test_a_sleeper_is_killed_at_the_deadline(self) -> None:
        why, seconds = stopped("time.sleep(60)", Limits(wall_seconds=1))
        assert why is Stop.late
        assert seconds < 10

    def test_a_child_that_outlives_its_parent_ends_by_itself(self) -> None:
        # The parent here waits much longer than the child was told to live.
        program = CONFINED.replace("limits = json.loads(sys.argv[2])", "limits = dict(request_limits)")
        own = {"cpu_seconds": 2, "memory_bytes": 2**29, "wall_seconds": -0.5, "output_bytes": 9}
        started = time.monotonic()
        with pytest.raises(StoppedError) as caught:
            jail.run(b"0", Limits(wall_seconds=30), program=f"request_limits = {own}\n{program}\ntime.sleep(60)")
        assert caught.value.why is Stop.late
        assert time.monotonic() - started < 15

    def test_memory_ends_at_the_limit(self) -> None:
        assert ask("say(attempt(lambda: len(bytearray(10**9))))") == "MemoryError"

    def test_half_of_the_memory_is_there(self) -> None:
        assert ask("say(attempt(lambda: len(bytearray(256 * 2**20))))") == str(256 * 2**20)

    def test_an_endless_talker_is_cut_off(self) -> None:
        why, seconds = stopped("while True: sys.stdout.buffer.write(b'x' * 65536)", Limits(wall_seconds=30))
        assert why is Stop.talkative
        assert seconds < 15

    def test_one_that_never_reads_does_not_hang_us(self) -> None:
        program = "import time; time.sleep(60)"
        with pytest.raises(StoppedError) as caught:
            jail.run(b"x" * 2**20, Limits(wall_seconds=0.5), program=program)
        assert caught.value.why is Stop.late

    def test_one_that_dies_is_told_from_one_that_is_late(self) -> None:
        assert stopped("os._exit(3)", Limits())[0] is Stop.died

    def test_a_grandchild_that_holds_the_pipe_is_killed_too(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "alive")
        alive = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
        held = f"open({str(tmp_path / 'alive')!r}, 'wb', 0)"
        program = f"import os, time\nif os.fork() == 0: f = {held}; f.write(b'x'); time.sleep(60)"
        with pytest.raises(StoppedError) as caught:
            jail.run(b"", Limits(wall_seconds=2), program=program)
        assert caught.value.why is Stop.late
        assert os.read(alive, 1) == b"x"
        # The end of the pipe comes when the last one who holds it is gone.
        assert select.select([alive], [], [], 5)[0]
        assert os.read(alive, 1) == b""
        os.close(alive)

    def test_when_every_place_is_taken_the_next_one_is_told_to_come_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        full = threading.BoundedSemaphore(1)
        full.acquire()
        monkeypatch.setattr(jail, "_places", full)
        with pytest.raises(Refused, match="Try again") as refused:
            jail.run(b"", Limits(wall_seconds=0.1))
        assert refused.value.code == "script_busy"


class TestReach:
    def test_no_file_can_be_read(self) -> None:
        assert ask("say(attempt(lambda: open('/etc/passwd').read()))") == "OSError"

    def test_no_file_can_be_written(self, tmp_path: Path) -> None:
        assert ask("say(attempt(lambda: open(request, 'w').write('x')))", str(tmp_path / "x")) == "OSError"
        assert not (tmp_path / "x").exists()

    def test_a_file_left_open_cannot_grow(self, tmp_path: Path) -> None:
        program = CONFINED.replace(
            "apart =", f"left = os.open({str(tmp_path / 'x')!r}, os.O_CREAT | os.O_WRONLY)\napart ="
        )
        answer = jail.run(b"0", Limits(), program=program + "say(attempt(lambda: os.write(left, b'x')))")
        assert json.loads(answer) == "OSError"
        assert (tmp_path / "x").read_bytes() == b""

    @pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX"])
    def test_no_socket_can_be_made(self, family: str) -> None:
        assert ask("say(attempt(lambda: socket.socket(getattr(socket, request))))", family) == "OSError"

    def test_no_program_can_be_started(self, tmp_path: Path) -> None:
        program = (
            "say([attempt(lambda: subprocess.run(['touch', request])), attempt(lambda: os.system('touch ' + request))])"
        )
        ask(program, str(tmp_path / "x"))
        assert not (tmp_path / "x").exists()

    def test_outside_the_network_limits_cannot_be_raised_again(self) -> None:
        program = "say([apart, attempt(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9)))])"
        apart, raised = ask(program)
        assert not (apart and raised == "None")

    def test_the_child_says_truly_whether_it_left_the_network(self) -> None:
        apart, network = ask("say([apart, os.readlink('/proc/self/ns/net')])")
        assert apart is (network != str(Path("/proc/self/ns/net").readlink()))

    def test_nothing_of_our_environment_gets_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AVATAR_SCHEDULER_CANARY", "secret")
        # LC_CTYPE is Python's own doing.
        assert ask("say(sorted(set(os.environ) - {'LC_CTYPE'}))") == []

    def test_the_child_knows_no_sockets_and_no_database(self) -> None:
        program = CONFINED.replace("import os, resource, socket, subprocess, time", "import os")
        loaded = json.loads(jail.run(b"0", Limits(), program=program + "say(sorted(sys.modules))"))
        assert not {"socket", "ssl", "asyncio", "sqlmodel", "sqlalchemy", "httpx"} & set(loaded)


class TestSandbox:
    """Jinja without the allow-list."""

    def test_our_environment_gives_no_escape_anything(self, tmp_path: Path) -> None:
        canary = tmp_path / "canary"
        payloads = [p.replace("CANARY", str(canary)) for p in [*ESCAPE.values(), *EXHAUST.values()]]
        program = """
from avatar_scheduler.scripts import source, values
bound = values.bind(source.parse(request["head"]), request["values"])
say([attempt(lambda: sandbox.environment().from_string(p).render(bound)) for p in request["payloads"]])
"""
        said = ask(program, {"head": HEAD, "values": VALUES, "payloads": payloads}, Limits(wall_seconds=20))
        assert len(said) == len(payloads)
        for payload, text in zip(payloads, said, strict=True):
            for sign in ("<class", "<built-in", "<function", "<module", "<bound", "__globals__", "root:", "uid="):
                assert sign not in text, payload
            assert len(text) < 1000, payload
        assert not canary.exists()

    @pytest.mark.parametrize(
        "name", ["nested ranges", "center", "folded at compile", "power", "set doubling", "indent"]
    )
    def test_what_jinjas_own_sandbox_lets_through_is_stopped_by_the_process(self, name: str) -> None:
        program = "ImmutableSandboxedEnvironment().from_string(request).render(name='x', items=['a'])\nsay('done')"
        limits = Limits(cpu_seconds=1, memory_bytes=256 * 2**20, wall_seconds=30)
        why, seconds = stopped(program, limits, EXHAUST[name])
        assert why in (Stop.late, Stop.died)
        assert seconds < 20
