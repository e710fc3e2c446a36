"""Where the grid may lie: the public pattern correlated with the picture at many scales, then followed uphill."""

from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.marks.watermark import pattern, scores
from avatar_scheduler.marks.watermark.pattern import CELLS
from avatar_scheduler.marks.watermark.picture import Luma, Picture, resized
from avatar_scheduler.marks.watermark.scores import CANVAS, Geometry, Reader

SCALES = np.exp(np.arange(np.log(0.33), np.log(1.25), 0.005))
"""Of a copy against native: from one of 360 pixels across to one enlarged."""
APART = 1.012
"""Candidates nearer in scale than this are one."""
STAGES = ((("chroma",), 240, 4), (pattern.PLANES, 480, 3))
"""Which planes are correlated, over a grid of how many pixels a side, and how many candidates that gives. The first is
cheap and mostly enough; greyscale copies need the second."""
SMOOTH = 0.75
"""Of a cell: what is smoother is picture, not mark."""
FLOOR = {"luma": 0.5, "chroma": 0.15}
"""Variance a place has at least, in levels squared: where it is quieter, noise is not blown up."""
SCALE_STEPS = 0.001 * np.array([-4, -3, -2, -1, 1, 2, 3, 4])
PLACE_STEPS = (2.0, 1.0, 0.5)
"""Canvas pixels."""
ENOUGH = 14.0
"""A sync score that need not be improved."""


def candidates(picture: Picture) -> Iterator[Geometry]:
    """The likeliest places of the grid, best first, the cheap search before the thorough one."""
    for planes, side, count in STAGES:
        peaks = sorted((_peak(picture, scale, planes, side) for scale in SCALES), reverse=True)
        chosen: list[Geometry] = []
        for _, geometry in peaks:
            if all(max(geometry.scale / c.scale, c.scale / geometry.scale) > APART for c in chosen):
                chosen.append(geometry)
                yield geometry
            if len(chosen) == count:
                break


def refined(reader: Reader, start: Geometry) -> tuple[float, Geometry]:
    """The best sync score nearby, and where."""
    best = _score(reader, start)
    if best[0] < ENOUGH:
        best = max([best, *(_score(reader, _zoomed(reader, best[1], by)) for by in SCALE_STEPS)])
    for step in PLACE_STEPS:
        for _ in range(2):
            if best[0] >= ENOUGH:
                return best
            _, (scale, x, y) = before = best
            moves = [Geometry(scale, x + step * dx, y + step * dy) for dx, dy in product((-1, 0, 1), repeat=2)]
            best = max([best, *(_score(reader, move) for move in moves if move != before[1])])
            if best == before:
                break
    return best


def _score(reader: Reader, geometry: Geometry) -> tuple[float, Geometry]:
    return scores.sync(reader.soft(geometry)), geometry


def _zoomed(reader: Reader, geometry: Geometry, by: float) -> Geometry:
    """Another scale, with the middle of the picture where it was."""
    width, height = reader.picture.size
    across, down = width / geometry.scale / 4, height / geometry.scale / 4
    scale = geometry.scale * (1 + by)
    return Geometry(scale, geometry.x - across + across / (1 + by), geometry.y - down + down / (1 + by))


def _peak(picture: Picture, scale: float, planes: tuple[str, ...], side: int) -> tuple[float, Geometry]:
    """How far the best place of the grid stands out at a scale, in standard deviations."""
    fft = 1 << side.bit_length()
    width, height = (max(8, round(pixels / scale * side / pattern.SIDE)) for pixels in picture.size)
    left, top = max(0, (width - fft) // 2), max(0, (height - fft) // 2)
    total = np.zeros((fft, fft), np.float32)
    for plane in planes:
        flat = _flat(picture, plane, (width, height), side)[top : top + fft, left : left + fft]
        correlation = np.fft.irfft2(np.fft.rfft2(flat, (fft, fft)) * _template(plane, side, fft), (fft, fft))
        total += (correlation / (correlation.std() + 1e-9)).astype(np.float32)
    row, column = divmod(int(total.argmax()), fft)
    x, y = (place - fft if place > fft // 2 else place for place in (column, row))
    pixel = CANVAS / side
    return float(total[row, column]) / len(planes) ** 0.5, Geometry(float(scale), (x + left) * pixel, (y + top) * pixel)


def _flat(picture: Picture, plane: str, size: tuple[int, int], side: int) -> Luma:
    """The plane without what is smooth, everywhere as loud as elsewhere."""
    import cv2

    source = picture.luma if plane == "luma" else picture.chroma
    sized = resized(source, size)
    deviation = SMOOTH * side / CELLS[plane]
    detail = sized - cv2.GaussianBlur(sized, (0, 0), deviation)
    even = detail / (cv2.GaussianBlur(detail * detail, (0, 0), deviation) + np.float32(FLOOR[plane]))
    most = 4 * np.sqrt(np.mean(even * even)) + np.float32(1e-9)
    flat: Luma = np.clip(even, -most, most)
    return flat


@cache
def _template(plane: str, side: int, fft: int) -> NDArray[np.complex64]:
    shown = pattern.public(plane)
    size = side // CELLS[plane]
    chips = np.where(shown.sync, shown.signs, 0).astype(np.float32).repeat(size, 0).repeat(size, 1)
    return np.conj(np.fft.rfft2(chips, (fft, fft))).astype(np.complex64)
