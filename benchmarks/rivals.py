"""The same picture put together by others: an ffmpeg filter graph, and MoviePy.

Both get our figure as PNG layers, our plan of mouths and eyes, our captions and our voice, and encode with the settings
we use. They may leave out what they cannot do cheaply: the head only bobs and does not tilt.
"""

import json
import subprocess
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import skia
from PIL import Image

from avatar_scheduler.studio import planes, render
from avatar_scheduler.studio.avatar.pack import Pack
from avatar_scheduler.studio.avatar.sprites import draw_picture
from avatar_scheduler.studio.captions import Caption
from avatar_scheduler.studio.job import StudioJob
from avatar_scheduler.studio.lettering import BOLD
from avatar_scheduler.studio.scene.backdrop import backdrop
from avatar_scheduler.studio.scene.standing import stand
from avatar_scheduler.studio.timed import Speech, Timed

MOVIEPY = Path(__file__).with_name("moviepy_film.py")
_BOB, _BOB_SECONDS = 7, 2.7
_SLOTS = ("mouth", "eyes")


@dataclass(frozen=True)
class Parts:
    """A folder with everything a rival needs, and how long the film is."""

    folder: Path
    seconds: float
    fps: int
    places: dict[str, tuple[int, int]]
    """Left and top of each layer."""


def prepare(job: StudioJob, pack: Pack, speech: Speech, folder: Path) -> Parts:
    reel = render.plan(job, pack, speech)
    runs = {slot: list(_runs([getattr(look, slot) for look in reel.looks], job.fps)) for slot in _SLOTS}
    for slot, shown in runs.items():
        lines = [f"file '{part}.png'\nduration {end - start:.6f}" for start, end, part in shown]
        (folder / f"{slot}.txt").write_text("\n".join([*lines, f"file '{shown[-1][2]}.png'"]))
    (folder / "captions.ass").write_text(_karaoke(reel.captions, job), "utf-8")
    with wave.open(str(folder / "voice.wav"), "wb") as file:
        file.setparams((1, 2, speech.rate, 0, "NONE", ""))
        file.writeframes((np.clip(speech.samples, -1, 1) * 32767).astype("<i2").tobytes())
    places = _draw(job, pack, folder)
    captions = [[[w.text, w.start, end] for w, end in _heard(caption)] for caption in reel.captions]
    plan = {"fps": job.fps, "size": [job.width, job.height], "runs": runs, "places": places, "captions": captions}
    plan |= {"font": str(BOLD), "bob": _BOB, "bob_seconds": _BOB_SECONDS}
    (folder / "plan.json").write_text(json.dumps(plan))
    return Parts(folder, reel.timeline.frames / job.fps, job.fps, places)


def _heard(caption: Caption) -> list[tuple[Timed, float]]:
    """Each word with when the next one begins."""
    ends = [word.start for word in caption.words[1:]] + [caption.end]
    return list(zip(caption.words, ends, strict=True))


def ffmpeg(parts: Parts, program: str) -> None:
    """Four overlays, karaoke by libass, loudness in one pass."""
    still = ["-loop", "1", "-framerate", str(parts.fps), "-i"]
    inputs = [
        *still,
        "ground.png",
        *still,
        "head.png",
        "-f",
        "concat",
        "-i",
        "mouth.txt",
        "-f",
        "concat",
        "-i",
        "eyes.txt",
    ]
    bob = f"{_BOB}*sin(2*PI*t/{_BOB_SECONDS})"
    at = {name: f"overlay=x={x}:y='{y}+{bob}':eval=frame" for name, (x, y) in parts.places.items()}
    x, y = parts.places["label"]
    graph = (
        f"[2:v]fps={parts.fps}[m];[3:v]fps={parts.fps}[e];[0:v][1:v]{at['head']}[a];[a][m]{at['mouth']}[b];"
        f"[b][e]{at['eyes']}[c];[c][4:v]overlay=x={x}:y={y}[d];[d]ass=captions.ass:fontsdir='{BOLD.parent}'[v];"
        "[5:a]loudnorm=I=-14:TP=-1.5,aresample=48000[sound]"
    )
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-pix_fmt", "yuv420p", "-threads", "2"]
    coding += ["-r", str(parts.fps), "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-movflags", "+faststart"]
    command = [program, "-hide_banner", "-loglevel", "error", "-y", *inputs, *still, "label.png", "-i", "voice.wav"]
    command += ["-filter_complex", graph, "-filter_threads", "1", "-filter_complex_threads", "1"]
    command += ["-map", "[v]", "-map", "[sound]", "-t", f"{parts.seconds:.3f}", *coding, "ffmpeg.mp4"]
    subprocess.run(command, cwd=parts.folder, check=True)


