"""What a render costs, in CPU seconds, beside the encoder's own work and beside others that compose the same picture.

    python -m benchmarks.render [--reps 3] [--soak 200] [--json FILE] [--rivals PYTHON]

The yardstick is x264 fed with the very same frames, made beforehand, at the same settings, and nothing else: no
drawing, no voice, no sound, no captions. Each repetition runs the yardstick and then our film and our whole render, so
that a busy machine slows all. Imports are not counted; loading the voice is. Each measurement has its own process.

The rivals need an environment of their own, for MoviePy wants an older Pillow than we do:

    uv venv rivals && uv pip install --python rivals/bin/python --group bench
    python -m benchmarks.render --rivals rivals/bin/python
"""

import argparse
import gc
import json
import multiprocessing
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.staging import Background, Staging
from avatar_scheduler.marks import label
from avatar_scheduler.studio import audio, encode, planes, render
from avatar_scheduler.studio.avatar import pack
from avatar_scheduler.studio.job import PACKS, Material, Overlay, StudioJob
from avatar_scheduler.studio.speech.speak import perform
from benchmarks import rivals

SCRIPT = (
    "Hi, I'm Maya! Today I'm baking sourdough in my little kitchen, and you can bake along. "
    "We start at 6:30 on Thursday. Will you bring the butter? "
    "First, wake the starter the evening before. Feed it, cover it, and leave it somewhere warm. "
    "In the morning it should float in a glass of water. If it sinks, give it another two hours. "
    "Then flour, water and a little salt. Fold the dough four times, half an hour apart, with wet hands. "
    "That is all the kneading it needs."
)
FRENCH = (
    "Bonjour, je suis Maya\u202f! Aujourd'hui, je fais du pain au levain dans ma petite cuisine, et vous pouvez le "
    "faire avec moi. On commence jeudi à six heures et demie. Réveillez d'abord le levain la veille au soir. "
    "Nourrissez-le, couvrez-le, et laissez-le au chaud. Le matin, il doit flotter dans un verre d'eau. "
    "Ensuite, de la farine, de l'eau et un peu de sel. Pliez la pâte quatre fois, toutes les demi-heures."
)
SHORT = "Hello, I am Maya! See you at half past six."
TARGET = 1.15
MOVIEPY_SECONDS = 6.0
"""Of film for MoviePy; its cost is scaled up to the whole."""


@dataclass(frozen=True)
class Cost:
    cpu: float
    wall: float
    peak_mb: int = 0
    """Of the process, with everything it loaded."""


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--soak", type=int, default=0, help="renders in one process, one after the other")
    parser.add_argument("--rivals", help="a Python with the dependency group bench")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    result = measure(max(1, options.reps), options.soak, options.rivals)
    text = json.dumps(result, indent=2)
    if options.json:
        options.json.write_text(text + "\n", "utf-8")
    print(_table(result))
    print(text)


def measure(reps: int, soak: int, rivals_python: str | None) -> dict[str, Any]:
    costs: dict[str, list[Cost]] = {"limit": [], "film": [], "dropped": [], "render": []}
    for _ in range(reps):
        costs["limit"].append(_apart(limit))
        costs["film"].append(_apart(our_film, drop_repeats=False))
        costs["dropped"].append(_apart(our_film, drop_repeats=True))
        costs["render"].append(_apart(our_render))
    if rivals_python:
        costs["ffmpeg"] = [_apart(ffmpeg, rivals_python)]
        costs["moviepy"] = [_apart(moviepy, rivals_python)]
    result = {
        "machine": _machine(),
        "film": _apart(facts),
        "cpu_seconds": {name: [round(cost.cpu, 2) for cost in each] for name, each in costs.items()},
        "runs": {name: [asdict(cost) for cost in each] for name, each in costs.items()},
        "ratio_without_voice": _ratio(costs["film"], costs["limit"]),
        "ratio_with_voice": _ratio(costs["render"], costs["limit"]),
        "target": TARGET,
        "compositor_ms": _apart(compositor_ms, moving=False),
        "compositor_ms_over_film": _apart(compositor_ms, moving=True),
        "soak": _apart(renders_in_a_row, soak) if soak else [],
    }
    return result | {"french": _apart(french)}


