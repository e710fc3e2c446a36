"""What the process that opens a file can still do, tried from inside it, and how it is ended."""

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from PIL import Image

from avatar_scheduler.cli.doctor import CHECKS
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.uploads import accept, kinds, sandbox
from avatar_scheduler.uploads.incoming import Incoming
from tests.uploads import good

ROOT = Path(__file__).parents[2]
ATTEMPTS = """
import ctypes, json, mmap, os, resource, signal, socket, subprocess, sys, threading
from pathlib import Path
from avatar_scheduler.uploads import landlock, seccomp

folder, outside = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")
def fork():
    if os.fork() == 0:
        os._exit(0)
attempts = {
    "socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "unix socket": lambda: socket.socket(socket.AF_UNIX),
    "raw netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "read outside": lambda: Path(outside).read_bytes(),
    "read passwd": lambda: Path("/etc/passwd").read_bytes(),
    "write outside": lambda: Path(outside + ".new").write_bytes(b"x"),
    "list root": lambda: os.listdir("/"),
    "read inside": lambda: Path(folder, "given").read_bytes(),
    "write inside": lambda: Path(folder, "made").write_bytes(b"x"),
    "fork": fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "thread": lambda: threading.Thread(target=int).start(),
    "kill": lambda: os.kill(os.getppid(), 0),
    "ptrace": lambda: call(101, 16, os.getppid(), 0, 0),
    "io_uring": lambda: call(425, 1, 0),
    "new code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    "more files": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9)),
    "memory": lambda: mmap.mmap(-1, 4096).close(),
    "random": lambda: os.urandom(4),
}
why = landlock.confine(Path(folder), [Path(sys.prefix)]) if {with_files} else ""
why = why or seccomp.confine(with_files={with_files})
done = []
for name, attempt in attempts.items():
    try:
        attempt()
        done.append(name)
    except (OSError, RuntimeError, ValueError):
        pass
sys.stdout.write(json.dumps([why, done]))
sys.stdout.flush()
os._exit(0)
"""


def what_works(tmp_path: Path, *, with_files: bool) -> list[str]:
    folder, outside = tmp_path / "room", tmp_path / "secret"
    folder.mkdir()
    (folder / "given").write_bytes(b"x")
    outside.write_bytes(b"a secret")
    program = ATTEMPTS.replace("{with_files}", str(with_files))
    run = [sys.executable, "-c", program, str(folder), str(outside)]
    why, done = json.loads(subprocess.run(run, cwd=ROOT, capture_output=True, check=True, timeout=60).stdout)
    assert why == ""
    found: list[str] = done
    return found


def test_it_can_compute_and_nothing_else(tmp_path: Path) -> None:
    assert what_works(tmp_path, with_files=False) == ["memory", "random"]


def test_for_a_pack_it_can_also_work_in_its_own_folder(tmp_path: Path) -> None:
    assert what_works(tmp_path, with_files=True) == ["read inside", "write inside", "memory", "random"]


@pytest.fixture
def files(tmp_path: Path) -> Iterator[tuple[BinaryIO, BinaryIO, BinaryIO]]:
    with (
        tempfile.TemporaryFile(dir=tmp_path) as source,
        tempfile.TemporaryFile(dir=tmp_path) as target,
        tempfile.TemporaryFile(dir=tmp_path) as small,
    ):
        source.write(good.clip())
        source.flush()
        source.seek(0)
        yield source, target, small


class TestEnding:
    def test_when_it_is_late(self, files: tuple[BinaryIO, BinaryIO, BinaryIO]) -> None:
        with pytest.raises(Invalid, match="took too long and was stopped") as caught:
            sandbox.run("clip", *files, {"opener": "mov"}, wall_seconds=0.01, written_bytes=kinds.MB)
        assert caught.value.code == "upload_late"

    def test_when_it_wants_too_much_memory(
        self, files: tuple[BinaryIO, BinaryIO, BinaryIO], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source, target, small = files
        source.truncate()
        source.write(good.picture("PNG", Image.new("RGB", (6000, 4000))))  # 96 MB once it is opened
        source.flush()
        monkeypatch.setattr(sandbox, "MEMORY", 64 * kinds.MB)
        with pytest.raises(Invalid, match="too much memory") as caught:
            sandbox.run("picture", source, target, small, {"opener": "PNG"}, wall_seconds=60, written_bytes=kinds.MB)
        assert caught.value.code == "upload_memory"

    def test_when_it_writes_too_much(self, files: tuple[BinaryIO, BinaryIO, BinaryIO]) -> None:
        with pytest.raises(Invalid, match="too large") as caught:
            sandbox.run("clip", *files, {"opener": "mov"}, wall_seconds=60, written_bytes=3000)
        assert caught.value.code == "upload_grows"

    @pytest.mark.parametrize(
        "program",
        [
            "raise SystemExit(1)",
            "import os; os.kill(os.getpid(), 11)",
            "print('[1, 2]')",
            "print('not json')",
            "import sys\nwhile True: sys.stdout.write('x' * 65536)",
        ],
    )
    def test_when_the_file_took_it_over(
        self, files: tuple[BinaryIO, BinaryIO, BinaryIO], monkeypatch: pytest.MonkeyPatch, program: str
    ) -> None:
        monkeypatch.setattr(sandbox, "PROGRAM", program)
        with pytest.raises(Invalid, match="broke the program that opened it") as caught:
            sandbox.run("clip", *files, {}, wall_seconds=60, written_bytes=0)
        assert caught.value.code == "upload_broken"

    def test_leaves_no_process(
        self, files: tuple[BinaryIO, BinaryIO, BinaryIO], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sandbox, "PROGRAM", "import os, time; print(os.getpid(), flush=True); time.sleep(600)")
        said: list[bytes] = []
        monkeypatch.setattr(sandbox, "_read", said.append)
        with pytest.raises(Invalid, match="broke the program"):
            sandbox.run("clip", *files, {}, wall_seconds=60, written_bytes=0)
        with pytest.raises(ProcessLookupError):
            os.kill(int(said[0]), 0)


class TestWithoutIsolation:
    def test_a_file_is_refused_unopened(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "avatar_scheduler.uploads.sandbox")
        monkeypatch.setattr(sandbox, "_probed", ["the kernel refuses"])
        with Incoming(tmp_path, kinds.MB) as incoming:
            incoming.write(good.picture("PNG"))
            with (
                pytest.raises(Refused, match="so uploads are off: the kernel refuses") as caught,
                accept.accepted(incoming, "image", "a.png", tmp_path),
            ):
                pass
        assert caught.value.code == "uploads_off"
        assert caplog.text == ""

    def test_what_the_child_says_of_it_counts_too(
        self, files: tuple[BinaryIO, BinaryIO, BinaryIO], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sandbox, "PROGRAM", """print('{"off": "no filter"}')""")
        with pytest.raises(Refused, match="uploads are off: no filter"):
            sandbox.run("clip", *files, {}, wall_seconds=60, written_bytes=0)

    def test_doctor_says_why(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert CHECKS["uploads"]()[0]
        monkeypatch.setattr(sandbox, "_probed", ["Darwin has no filter for system calls"])
        assert CHECKS["uploads"]()[:2] == (False, "Darwin has no filter for system calls")

    def test_a_probe_that_could_open_something_names_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        unlocked = sandbox.PROGRAM.replace("child.main()", "child._confine = lambda request: ''; child.main()")
        monkeypatch.setattr(sandbox, "PROGRAM", unlocked)
        monkeypatch.setattr(sandbox, "_probed", [])
        assert sandbox.available() == "a locked-in process could still open a socket"
