"""Starts a child process, speaks with it within bounds, and kills it when it is late or talks too much."""

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

from avatar_scheduler.domain.errors import Refused


@dataclass(frozen=True)
class Limits:
    cpu_seconds: int = 2
    memory_bytes: int = 512 * 2**20
    """Address space, not what is resident."""
    wall_seconds: float = 3.0
    output_bytes: int = 64_000
    """Of the text, in UTF-8."""


class Stop(StrEnum):
    late = "late"
    talkative = "talkative"
    died = "died"


class StoppedError(Exception):
    def __init__(self, why: Stop) -> None:
        super().__init__(why)
        self.why = why


# -I ignores PYTHON* variables, the working directory and the user's own packages. The folder of this package is handed
# over, because in a checkout it is nowhere an isolated Python would look.
PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from avatar_scheduler.scripts import child; child.main()"
_PACKAGES = str(Path(__file__).parents[2])
_CHUNK = 65_536

# Each child may take 512 MB. Fifty previews at once must wait, not fill the machine.
_places = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))


def run(request: bytes, limits: Limits, *, program: str = PROGRAM) -> bytes:
    """What the child wrote, at most `answer_bytes`. Raises StoppedError, or Refused when no place gets free in time."""
    if not _places.acquire(timeout=limits.wall_seconds):
        raise Refused("Too many scripts are being rendered at once. Try again in a few seconds.", code="script_busy")
    try:
        return _run(request, limits, program)
    finally:
        _places.release()


def answer_bytes(limits: Limits) -> int:
    """JSON writes a character of two bytes or more as six or twelve, and an error needs a little room."""
    return limits.output_bytes * 6 + 4_096


def _run(request: bytes, limits: Limits, program: str) -> bytes:
    deadline = time.monotonic() + limits.wall_seconds
    with subprocess.Popen(
        [sys.executable, "-I", "-c", program, _PACKAGES, json.dumps(asdict(limits))],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        start_new_session=True,
    ) as process:
        try:
            answer = _converse(process.stdin, process.stdout, request, answer_bytes(limits), deadline)
            code = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise StoppedError(Stop.late) from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    if code in (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGALRM):
        raise StoppedError(Stop.late)
    if code != 0:
        raise StoppedError(Stop.died)
    return answer


def _converse(to: IO[bytes] | None, back: IO[bytes] | None, request: bytes, limit: int, deadline: float) -> bytes:
    """Writes and reads in turns: a child that does not read must not hang us, nor one that never stops writing."""
    if to is None or back is None:
        raise ValueError("The child was started without pipes.")
    todo, answer = memoryview(request), bytearray()
    with selectors.DefaultSelector() as ready:
        for pipe, event in ((to, selectors.EVENT_WRITE), (back, selectors.EVENT_READ)):
            os.set_blocking(pipe.fileno(), False)
            ready.register(pipe, event)
        while True:
            events = ready.select(max(0.0, deadline - time.monotonic()))
            if not events:
                raise StoppedError(Stop.late)
            for key, _ in events:
                if key.fileobj is back:
                    chunk = os.read(key.fd, _CHUNK)
                    if not chunk:
                        return bytes(answer)
                    answer += chunk
                    if len(answer) > limit:
                        raise StoppedError(Stop.talkative)
                else:
                    todo = _write(key.fd, todo)
                    if not todo:
                        ready.unregister(to)
                        to.close()


def _write(fd: int, todo: memoryview) -> memoryview:
    try:
        return todo[os.write(fd, todo[:_CHUNK]) :]
    except BrokenPipeError:  # it died before it read; its exit code will say so
        return todo[:0]
