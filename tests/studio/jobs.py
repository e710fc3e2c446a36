"""Jobs and labels for the studio's tests."""

from dataclasses import replace
from typing import Any

import numpy as np

from avatar_scheduler.marks.watermark import embed
from avatar_scheduler.studio import planes
from avatar_scheduler.studio.job import Overlay, StudioJob

SCRIPT = "Hello, I am Maya! See you at 6:30."
MARK, KEY = "5eed1d1d", b"a key of the tests".ljust(32)


def hidden(luma: planes.Pixels) -> embed.Field:
    """A StudioJob.watermark."""
    return embed.field(luma, MARK, KEY)


def striped(width: int = 560, height: int = 120, x: int = 480, y: int = 60) -> Overlay:
    """Dark and light bars, so that a missing or moved label cannot pass for scenery."""
    rgba = np.zeros((height, width, 4), np.uint8)
    rgba[..., 3] = 255
    bars = (np.arange(width) // 40) % 2 == 0
    rgba[:, bars, :3] = 235
    rgba[:, ~bars, :3] = 16
    return Overlay(rgba.tobytes(), width, height, x, y)


def make_job(**changes: Any) -> StudioJob:
    return replace(StudioJob(SCRIPT, "en", "maya", "kitchen", "5eed", striped()), **changes)
