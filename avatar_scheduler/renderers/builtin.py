"""The built-in renderer as a process: `python -m avatar_scheduler.renderers.builtin VERB FOLDER KEYS PARENT SENTENCES`.

VERB is make or measure. FOLDER holds order.json and, under materials/, the files it names. Each line on standard output
is one JSON object: progress, then "done" or "refused".
"""

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avatar_scheduler.domain.errors import SchedulerError
from avatar_scheduler.renderers.base import MADE, PACK, Order
from avatar_scheduler.rules.renderers import BUILTIN

if TYPE_CHECKING:  # the studio is loaded only after the limits are set
    from avatar_scheduler.domain.disclosure import Evidence
    from avatar_scheduler.marks.label import LabelArt
    from avatar_scheduler.studio.job import Overlay, StudioJob
    from avatar_scheduler.studio.watermark import Watermark

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


def job_of(
    order: Order, folder: Path, sentences: Path | None = None, watermark: "Watermark | None" = None
) -> "StudioJob":
    """The order as the studio takes it. Its files lie in FOLDER/materials, put there and hashed by whoever ordered.

    Without a `watermark` it is a draft, or an outline.
    """
    from avatar_scheduler.domain import staging
    from avatar_scheduler.renderers import marking
    from avatar_scheduler.studio.job import Material, StudioJob

    staged = staging.read(json.loads(order.staging))
    art = marking.plate(order, staged.size)
    materials = {
        name: Material(about["kind"], folder / "materials" / name)
        for name, about in json.loads(order.materials).items()
    }
    return StudioJob(
        order.text,
        order.language,
        order.pack,
        order.scene,
        order.seed(),
        _overlay(art),
        width=staged.size[0],
        height=staged.size[1],
        staging=staged,
        materials=materials,
        pack=_pack(order, folder),
        pronunciations=json.loads(order.pronunciations),
        sentences=sentences,
        spoken=order.spoken,
        over_person=_overlay(art.sponsor) if art.sponsor else None,
        watermark=watermark,
    )


def _overlay(art: "LabelArt") -> "Overlay":
    from avatar_scheduler.studio.job import Overlay

    return Overlay(art.rgba, art.width, art.height, art.x, art.y)


def _pack(order: Order, folder: Path) -> Path | None:
    """An uploaded look, unpacked beside its zip; None for a built-in one."""
    if not order.uploaded_pack:
        return None
    from avatar_scheduler.studio.avatar import pack_zip

    target = folder / "pack"
    if not target.exists():
        pack_zip.extract(folder / PACK, target)
    return target


def make(order: Order, folder: Path, keys: Path, sentences: Path | None) -> dict[str, Any]:
    """Script to signed file: render with label and watermark baked in, metadata, then credentials last."""
    from avatar_scheduler.marks import source_types
    from avatar_scheduler.renderers import marking
    from avatar_scheduler.studio.render import render

    job = job_of(order, folder, sentences, marking.watermark(order, keys))
    made = render(job, folder, lambda percent, step: _say(percent=percent * 90 // 100, step=step))
    _say(percent=91, step="Marking")
    signed = folder / "signed.mp4"
    said = marking.sign(order, made.video, signed, keys, source_types.TRAINED)
    _say(percent=94, step="Signed")
    return {
        "video": signed.name,
        "captions": made.captions.name,
        "poster": made.poster.name,
        "width": made.width,
        "height": made.height,
        "duration_ms": made.duration_ms,
        "human_ms": made.human_ms,
        "signed": [{"kind": "video", **said}],
    }


def measure(order: Order, folder: Path, keys: Path, notices: Path | None = None) -> dict[str, Any]:
    """Evidence on the finished file, in a process that did not make it. `notices` keeps what only measuring said."""
    from avatar_scheduler.domain import staging
    from avatar_scheduler.marks import inspect
    from avatar_scheduler.renderers import marking

    made = json.loads((folder / MADE).read_text())
    size = staging.read(json.loads(order.staging)).size
    spans = tuple((start, end) for start, end in made["human_ms"])
    video = folder / "signed.mp4"
    found = inspect.inspect(video, marking.expected(order, keys, size, spans, notices))
    return {"evidence": [evidence(e) for e in found], "prints": marking.prints({"video": video})}


def evidence(e: "Evidence") -> dict[str, Any]:
    return {
        "mark": str(e.mark),
        "ok": e.ok,
        "summary": e.summary,
        "tool": e.tool,
        "subject": e.subject,
        "measured": dict(e.measured),
    }


def work(verb: str, order: Order, folder: Path, keys: Path, sentences: Path | None) -> dict[str, Any]:
    if verb == "make":
        if order.renderer != BUILTIN:
            from avatar_scheduler.renderers import finishing

            made = finishing.make(order, folder, keys, lambda percent, step: _say(percent=percent, step=step))
        elif order.form == "stills":
            from avatar_scheduler.renderers import stills

            made = stills.make(order, folder, keys)
        else:
            made = make(order, folder, keys, sentences)
        (folder / MADE).write_text(json.dumps(made))
        return made
    if order.form == "stills":
        from avatar_scheduler.renderers import stills

        return stills.measure(order, folder, keys)
    return measure(order, folder, keys, sentences)


def main(argv: list[str]) -> int:
    verb, folder, keys, parent = argv[0], Path(argv[1]), Path(argv[2]), int(argv[3])
    sentences = Path(argv[4]) if argv[4:] and argv[4] else None
    _limit(parent)
    order = Order.read(json.loads((folder / "order.json").read_text()))
    try:
        done = work(verb, order, folder, keys, sentences)
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
