"""Where the grid may lie: the public pattern correlated with the picture at many scales, then followed uphill."""

from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.marks.watermark import pattern, scores
from avatar_scheduler.marks.watermark.picture import Blue, resized
from avatar_scheduler.marks.watermark.scores import Geometry, Reader

SCALES = np.exp(np.arange(np.log(0.33), np.log(1.25), 0.005))
"""Of a copy against native: from one of 360 pixels across to one enlarged."""
APART = 1.012
"""Candidates nearer in scale than this are one."""
MOST = 5
"""Candidates that are followed."""
PIXELS = 4
"""Along a cell, where it is correlated."""
FFT = 256
"""Holds the grid of CELLS * PIXELS."""
SMOOTH = 3.0
"""Deviation in those pixels: what is smoother is picture, not mark."""
FLOOR = 0.15
"""Variance a place has at least, in levels squared: where it is quieter, noise is not blown up."""
SCALE_STEPS = 0.001 * np.array([-4, -3, -2, -1, 1, 2, 3, 4])
PLACE_STEPS = (1.0, 0.5, 0.25)
"""Canvas pixels."""
ENOUGH = 12.0
"""A sync score that need not be improved."""


def candidates(blue: Blue) -> Iterator[Geometry]:
    """The likeliest places of the grid, best first."""
    chosen: list[Geometry] = []
    for _, geometry in sorted((_peak(blue, float(scale)) for scale in SCALES), reverse=True):
        if all(max(geometry.scale / c.scale, c.scale / geometry.scale) > APART for c in chosen):
            chosen.append(geometry)
            yield geometry
        if len(chosen) == MOST:
            return


def refined(reader: Reader, start: Geometry) -> Geometry:
    """Where nearby the public pattern fits best."""
    best = _score(reader, start)
    if best[0] < ENOUGH:
        best = max([best, *(_score(reader, _zoomed(reader, start, by)) for by in SCALE_STEPS)])
    for step in PLACE_STEPS:
        for _ in range(2):
            if best[0] >= ENOUGH:
                return best[1]
            _, (scale, x, y) = before = best
            moves = [Geometry(scale, x + step * dx, y + step * dy) for dx, dy in product((-1, 0, 1), repeat=2)]
            best = max([best, *(_score(reader, move) for move in moves if move != before[1])])
            if best == before:
                break
    return best[1]


def _score(reader: Reader, geometry: Geometry) -> tuple[float, Geometry]:
    return scores.sync(reader.soft(geometry)), geometry


def _zoomed(reader: Reader, geometry: Geometry, by: float) -> Geometry:
    """Another scale, with the middle of the picture where it was."""
    height, width = reader.blue.shape
    across, down = width / geometry.scale / 4, height / geometry.scale / 4  # canvas pixels to the middle
    scale = geometry.scale * float(1 + by)
    return Geometry(scale, geometry.x - across + across / (1 + by), geometry.y - down + down / (1 + by))


def _peak(blue: Blue, scale: float) -> tuple[float, Geometry]:
    """How far the best place of the grid stands out at a scale, in standard deviations."""
    coarse = PIXELS / scores.PIXELS
    height, width = (max(8, round(side / scale / 2 * coarse)) for side in blue.shape)
    left, top = max(0, (width - FFT) // 2), max(0, (height - FFT) // 2)
    flat = _flat(resized(blue, (width, height)))[top : top + FFT, left : left + FFT]
    fit = np.fft.irfft2(np.fft.rfft2(flat, (FFT, FFT)) * _template(), (FFT, FFT))
    row, column = divmod(int(fit.argmax()), FFT)
    x, y = (place - FFT if place > FFT // 2 else place for place in (column, row))
    return float(fit[row, column] / (fit.std() + 1e-9)), Geometry(scale, (x + left) / coarse, (y + top) / coarse)


def _flat(blue: Blue) -> Blue:
    """Without what is smooth, and everywhere as loud as elsewhere."""
    import cv2

    detail = blue - cv2.GaussianBlur(blue, (0, 0), SMOOTH)
    even = detail / (cv2.GaussianBlur(detail * detail, (0, 0), SMOOTH) + np.float32(FLOOR))
    most = 4 * np.sqrt(np.mean(even * even)) + np.float32(1e-9)
    flat: Blue = np.clip(even, -most, most)
    return flat


@cache
def _template() -> NDArray[np.complex64]:
    shown = pattern.public()
    chips = np.where(shown.sync, shown.signs, 0).astype(np.float32).repeat(PIXELS, 0).repeat(PIXELS, 1)
    return np.conj(np.fft.rfft2(chips, (FFT, FFT))).astype(np.complex64)