def _apart(work: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments, **settings).result()


def limit() -> Cost:
    """Repeated frames are kept once: a list of frames, and which one is shown when."""
    job = _job()
    distinct: list[av.VideoFrame] = []
    order: list[int] = []
    for frame in render.plan(job, pack.load(PACKS / job.avatar), perform(job)).frames():
        if frame is not None:
            distinct.append(av.VideoFrame.from_ndarray(frame.to_ndarray(), format="yuv420p"))
        order.append(len(distinct) - 1)

    def encode_only(folder: Path) -> None:
        with av.open(str(folder / "limit.mp4"), "w", format="mp4") as container:
            stream = encode.video_stream(container, job.width, job.height, job.fps)
            for number, index in enumerate(order):
                frame = distinct[index]
                frame.pts, frame.time_base = number, Fraction(1, job.fps)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))

    return _timed(encode_only)


def our_film(*, drop_repeats: bool) -> Cost:
    """Draw, mix and encode, the voice given."""
    job = _job()
    speech = perform(job)

    def make(folder: Path) -> None:
        reel = render.plan(job, pack.load(PACKS / job.avatar), speech)
        sound = audio.mix(speech.samples, speech.rate, seconds=reel.timeline.frames / job.fps)
        size = (job.width, job.height)
        path = folder / "film.mp4"
        encode.write_mp4(path, reel.frames(), sound, size=size, fps=job.fps, drop_repeats=drop_repeats)

    return _timed(make)


def our_render() -> Cost:
    """Everything, from the script to the poster."""
    return _timed(lambda folder: render.render(_job(), folder, _silent))


def ffmpeg(python: str) -> Cost:
    program = rivals.program(python)
    with tempfile.TemporaryDirectory() as name:
        parts = _rival_parts(Path(name))
        return _timed(lambda folder: rivals.ffmpeg(parts, program))


def moviepy(python: str) -> Cost:
    """Scaled from a few seconds; what it needs to start is taken off first."""
    with tempfile.TemporaryDirectory() as name:
        parts = _rival_parts(Path(name))
        start = _timed(lambda folder: rivals.moviepy(parts, python, 1 / parts.fps))
        some = _timed(lambda folder: rivals.moviepy(parts, python, MOVIEPY_SECONDS))
        scale = parts.seconds / MOVIEPY_SECONDS
        return Cost(start.cpu + (some.cpu - start.cpu) * scale, start.wall + (some.wall - start.wall) * scale)


def french() -> dict[str, Any]:
    """The first time, and again with its sentences kept."""
    with tempfile.TemporaryDirectory() as name:
        job = replace(_job(), text=FRENCH, language="fr", sentences=Path(name))
        try:
            speech = perform(replace(job, sentences=None))
            first = _timed(lambda folder: render.render(job, folder, _silent))
            again = _timed(lambda folder: render.render(job, folder, _silent))
        except Invalid as problem:
            return {"not_measured": problem.message}
        return {"seconds": round(speech.seconds, 2), "first": asdict(first), "again": asdict(again)}


def compositor_ms(*, moving: bool) -> dict[str, float]:
    """Per frame: the first time, with everything drawn that the film needs, and once it is drawn.

    The moving ground is decoded beforehand; decoding it is the material's cost, not the compositor's.
    """
    with tempfile.TemporaryDirectory() as name:
        job = _job()
        if moving:
            material = Material("clip", waves(Path(name) / "waves.mp4"))
            job = replace(job, staging=Staging(background=Background("video", "waves")), materials={"waves": material})
        speech = perform(job)
        reel = render.plan(job, pack.load(PACKS / job.avatar), speech)
        clip = reel.moving["waves"].covering((job.width, job.height), job.fps, loop=True) if moving else None
        grounds: list[planes.Planes | None] = list(islice(clip, 8)) if clip else [None]
        reel.replace_ground(cycle(grounds))
        spent = []
        for _ in range(2):
            before = time.process_time()
            frames = sum(1 for _ in reel.frames())
            spent.append(round(1000 * (time.process_time() - before) / frames, 3))
            reel.replace_ground(cycle(grounds))
    return {"drawing_included": spent[0], "drawn_before": spent[1]}


