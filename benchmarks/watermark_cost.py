"""What the hidden mark costs: bytes and CPU of each built-in look, and how far the picture is from the one without it.

    python -m benchmarks.watermark_cost [--text SENTENCES] [--reps 3]

Each look is drawn and encoded with the settings of a render, without and with the mark, in turn; the bytes are those of
the pictures alone, and beside them of the file with its sound. Then a film over a moving ground and a still picture,
where there is no target.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

import av
import numpy as np

from avatar_scheduler.domain.slides import Slide
from avatar_scheduler.domain.staging import Background, Staging
from avatar_scheduler.marks import label
from avatar_scheduler.marks.watermark import detect, embed
from avatar_scheduler.studio import encode, planes, render
from avatar_scheduler.studio.avatar import pack
from avatar_scheduler.studio.job import PACKS, Material, Overlay, StudioJob
from avatar_scheduler.studio.scene.reel import Reel
from avatar_scheduler.studio.speech.speak import perform
from avatar_scheduler.studio.stills import draw
from avatar_scheduler.studio.timed import Speech
from benchmarks.render import waves

LOOKS = (("maya", "kitchen"), ("leo", "studio"), ("noa", "city"))
TEXT = (
    "Hi there! Today I'm baking sourdough in my little kitchen, and you can bake along. We start at 6:30 on Thursday. "
    "Will you bring the butter?"
)
MARK, KEY = "5eed1d1d", b"a key of the benchmarks".ljust(32)
SOUND_BITS = 128_000
BYTES_TARGET, CPU_TARGET, DECIBELS_TARGET = 8.0, 5.0, 38.0


@dataclass(frozen=True)
class Made:
    size: int
    cpu: float


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", default=TEXT)
    parser.add_argument("--reps", type=int, default=3, help="times each film is encoded; the bytes are always the same")
    options = parser.parse_args(argv)
    print(f"{'':22}{'KB':>6}{'pictures':>10}{'file':>8}{'CPU':>8}{'PSNR':>7}   read back")
    for avatar, scene in LOOKS:
        _film(job(avatar, scene, options.text), f"{avatar} {scene}", options.reps)
    with tempfile.TemporaryDirectory() as name:
        material = Material("clip", waves(Path(name) / "waves.mp4"))
        over_film = replace(
            job("maya", "kitchen", options.text),
            staging=Staging(background=Background("video", "waves")),
            materials={"waves": material},
        )
        _film(over_film, "maya over a film", 1)
        _over_film(over_film)
    _still(job("maya", "kitchen", "x", (1080, 1350)))
    print(f"targets: pictures <= +{BYTES_TARGET:g} %, CPU <= +{CPU_TARGET:g} %, PSNR >= {DECIBELS_TARGET:g} dB")


def job(avatar: str, scene: str, text: str, size: tuple[int, int] = (1080, 1920)) -> StudioJob:
    art = label.draw("AI", "Avatar of Maya", size)
    return StudioJob(text, "en", avatar, scene, "5eed", Overlay(art.rgba, art.width, art.height, art.x, art.y), *size)


def hidden(luma: planes.Pixels) -> embed.Field:
    return embed.field(luma, MARK, KEY)


def _film(bare: StudioJob, name: str, reps: int) -> None:
    speech, marked = perform(bare), replace(bare, watermark=hidden)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        runs = [(_encoded(bare, speech, path), _encoded(marked, speech, path)) for _ in range(reps)]
        evidence = detect.measure(path, MARK, KEY)
    without, with_mark = runs[0]
    sound = speech.seconds * SOUND_BITS / 8
    cpu = statistics.median(run[1].cpu for run in runs) / statistics.median(run[0].cpu for run in runs)
    print(
        f"{name:22}{without.size >> 10:6}{_more(with_mark.size / without.size):>10}"
        f"{_more((with_mark.size + sound) / (without.size + sound)):>8}{_more(cpu):>8}"
        f"{_decibels(_reel(bare, speech), _reel(marked, speech)):7.1f}   {evidence.summary}, "
        f"sync {int(evidence.measured['sync']) / 1000:.1f}, decoder {int(evidence.measured['decoder']) / 1000:.1f}"
    )


def _reel(of: StudioJob, speech: Speech) -> Reel:
    return render.plan(of, pack.load(PACKS / of.avatar), speech)


def _encoded(of: StudioJob, speech: Speech, path: Path) -> Made:
    """Drawn and encoded at a constant rate, without sound."""
    begin = time.process_time()
    with av.open(str(path), "w", format="mp4") as container:
        stream = encode.video_stream(container, of.width, of.height, of.fps)
        for number, frame in enumerate(_whole(_reel(of, speech))):
            frame.pts, frame.time_base = number, Fraction(1, of.fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return Made(path.stat().st_size, time.process_time() - begin)


def _whole(reel: Reel) -> Iterator[av.VideoFrame]:
    last: av.VideoFrame | None = None
    for frame in reel.frames():
        last = frame or last
        if last is not None:
            yield last


def _decibels(one: Reel, other: Reel, step: int = 15) -> float:
    """In RGB, of each `step`th frame before it is encoded."""
    errors = [
        float(((a.to_ndarray(format="rgb24").astype(np.float32) - b.to_ndarray(format="rgb24")) ** 2).mean())
        for number, (a, b) in enumerate(zip(_whole(one), _whole(other), strict=True))
        if number % step == 0
    ]
    return float(10 * np.log10(255**2 / statistics.mean(errors)))


def _over_film(of: StudioJob) -> None:
    """The compositor alone, its pictures drawn and the ground decoded beforehand."""
    speech = perform(of)
    spent = []
    for each in (of, replace(of, watermark=hidden)):
        reel = _reel(each, speech)
        clip = reel.moving["waves"].covering((of.width, of.height), of.fps, loop=True)
        grounds = list(islice(clip, 8))
        for _ in range(2):
            reel.replace_ground(cycle(grounds))
            begin = time.process_time()
            frames = sum(1 for _ in reel.frames())
            took = 1000 * (time.process_time() - begin) / frames
        spent.append(took)
    print(f"{'compositor over a film':22}{spent[0]:6.2f} ms a frame, {spent[1]:.2f} with the mark")


def _still(of: StudioJob) -> None:
    slide, look = Slide("look", "Evening walks count too."), pack.load(PACKS / of.avatar)
    begin = time.process_time()
    bare = draw.picture(of, slide, look, "")
    between = time.process_time()
    marked = draw.picture(replace(of, watermark=hidden), slide, look, "")
    took = time.process_time() - between, between - begin
    error = float(((bare.astype(np.float32) - marked) ** 2).mean())
    more = _more(len(draw.encode(marked)) / len(draw.encode(bare)))
    print(
        f"{'still picture':22}{len(draw.encode(bare)) >> 10:6}{more:>10}{more:>8}"
        f"{'':8}{10 * np.log10(255**2 / error):7.1f}   {1000 * (took[0] - took[1]):.0f} ms"
    )


def _more(ratio: float) -> str:
    return f"{100 * (ratio - 1):+.1f} %"


if __name__ == "__main__":
    main(sys.argv[1:])
