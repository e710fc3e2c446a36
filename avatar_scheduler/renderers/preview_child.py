"""The process behind previews: `python -m avatar_scheduler.renderers.preview_child SENTENCES`.

A line of JSON on standard input asks. Start and next are answered on standard output, by a line of JSON and the bytes
of one piece; warm and drop are not answered. It ends when its input does.
"""

import contextlib
import json
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from avatar_scheduler.domain.errors import SchedulerError
from avatar_scheduler.renderers import builtin, marking
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.studio import preview
from avatar_scheduler.studio.draft_sign import with_draft_sign
from avatar_scheduler.studio.job import StudioJob

MEMORY_BYTES = 4 << 30
TAKES = 8
"""Films under way at once; the oldest gives way."""


def job_of(order: Order, folder: Path, sentences: Path | None) -> StudioJob:
    """What the render would make, small: the same words, look and staging."""
    whole = builtin.job_of(order, folder, sentences)
    width, height = preview.size(whole.width, whole.height)
    overlay = with_draft_sign(marking.plate(order, (width, height)), width)
    return replace(whole, width=width, height=height, fps=preview.FPS, overlay=overlay, draft=True)


@cache
def _warm_up(language: str) -> None:
    """Loads fonts, encoders and the language's voice before anybody waits for them."""
    order = Order("", "1 2 3.", language, "maya", "kitchen", "AI", "Avatar", "", "", "", "")
    with contextlib.suppress(SchedulerError):  # a language without a voice here
        for _ in preview.pieces(job_of(order, Path(), None)):
            pass


def _start(folder: Path, sentences: Path) -> Iterator[bytes]:
    order = Order.read(json.loads((folder / "order.json").read_text()))
    return preview.pieces(job_of(order, folder, sentences))


def _say(head: dict[str, Any], piece: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps({**head, "bytes": len(piece)}).encode() + b"\n" + piece)
    sys.stdout.buffer.flush()


def _answer(takes: dict[str, Iterator[bytes]], line: dict[str, str], sentences: Path) -> None:
    if "warm" in line:
        _warm_up(line["warm"])
        return
    if "drop" in line:
        takes.pop(line["drop"], None)
        return
    take = line.get("start", line.get("next", ""))
    try:
        if "start" in line:
            takes[take] = _start(Path(line["folder"]), sentences)
            while len(takes) > TAKES:
                takes.pop(next(iter(takes)))
        piece = next(takes.get(take, iter(())), b"")
    except SchedulerError as error:
        takes.pop(take, None)
        _say({"refused": error.message, "code": error.code})
    except MemoryError:
        takes.clear()
        _say({"refused": "The preview needs too much memory. Shorten the script.", "code": "memory"})
    else:
        _say({}, piece)


def main(argv: list[str]) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    takes: dict[str, Iterator[bytes]] = {}
    for line in sys.stdin.buffer:
        _answer(takes, json.loads(line), Path(argv[0]))
    return 0


if __name__ == "__main__":
    # Libraries may print; what they print must not reach the one who counts bytes.
    kept = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(kept, "w")
    sys.exit(main(sys.argv[1:]))
