"""Starts the process that opens a file, listens to it within bounds, and ends it when it is late."""

import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.uploads import seccomp
from avatar_scheduler.uploads.kinds import MB, MEMORY

# As for scripts: -I ignores PYTHON* variables, the working directory and the user's own packages.
PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from avatar_scheduler.uploads import child; child.main()"
_log = logging.getLogger(__name__)
_PACKAGES = str(Path(__file__).parents[2])
_CHUNK = 65_536
LATE = "upload_late"
_MOST_SAID = 4 * MB
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""NumPy's helpers would start before the lock and stay outside it."""
_PATIENCE = 20.0
_PROBE_SECONDS = 20.0

# Each child may take 512 MB and a core for minutes: others wait a little, then are told.
_places = threading.BoundedSemaphore(2)
Progress = Callable[[int], None]


def silent(percent: int) -> None:
    """Nobody watches."""


_probed: list[str] = []


def available() -> str:
    """Why uploads are off on this machine; empty when a file can be opened safely. Looked at once."""
    if not _probed:
        _probed.append(_probe())
    return _probed[0]


def _probe() -> str:
    if why := seccomp.missing():
        return why
    with suppress(OSError, Invalid, Refused), Path(os.devnull).open("r+b") as nothing:
        return str(run("probe", nothing, nothing, nothing, {}, wall_seconds=_PROBE_SECONDS, written_bytes=0)["open"])
    return "the process that would open files could not be started"


def off(why: str) -> Refused:
    return Refused(
        f"This machine does not allow files to be opened safely, so uploads are off: {why}.",
        code="uploads_off",
    )


def run(
    task: str,
    source: BinaryIO,
    target: BinaryIO,
    small: BinaryIO,
    options: Mapping[str, Any],
    *,
    wall_seconds: float,
    written_bytes: int,
    progress: Progress = silent,
) -> dict[str, Any]:
    """What the child found. The three open files are all it gets; `small` is for a thumbnail.

    Raises Invalid with its reason, or Refused.
    """
    if not _places.acquire(timeout=_PATIENCE):
        raise Refused("Other files are being opened right now. Try again in a minute.", code="upload_busy")
    request = {
        "task": task, "source": source.fileno(), "target": target.fileno(),
        "small": small.fileno(), "options": dict(options),
        "memory": MEMORY, "cpu_seconds": int(wall_seconds), "written_bytes": written_bytes,
    }  # fmt: skip
    try:
        return _run(request, wall_seconds, progress)
    finally:
        _places.release()


def _run(request: dict[str, Any], wall_seconds: float, progress: Progress) -> dict[str, Any]:
    deadline = time.monotonic() + wall_seconds
    with subprocess.Popen(
        [sys.executable, "-I", "-c", PROGRAM, _PACKAGES, json.dumps(request)],
        bufsize=0,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_ONE_THREAD,
        cwd="/",
        start_new_session=True,
        pass_fds=sorted({request["source"], request["target"], request["small"]}),
    ) as process:
        try:
            answer = _listen(process.stdout, deadline, progress)
        finally:
            # Its answer, or the lack of one, is all that counts: what it does after that is nobody's business.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if answer is not None:
        peak, why = answer.pop("peak_kb", 0), answer.get("code", "done")
        _log.info("%s: %s, %s kB at most", request["task"], why, peak)
    if answer is None:
        raise Invalid(
            "The file broke the program that opened it, so it was refused. Export it again from where it was made.",
            code="upload_broken",
        )
    if "off" in answer:
        raise off(answer["off"])
    if "error" in answer:
        raise Invalid(answer["error"], code=answer["code"])
    return answer


def _late() -> Invalid:
    return Invalid("Opening the file took too long and was stopped. Bring a shorter or smaller one.", code=LATE)


def _listen(pipe: IO[bytes] | None, deadline: float, progress: Progress) -> dict[str, Any] | None:
    """The last line it wrote, as JSON; lines before it are percentages."""
    if pipe is None:
        raise ValueError("The child was started without a pipe.")
    said, total = b"", 0
    with selectors.DefaultSelector() as ready:
        ready.register(pipe, selectors.EVENT_READ)
        while True:
            if not ready.select(max(0.0, deadline - time.monotonic())):
                raise _late()
            chunk = os.read(pipe.fileno(), _CHUNK)
            total += len(chunk)
            if not chunk or total > _MOST_SAID:
                return None
            *lines, said = (said + chunk).split(b"\n")
            for line in lines:
                told = _read(line)
                if told is None or "percent" not in told:
                    return told
                progress(int(told["percent"]))


def _read(line: bytes) -> dict[str, Any] | None:
    """A child taken over by its file may say anything: what is no answer counts as none."""
    with suppress(ValueError):
        told = json.loads(line)
        if isinstance(told, dict):
            return told
    return None
