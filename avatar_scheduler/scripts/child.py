"""The process a script runs in: gives up what it could do harm with, then reads one request and answers it.

Started by `jail` only. Everything it will ever need is loaded before `confine`, for afterwards no file can be opened.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.scripts import sandbox

_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000


_WARM = """{#
title = "Warm"
language = "en"
kind = "tip"
[variables.words]
type = "list"
#}
{% for w in words %}{{ 'a' | default('b') }}{{ w | title | truncate(99) }}{% endfor %}"""
_WRONG = ("{{ '\\x' }}", "{{ 1 | first }}", "{{ 'a' + }}", "{{ nowhere }}")


def warm_up() -> None:
    """Python and Jinja load codecs and modules at first use: use them, on scripts of our own, while there are files."""
    sandbox.render(_WARM, {"words": "a\nb"}, output_bytes=99)
    for source in _WRONG:
        with suppress(Invalid):
            sandbox.render(source, {}, output_bytes=99)


def confine(*, cpu_seconds: int, memory_bytes: int, wall_seconds: float) -> bool:
    """True when the process also lost the network as such. A limit that cannot be set raises: no limits, no script."""
    apart = _leave_network()
    hard = {
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,
        # Not even one: the three open pipes stay usable, but no file and no socket can be opened besides them.
        resource.RLIMIT_NOFILE: 0,
    }
    for limit, value in hard.items():
        resource.setrlimit(limit, (value, value))
    # The parent kills at the deadline; this is for the case that the parent is gone.
    signal.setitimer(signal.ITIMER_REAL, wall_seconds + 1)
    return apart


def _leave_network() -> bool:
    """Best effort: containers often forbid it. In its own user namespace, root cannot raise its limits again either."""
    try:
        return bool(ctypes.CDLL(None).unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0)
    except (OSError, AttributeError):  # no such call on this system
        return False


@dataclass(frozen=True)
class Request:
    mode: str
    source: str
    values: Mapping[str, str]


def answer(request: Request, *, output_bytes: int) -> dict[str, str]:
    try:
        if request.mode == "validate":
            sandbox.validate(request.source)
            return {"text": ""}
        examples = request.mode == "preview"
        text = sandbox.render(request.source, request.values, output_bytes=output_bytes, examples=examples)
        return {"text": text}
    except Invalid as error:
        return {"error": error.message, "code": error.code}
    except MemoryError:
        return {"error": "The script needs too much memory. Shorten its loops.", "code": "script_too_heavy"}


def main() -> None:
    limits = json.loads(sys.argv[2])
    warm_up()
    confine(cpu_seconds=limits["cpu_seconds"], memory_bytes=limits["memory_bytes"], wall_seconds=limits["wall_seconds"])
    request = Request(**json.loads(sys.stdin.buffer.read()))
    reply = json.dumps(answer(request, output_bytes=limits["output_bytes"]))
    sys.stdout.buffer.write(reply.encode())
    sys.stdout.buffer.flush()
    os._exit(0)  # nothing to tidy up, and tidying up takes time
