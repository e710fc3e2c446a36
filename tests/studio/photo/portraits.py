"""Portraits to make looks from, drawn figures that the landmarks take for faces, and the environment that does it."""

import fcntl
import sys
from functools import cache
from pathlib import Path

import numpy as np
import skia
from PIL import Image

from avatar_scheduler.studio.avatar import pack
from avatar_scheduler.studio.avatar.motion import Look, Pose
from avatar_scheduler.studio.avatar.sprites import Figure
from avatar_scheduler.studio.job import PACKS
from avatar_scheduler.studio.photo import environment


@cache
def portrait(mouth: str = "mouth_X", eyes: str = "eyes_open", name: str = "leo") -> Image.Image:
    """1080x1920 on a grey wall."""
    drawing = Figure(pack.load(PACKS / name), 1080, 1920)
    rgba = np.full((1920, 1080, 4), 228, np.uint8)
    rgba[..., 3] = 255
    canvas = skia.Surface(rgba, colorType=skia.kRGBA_8888_ColorType).getCanvas()
    drawing.draw(canvas, Look(Pose(0, 0.0), mouth, eyes, "brows_neutral"))
    return Image.fromarray(rgba[..., :3])


def installed() -> Path:
    """The data folder that holds it."""
    data = Path(sys.prefix) / "photo-tests"
    data.mkdir(exist_ok=True)
    with (data / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes starting together install once
        if not environment.is_ready(data):
            environment.set_up(data, lambda text: None)
    return data
