"""The process that opens a file from outside: gives up all it could do harm with, then reads one and writes another.

Started by `sandbox` only. Everything it will ever need is loaded before `confine`: afterwards nothing can be opened.
"""

import errno
import importlib
import json
import os
import resource
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.uploads import landlock, seccomp
from avatar_scheduler.uploads.handed import Files, Task

_FILES = 64
_LIBRARIES = [Path(__file__).parents[1], *(Path(p) for p in sys.path if p.startswith((sys.prefix, sys.base_prefix)))]
"""What Python loads late it may still read; nothing of a person is there."""
TASKS = {"picture": "pictures", "sound": "sounds", "clip": "clips", "pack": "packs", "view": "views"}


def main() -> None:
    request = json.loads(sys.argv[2])
    task = _task(request["task"], request["options"])
    with (
        os.fdopen(request["source"], "rb") as source,
        os.fdopen(request["target"], "r+b") as target,
        os.fdopen(request["small"], "r+b") as small,
        Path("/proc/self/status").open(encoding="ascii") as status,
    ):
        why = _confine(request)
        told = {"off": why} if why else _answer(task, Files(source, target, small), request["options"])
        _say({**told, "peak_kb": _peak_kb(status)})
        os._exit(0)  # nothing to tidy up, and tidying up takes time


def _task(name: str, options: Mapping[str, Any]) -> Task:
    if name == "probe":
        return probe
    module = importlib.import_module(f"avatar_scheduler.uploads.{TASKS[name]}")
    prepare: Callable[[Mapping[str, Any]], Task] = module.prepare
    return prepare(options)


def _confine(request: Mapping[str, Any]) -> str:
    if len(list(Path("/proc/self/task").iterdir())) != 1:
        return "a library started a thread, which the filter for system calls would not hold"
    os.nice(10)  # pages and renders come first
    pages = [int(n) * resource.getpagesize() for n in Path("/proc/self/statm").read_text("ascii").split()[:2]]
    mapped, resident = pages
    folder = request["options"].get("folder", "")
    hard = {
        resource.RLIMIT_CPU: request["cpu_seconds"],
        # What may still be mapped bounds what can still become resident.
        resource.RLIMIT_AS: mapped + request["memory"] - resident,
        resource.RLIMIT_FSIZE: request["written_bytes"],
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _FILES if folder else 0,
        resource.RLIMIT_NPROC: 0,
    }
    for limit, value in hard.items():
        resource.setrlimit(limit, (value, value))
    if folder and (why := landlock.confine(Path(folder), _LIBRARIES)):
        return why
    return seccomp.confine(with_files=bool(folder))


def _answer(task: Task, files: Files, options: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = task(files, options, lambda percent: _say({"percent": percent}))
        files.target.flush()
        files.small.flush()  # once the answer is out, this process is ended
        return found
    except Invalid as error:
        return {"error": error.message, "code": error.code}
    except MemoryError:
        return _LACKING[errno.ENOMEM]
    except OSError as error:
        return _LACKING.get(error.errno or 0, _LACKING[errno.EIO])


_LACKING = {
    number: {"error": message, "code": code}
    for number, message, code in (
        (errno.ENOMEM, "The file needs too much memory to be opened. Bring a smaller one.", "upload_memory"),
        (errno.EFBIG, "Written anew it would be too large. Bring a shorter or smaller one.", "upload_grows"),
        (errno.ENOSPC, "The disk is full. Free some space, then try again; nothing was kept.", "disk_full"),
        (errno.EDQUOT, "The disk is full. Free some space, then try again; nothing was kept.", "disk_full"),
        (errno.EIO, "The file cannot be read. Try again, or export it again.", "upload_unreadable"),
    )
}


def _peak_kb(status: TextIO) -> int:
    """Of this process alone: what getrusage says begins with the size of the one that started it."""
    return next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)


def _say(told: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n")
    sys.stdout.buffer.flush()


def probe(files: Files, options: Mapping[str, Any], progress: object) -> dict[str, Any]:
    """Tries what must not work. Names the first thing that did."""
    for what, attempt in {
        "a socket": lambda: socket.socket().close(),
        "a file": lambda: os.close(os.open("/", os.O_RDONLY)),
        "another process": _fork,
    }.items():
        with suppress(OSError):
            attempt()
            return {"open": f"a locked-in process could still open {what}"}
    return {"open": ""}


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)