def renders_in_a_row(count: int) -> list[dict[str, int]]:
    """Memory and objects after the renders at the start, in the middle and at the end."""
    job, seen = replace(_job(), text=SHORT), []
    for number in range(1, count + 1):
        with tempfile.TemporaryDirectory() as name:
            render.render(job, Path(name), _silent)
        if number in {1, 2, 5, 10, count // 4, count // 2, 3 * count // 4, count}:
            gc.collect()
            resident = psutil.Process().memory_info().rss >> 20
            seen.append({"renders": number, "resident_mb": resident, "objects": len(gc.get_objects())})
    return seen


def facts() -> dict[str, Any]:
    job = _job()
    with tempfile.TemporaryDirectory() as name:
        done = render.render(job, Path(name), _silent)
        size = done.video.stat().st_size
    reel = render.plan(job, pack.load(PACKS / job.avatar), perform(job))
    changing = sum(frame is not None for frame in reel.frames())
    return {
        "seconds": done.duration_ms / 1000,
        "frames": reel.timeline.frames,
        "frames_that_differ_from_the_one_before": changing,
        "bytes": size,
    }


def _job() -> StudioJob:
    art = label.draw("AI", "Avatar of Maya", (StudioJob.width, StudioJob.height))
    overlay = Overlay(art.rgba, art.width, art.height, art.x, art.y)
    return StudioJob(SCRIPT, "en", "maya", "kitchen", "5eed", overlay)


def _rival_parts(folder: Path) -> rivals.Parts:
    job = _job()
    return rivals.prepare(job, pack.load(PACKS / job.avatar), perform(job), folder)


def waves(path: Path) -> Path:
    """A second of soft moving colour, at full size."""
    width, height = StudioJob.width, StudioJob.height
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    with av.open(str(path), "w", format="mp4") as container:
        stream = encode.video_stream(container, width, height, 30)
        for number in range(30):
            waves = [np.sin(columns / 90 + number / 9), np.sin(rows / 130 - number / 7), np.sin((rows + columns) / 160)]
            picture = np.dstack([128 + 90 * wave for wave in waves]).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _timed(work: Callable[[Path], object]) -> Cost:
    with tempfile.TemporaryDirectory() as name:
        cpu, wall = _cpu(), time.perf_counter()
        work(Path(name))
        spent = _cpu() - cpu, time.perf_counter() - wall
    return Cost(*spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)


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


_ROWS = {
    "limit": "x264 alone, frames made beforehand",
    "film": "our film, voice given",
    "dropped": "our film, repeated pictures left out",
    "render": "our render, whole",
    "ffmpeg": "ffmpeg filter graph, voice given",
    "moviepy": f"MoviePy, voice given (from {MOVIEPY_SECONDS:g} s)",
}


def _table(result: dict[str, Any]) -> str:
    film, runs = result["film"], result["runs"]
    base = statistics.median(run["cpu"] for run in runs["limit"])
    lines = [
        f"{film['seconds']} s of film, {film['frames']} frames, {film['bytes'] >> 10} KB",
        f"{'':42}{'CPU s':>8}{'ratio':>8}{'peak MB':>9}   runs",
    ]
    for name, each in runs.items():
        median, peak = statistics.median(run["cpu"] for run in each), max(run["peak_mb"] for run in each)
        spent = " ".join(f"{run['cpu']:.2f}" for run in each)
        ours = f"{peak:9}" if name in ("film", "dropped", "render") else f"{'':9}"
        lines.append(f"{_ROWS[name]:42}{median:8.2f}{median / base:8.2f}{ours}   {spent}")
    others = ("compositor_ms", "compositor_ms_over_film", "french", "soak")
    return "\n".join([*lines, *(f"{name}: {json.dumps(result[name])}" for name in others), ""])


if __name__ == "__main__":
    main(sys.argv[1:])
