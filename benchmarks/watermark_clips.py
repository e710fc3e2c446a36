"""Pictures to hide a mark in: the built-in looks as the studio draws them, and others made to be unlike them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.marks import label
from avatar_scheduler.studio import render
from avatar_scheduler.studio.avatar import pack
from avatar_scheduler.studio.job import PACKS, Overlay, StudioJob
from avatar_scheduler.studio.speech.speak import perform

Plane = NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]
FRAMES = 10
LOOKS = (("maya", "kitchen", (1080, 1920)), ("leo", "studio", (1080, 1080)), ("noa", "city", (1920, 1080)))
TALL = (1080, 1920)
SPEECH = "Hi! Today we bake. Will you bring the butter?"
GENERATED = (
    "testsrc2=s=1080x1920", "mandelbrot=s=1080x1920", "life=s=270x480:mold=10:life_color=orange:death_color=teal",
    "gradients=s=1080x1920:speed=0.05", "gradients=s=1080x1920:n=6:type=spiral", "zoneplate=s=1080x1920:ku=90:kv=90",
    "perlin=s=540x960", "smptehdbars=s=1080x1920", "sierpinski=s=1080x1920", "yuvtestsrc=s=1080x1920",
)  # fmt: skip
"""Sources of FFmpeg's own."""


@dataclass(frozen=True)
class Clip:
    name: str
    frames: list[Planes]

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.frames[0][0].shape
        return width, height


def looks() -> list[Clip]:
    return [_look(*each) for each in LOOKS]


def _look(name: str, scene: str, size: tuple[int, int]) -> Clip:
    art = label.draw("AI", f"Avatar of {name.title()}", size)
    overlay = Overlay(art.rgba, art.width, art.height, art.x, art.y)
    job = StudioJob(SPEECH, "en", name, scene, "5eed", overlay, width=size[0], height=size[1])
    made: list[Planes] = []
    for frame in islice(render.plan(job, pack.load(PACKS / name), perform(job)).frames(), FRAMES):
        made.append(made[-1] if frame is None else copied(frame))
    return Clip(f"{name}, {scene}, {size[0]}x{size[1]}", made)


def others(photos: Path | None) -> Iterator[Clip]:
    for source in GENERATED:
        yield Clip(source.partition("=")[0], _generated(source))
    for seed in range(6):
        yield Clip(f"clouds {seed}", _panned(_clouds(seed)))
    for seed in range(4):
        yield Clip(f"shapes {seed}", _panned(_shapes(seed)))
    for seed in range(2):
        yield Clip(f"page {seed}", _panned(_page(seed)))
    for path in sorted(photos.iterdir()) if photos else ():
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if picture is not None:
            yield Clip(path.stem, _panned(np.asarray(picture, np.uint8)))


def to_frame(planes: Planes) -> av.VideoFrame:
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, "yuv420p")
    frame.colorspace, frame.color_range = 1, 1
    for to, pixels in zip(_views(frame), planes, strict=True):
        to[:] = pixels
    return frame


def copied(frame: av.VideoFrame) -> Planes:
    y, u, v = (plane.copy() for plane in _views(frame))
    return y, u, v


def _views(frame: av.VideoFrame) -> Iterator[Plane]:
    for plane in frame.planes:
        yield np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _generated(source: str) -> list[Planes]:
    with av.open(source, format="lavfi") as container:
        frames = islice(container.decode(video=0), 0, FRAMES * 2, 2)
        return [copied(frame.reformat(*TALL, "yuv420p", dst_colorspace=1)) for frame in frames]


def _panned(picture: Plane) -> list[Planes]:
    """The camera drifts over it, two or three pixels a frame."""
    width, height = TALL
    scale = 1.15 * max(width / picture.shape[1], height / picture.shape[0])
    large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    frames = []
    for number in range(FRAMES):
        left, top = 20 + 2.3 * number, 60 - 1.7 * number
        matrix = np.array([[1, 0, left], [0, 1, top]], np.float32)
        seen = cv2.warpAffine(large, matrix, TALL, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        frame = av.VideoFrame.from_ndarray(np.asarray(seen, np.uint8), format="rgb24")
        frames.append(copied(frame.reformat(format="yuv420p", dst_colorspace=1)))
    return frames


def _clouds(seed: int) -> Plane:
    """Noise whose spectrum falls as that of photographs does, in colours that go together."""
    chance = np.random.default_rng(seed)
    down, across = np.meshgrid(np.fft.fftfreq(960), np.fft.rfftfreq(540), indexing="ij")
    fall = 1 / np.maximum(np.hypot(down, across), 1 / 960) ** (1.0 + 0.1 * seed)
    layers = [np.fft.irfft2(np.fft.rfft2(chance.normal(size=(960, 540))) * fall, (960, 540)) for _ in range(3)]
    mixed = np.dstack(layers) @ np.array([[1, 0.9, 0.8], [0.2, -0.1, -0.3], [0.1, -0.2, 0.1]])
    picture: Plane = np.clip(128 + 55 * mixed / mixed.std(), 0, 255).astype(np.uint8)
    return picture


def _shapes(seed: int) -> Plane:
    chance = np.random.default_rng(100 + seed)
    picture = np.full((960, 540, 3), chance.integers(0, 255, 3), np.uint8)
    for _ in range(60):
        middle = (int(chance.integers(540)), int(chance.integers(960)))
        radii = (int(chance.integers(5, 120)), int(chance.integers(5, 120)))
        colour = [int(value) for value in chance.integers(0, 255, 3)]
        cv2.ellipse(picture, middle, radii, float(chance.integers(180)), 0, 360, colour, -1, cv2.LINE_AA)
    return picture


def _page(seed: int) -> Plane:
    ink, paper = [((20, 20, 20), 245), ((240, 235, 210), 30)][seed % 2]
    picture = np.full((960, 540, 3), paper, np.uint8)
    for line, top in enumerate(range(40, 940, 26)):
        words = f"{line}. Fold the dough four times, half an hour apart"
        cv2.putText(picture, words, (24, top), cv2.FONT_HERSHEY_SIMPLEX, 0.55, ink, 1, cv2.LINE_AA)
    return picture
