"""The built-in renderer as a process: `python -m avatar_scheduler.renderers.builtin make|measure FOLDER KEYS PARENT`.

FOLDER holds order.json. Each line on standard output is one JSON object: progress, then "done" or "refused".
"""

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from avatar_scheduler.domain.errors import SchedulerError
from avatar_scheduler.renderers.base import Order

MEMORY_BYTES = 6 << 30
FILE_BYTES = 2 << 30
_PR_SET_PDEATHSIG = 1


def _say(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _limit(parent: int) -> None:
    """Dies with its worker, and cannot eat the machine."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)


def make(order: Order, folder: Path, keys: Path) -> dict[str, Any]:
    """Script to signed file: render with the label baked in, XMP, then credentials last."""
    from avatar_scheduler.marks import credentials, label, source_types, xmp
    from avatar_scheduler.studio.job import Overlay, StudioJob
    from avatar_scheduler.studio.render import render

    art = label.draw(order.label_sign, order.label_words, (StudioJob.width, StudioJob.height))
    overlay = Overlay(art.rgba, art.width, art.height, art.x, art.y)
    job = StudioJob(order.text, order.language, order.pack, order.scene, order.seed(), overlay)
    made = render(job, folder, lambda percent, step: _say(percent=percent * 90 // 100, step=step))
    _say(percent=91, step="Marking")
    xmp.write(made.video, source_types.TRAINED)
    signed = folder / "signed.mp4"
    credentials.sign(
        made.video, signed, folder=keys, title=order.title, software=order.software.rpartition(" ")[2], when=order.at()
    )
    _say(percent=94, step="Signed")
    return {
        "video": signed.name,
        "captions": made.captions.name,
        "poster": made.poster.name,
        "width": made.width,
        "height": made.height,
        "duration_ms": made.duration_ms,
    }


def measure(order: Order, folder: Path, keys: Path) -> dict[str, Any]:
    """Evidence on the finished file, in a process that did not make it."""
    from avatar_scheduler.marks import inspect, label
    from avatar_scheduler.studio.job import StudioJob

    art = label.draw(order.label_sign, order.label_words, (StudioJob.width, StudioJob.height))
    expected = inspect.Expected(art, order.caption, order.caption_line, (keys / "root.pem").read_text())
    found = inspect.inspect(folder / "signed.mp4", expected)
    return {
        "evidence": [
            {
                "mark": str(e.mark),
                "ok": e.ok,
                "summary": e.summary,
                "tool": e.tool,
                "subject": e.subject,
                "measured": dict(e.measured),
            }
            for e in found
        ]
    }


def main(argv: list[str]) -> int:
    verb, folder, keys, parent = argv[0], Path(argv[1]), Path(argv[2]), int(argv[3])
    _limit(parent)
    order = Order.read(json.loads((folder / "order.json").read_text()))
    try:
        done = make(order, folder, keys) if verb == "make" else measure(order, folder, keys)
    except SchedulerError as error:
        _say(refused={"code": error.code, "message": error.message})
        return 0
    except MemoryError:
        _say(
            refused={"code": "memory", "message": "The render needed more memory than it may have. Shorten the script."}
        )
        return 0
    _say(done=done)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
