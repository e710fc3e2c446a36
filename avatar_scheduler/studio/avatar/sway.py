"""How the head moves: a walk over a closed figure of eight that is never walked twice the same way.

Each picture of the head is kept, so their number must not grow with the film. The figure has one crossing, the head
upright; there the walk chooses anew which way to go, how far and how fast. So a few dozen pictures give movement
without a visible loop.
"""

from collections.abc import Iterator
from math import cos, pi

import numpy as np

_STEPS_A_SECOND = 7.5
_RESTING_PACE = 0.6
"""Calmer while nothing is said."""
_WHOLE_LOBE = 0.45
"""Share of the walks that go all the way round one half of the figure; the others turn back."""


def steps(resting: list[bool], fps: int, poses: int, rng: np.random.Generator) -> list[int]:
    """Position on the figure, 0 to `poses` - 1, for each frame."""
    walk = _walk(poses, rng)
    path = next(walk)
    at = 0.0
    found: list[int] = []
    for rests in resting:
        at += (_RESTING_PACE if rests else 1.0) / fps
        while at >= path.seconds:
            at -= path.seconds
            path = next(walk)
        found.append(path.step(at) % poses)
    return found


class _Path:
    """From one place on the figure to another: slow to start, slow to end."""

    def __init__(self, start: int, end: int, seconds: float) -> None:
        self._start, self._end, self.seconds = start, end, seconds

    def step(self, at: float) -> int:
        share = (1 - cos(pi * at / self.seconds)) / 2
        return round(self._start + (self._end - self._start) * share)


def _walk(poses: int, rng: np.random.Generator) -> Iterator[_Path]:
    half, quarter = poses // 2, poses // 4
    while True:
        crossing = half * int(rng.integers(2))
        way = 1 if rng.random() < 0.5 else -1
        pace = _STEPS_A_SECOND * float(rng.uniform(0.75, 1.3))
        if rng.random() < _WHOLE_LOBE:
            yield _Path(crossing, crossing + way * half, half / pace)
        else:
            turn = crossing + way * int(rng.integers(max(1, quarter // 3), quarter + 1))
            seconds = max(0.4, abs(turn - crossing) / pace)
            yield _Path(crossing, turn, seconds)
            yield _Path(turn, turn, float(rng.uniform(0.15, 0.8)))
            yield _Path(turn, crossing, seconds * float(rng.uniform(0.8, 1.4)))
        yield _Path(crossing, crossing, float(rng.uniform(0.05, 0.45)))
