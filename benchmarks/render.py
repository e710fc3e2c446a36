"""What a render costs beside the encoder's own work, in CPU seconds.

    python -m benchmarks.render [--reps 3] [--json FILE]

The yardstick is x264 fed with the very same frames, made beforehand, at the same settings, and nothing else: no
drawing, no voice, no sound, no captions. Each repetition runs the yardstick and then our whole render, so that a busy
machine slows both. Imports are not counted; loading the voice is.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from avatar_scheduler.studio import encode, render
from avatar_scheduler.studio.avatar import pack
from avatar_scheduler.studio.job import PACKS, Overlay, StudioJob
from avatar_scheduler.studio.speech.speak import perform
from avatar_scheduler.studio.timed import Speech

SCRIPT = (
    "Hi, I'm Maya! Today I'm baking sourdough in my little kitchen, and you can bake along. "
    "We start at 6:30 on Thursday. Will you bring the butter? "
    "First, wake the starter the evening before. Feed it, cover it, and leave it somewhere warm. "
    "In the morning it should float in a glass of water. If it sinks, give it another two hours. "
    "Then flour, water and a little salt. Fold the dough four times, half an hour apart, with wet hands. "
    "That is all the kneading it needs."
)
TARGET = 1.4


@dataclass(frozen=True)
class Cost:
    cpu: float
    wall: float


@dataclass(frozen=True)
class Frames:
    """Repeated frames are kept once: a list of frames, and which one is shown when."""

    distinct: list[av.VideoFrame]
    order: list[int]


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    result = measure(max(1, options.reps))
    text = json.dumps(result, indent=2)
    if options.json:
        options.json.write_text(text + "\n", "utf-8")
    print(_table(result))
    print(text)


def measure(reps: int) -> dict[str, object]:
    job = _job()
    speech = perform(job)
    frames = _premade(job, speech)
    costs: dict[str, list[Cost]] = {"limit": [], "film": [], "render": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(reps):
            costs["limit"].append(_timed(lambda: _encode_only(folder / "limit.mp4", frames, job)))
            costs["film"].append(_timed(lambda: render.film(job, speech, folder, _silent)))
            costs["render"].append(_timed(lambda: render.render(job, folder, _silent)))
        size = (folder / "video.mp4").stat().st_size
    return {
        "machine": _machine(),
        "film": {
            "seconds": round(speech.seconds, 2),
            "frames": len(frames.order),
            "distinct_frames": len(frames.distinct),
            "bytes": size,
        },
        "cpu_seconds": {name: [round(cost.cpu, 2) for cost in each] for name, each in costs.items()},
        "runs": {name: [asdict(cost) for cost in each] for name, each in costs.items()},
        "ratio_without_voice": _ratio(costs["film"], costs["limit"]),
        "ratio_with_voice": _ratio(costs["render"], costs["limit"]),
        "target": TARGET,
    }


def _job() -> StudioJob:
    plate = np.zeros((120, 560, 4), np.uint8)
    plate[...] = (20, 24, 30, 220)
    return StudioJob(SCRIPT, "en", "maya", "kitchen", "5eed", Overlay(plate.tobytes(), 560, 120, 480, 60))


def _premade(job: StudioJob, speech: Speech) -> Frames:
    planned = render.plan(job, pack.load(PACKS / job.avatar), speech)
    distinct: list[av.VideoFrame] = []
    order: list[int] = []
    shown = None
    for state, frame in zip(zip(planned.looks, planned.on_screen, strict=True), planned.frames(), strict=True):
        if state != shown:
            distinct.append(av.VideoFrame.from_ndarray(frame.to_ndarray(), format="yuv420p"))
            shown = state
        order.append(len(distinct) - 1)
    return Frames(distinct, order)


def _encode_only(path: Path, frames: Frames, job: StudioJob) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = encode.video_stream(container, job.width, job.height, job.fps)
        for number, index in enumerate(frames.order):
            frame = frames.distinct[index]
            frame.pts, frame.time_base = number, Fraction(1, job.fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _timed(work: Callable[[], object]) -> Cost:
    cpu, wall = _cpu(), time.perf_counter()
    work()
    return Cost(_cpu() - cpu, time.perf_counter() - wall)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _ratio(ours: list[Cost], limit: list[Cost]) -> float:
    return round(statistics.median(c.cpu for c in ours) / statistics.median(c.cpu for c in limit), 3)


def _silent(percent: int, stage: str) -> None:
    """Nobody watches a benchmark's progress."""


def _machine() -> dict[str, object]:
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "load": [round(value, 1) for value in os.getloadavg()],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "av": av.__version__,
    }


def _table(result: dict[str, object]) -> str:
    cpu, film = result["cpu_seconds"], result["film"]
    if not isinstance(cpu, dict) or not isinstance(film, dict):
        raise TypeError("measure() returns a table of lists")
    rows = [
        ("x264 alone, frames made beforehand", "limit"),
        ("our render, voice given", "film"),
        ("our render, whole", "render"),
    ]
    base = statistics.median(cpu["limit"])
    lines = [
        f"{film['seconds']} s of film, {film['frames']} frames, {film['distinct_frames']} distinct",
        f"{'':38}{'CPU s':>8}{'ratio':>8}   runs",
    ]
    for title, name in rows:
        median = statistics.median(cpu[name])
        lines.append(f"{title:38}{median:8.2f}{median / base:8.2f}   {' '.join(map(str, cpu[name]))}")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main(sys.argv[1:])
