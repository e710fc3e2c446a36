"""Running a renderer as a killed-if-late process, line by line."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from avatar_scheduler.domain.errors import Refused

Progress = Callable[[int, str], None]
SILENCE = 1.0
"""Seconds without a word after which `progress` is called with the last one again: silent work is work too."""


def run(
    verb: str, folder: Path, keys: Path, progress: Progress, seconds: float, sentences: Path | None = None
) -> dict[str, Any]:
    """What the process said under "done". Raises Refused with its reason, or when it crashed or was too slow.

    `progress` may raise (the lease was lost): the process is killed then. `sentences` is where spoken sentences are
    kept between renders.
    """
    command = [
        sys.executable,
        "-m",
        "avatar_scheduler.renderers.builtin",
        verb,
        str(folder),
        str(keys),
        str(os.getpid()),
        str(sentences or ""),
    ]
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"},
        )
        late = threading.Event()

        def stop() -> None:
            late.set()
            _kill(child)

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            result = _read(child, progress)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=30)  # it has said all it had to say; what hangs now is killed below
        finally:
            timer.cancel()
            _kill(child)
            child.communicate()
        if late.is_set():
            raise Refused(
                f"The render took longer than {seconds / 60:.0f} minutes. Shorten the script.", code="render_late"
            )
        if result is None:
            raise Refused(f"The renderer stopped: {_last_line(errors)}", code="render_crashed")
        return result


def _read(child: "subprocess.Popen[bytes]", progress: Progress) -> dict[str, Any] | None:
    assert child.stdout is not None  # noqa: S101  (we asked for a pipe)
    percent, step = 0, ""
    for raw in _lines(child.stdout.fileno()):
        if raw is None:
            progress(percent, step)
            continue
        try:
            line = json.loads(raw)
        except ValueError:
            continue  # a library printed something
        if "refused" in line:
            raise Refused(line["refused"]["message"], code=line["refused"]["code"])
        if "done" in line:
            done: dict[str, Any] = line["done"]
            return done
        percent, step = int(line["percent"]), str(line["step"])
        progress(percent, step)
    return None


def _lines(pipe: int) -> Iterator[bytes | None]:
    """Each whole line, and None whenever nothing came for a while."""
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(SILENCE):
                yield None
                continue
            chunk = os.read(pipe, 1 << 16)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines


def _kill(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _last_line(errors: Any) -> str:
    errors.seek(0)
    lines = errors.read()[-4000:].decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing. Is there enough memory?"