def moviepy(parts: Parts, python: str, seconds: float) -> None:
    subprocess.run([python, str(MOVIEPY), str(seconds)], cwd=parts.folder, check=True)


def program(python: str) -> str:
    """The ffmpeg of the environment with the rivals."""
    code = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def _draw(job: StudioJob, pack: Pack, folder: Path) -> dict[str, tuple[int, int]]:
    """Layers cut to what can be seen of them, as anybody would. Returns where each lies."""
    brows = pack.brows("neutral")
    order = [brows if layer.part == "brows" else layer.part for layer in pack.layers]
    ground = _painted(job, pack, ["body"], backdrop(job))
    Image.fromarray(ground).convert("RGB").save(folder / "ground.png")
    moving = [part for part in order if part and part not in ("body", *_SLOTS)]
    places = {"head": _save({"head": _painted(job, pack, moving)}, folder)}
    for slot in _SLOTS:
        parts = [part for part in pack.files if part.startswith(f"{slot}_")]
        places[slot] = _save({part: _painted(job, pack, [part]) for part in parts}, folder)
    label = np.frombuffer(job.overlay.rgba, np.uint8).reshape(job.overlay.height, job.overlay.width, 4)
    Image.fromarray(label).save(folder / "label.png")
    return places | {"label": (job.overlay.x, job.overlay.y)}


def _painted(job: StudioJob, pack: Pack, parts: list[str], ground: planes.Pixels | None = None) -> planes.Pixels:
    rgba = np.zeros((job.height, job.width, 4), np.uint8) if ground is None else ground.copy()
    canvas = skia.Surface(rgba, colorType=skia.kRGBA_8888_ColorType).getCanvas()
    standing = stand(pack, (job.width, job.height), job.staging.place)
    canvas.translate(standing.left, standing.top)
    canvas.scale(standing.scale, standing.scale)
    for part in parts:
        draw_picture(pack.files[part], canvas, pack.width, pack.height)
    return rgba


def _save(pictures: dict[str, planes.Pixels], folder: Path) -> tuple[int, int]:
    """All cut to the same box."""
    seen = np.any([rgba[..., 3] > 0 for rgba in pictures.values()], axis=0)
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    for name, rgba in pictures.items():
        part = np.ascontiguousarray(rgba[top : rows[-1] + 1, left : columns[-1] + 1])
        Image.fromarray(part).save(folder / f"{name}.png")
    return left, top


def _runs(parts: list[str], fps: int) -> Iterator[tuple[float, float, str]]:
    at = 0
    for part, group in groupby(parts):
        count = len(list(group))
        yield at / fps, (at + count) / fps, part
        at += count


def _karaoke(shown: list[Caption], job: StudioJob) -> str:
    """White words on a dark box, the one being heard in amber."""
    style = "Karaoke,Atkinson Hyperlegible,74,&H003DC5FF,&H00FFFFFF,&H2D221A14,&H2D221A14,-1,0,0,0,100,100,0,0,3,14,0,2"
    lines = [
        f"[Script Info]\nPlayResX: {job.width}\nPlayResY: {job.height}\n\n[V4+ Styles]",
        "Format: Name,Fontname,Fontsize,PrimaryColour,SecondaryColour,OutlineColour,BackColour,Bold,Italic,Underline,"
        "StrikeOut,ScaleX,ScaleY,Spacing,Angle,BorderStyle,Outline,Shadow,Alignment,MarginL,MarginR,MarginV,Encoding",
        f"Style: {style},120,120,400,1\n\n[Events]",
        "Format: Layer,Start,End,Style,Text",
    ]
    for caption in shown:
        words = "".join(f"{{\\k{round(100 * (end - word.start))}}}{word.text} " for word, end in _heard(caption))
        lines.append(f"Dialogue: 0,{_clock(caption.start)},{_clock(caption.end)},Karaoke,{words.strip()}")
    return "\n".join(lines)


def _clock(seconds: float) -> str:
    hundredths = round(seconds * 100)
    return f"0:{hundredths // 6000:02}:{hundredths // 100 % 60:02}.{hundredths % 100:02}"
