"""Half-transparent things in YUV: a layer laid over a frame, and a cutout that moving ground is seen through.

Blending is done on planes, not in RGB: converting whole frames costs thirty times as much as copying them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.studio import planes
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.watermark import UNMARKED, Field

_BLACK = 16
_OPAQUE = 255
_BAND = 16
"""Rows that are cut in one go. More rows are fewer copies, and more pixels along the outline are blended one by one."""
_SHORTEST = 8
"""Pixels worth a copy of their own."""

Weights = NDArray[np.uint16]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Layer:
    """Premultiplied colour and what is left of the ground, in 1/256: out = (ground * left + colour) / 256."""

    box: Box
    left: tuple[Weights, Weights, Weights]
    colour: tuple[Weights, Weights, Weights]

    def over(self, target: planes.Planes) -> None:
        for ground, left, colour in zip(planes.cut(target, self.box), self.left, self.colour, strict=True):
            mixed = ground * left
            mixed += colour
            mixed >>= 8
            ground[:] = mixed


def layer(rgba: planes.Pixels, box: Box, convert: planes.Converter, field: Field = UNMARKED) -> Layer | None:
    """From premultiplied pixels of a box on even pixels, cut down to what can be seen; None when nothing can."""
    seen = _seen(rgba[..., 3])
    if seen is None:
        return None
    part = rgba[seen.y : seen.bottom, seen.x : seen.right]
    place = Box(box.x + seen.x, box.y + seen.y, seen.width, seen.height)
    made, (fine, coarse) = convert(part), _alphas(part)
    field.lay_share(made, place, coarse)
    (y, u, v), fine, coarse = made, _left(fine), _left(coarse)
    return Layer(place, (fine, coarse, coarse), (_luma(y, fine), _chroma(u, coarse), _chroma(v, coarse)))


@dataclass(frozen=True)
class _Hole:
    """One plane of a cutout: where the ground is copied, and where it is mixed."""

    copied: tuple[tuple[slice, slice], ...]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    left: Weights
    colour: Weights


class Sheet:
    """The planes of a whole frame, also as rows of memory: single pixels are reached four times as fast."""

    def __init__(self, whole: planes.Planes) -> None:
        self.planes = whole
        self.strides = tuple(plane.strides[0] for plane in whole)
        self.flat = [_flattened(plane) for plane in whole]


class Cutout:
    """Everything in front of moving ground, in one box. Where it hides the ground, nothing is written."""

    def __init__(
        self,
        rgba: planes.Pixels,
        box: Box,
        convert: planes.Converter,
        only: Mask | None = None,
        *,
        field: Field = UNMARKED,
    ) -> None:
        """From premultiplied pixels. `only` are pixels to be written whatever is there, and no others."""
        self.planes = convert(rgba)
        """Itself on black: right wherever it hides the ground."""
        fine, coarse = _alphas(rgba)
        field.lay_share(self.planes, box, coarse)
        full, half = (box.x, box.y), (box.x // 2, box.y // 2)
        y, u, v = self.planes
        few = None if only is None else _halved(only)
        self._holes = [
            _hole(fine, y, _luma, full, only),
            _hole(coarse, u, _chroma, half, few),
            _hole(coarse, v, _chroma, half, few),
        ]
        self._flat: dict[tuple[int, ...], list[NDArray[np.intp]]] = {}

    def lay(self, target: Sheet, ground: Sheet) -> None:
        there, here = self._indices(target), self._indices(ground)
        for number, hole in enumerate(self._holes):
            to, source = target.planes[number], ground.planes[number]
            for window in hole.copied:
                to[window] = source[window]
            mixed = ground.flat[number][here[number]] * hole.left
            mixed += hole.colour
            mixed >>= 8
            target.flat[number][there[number]] = mixed

    def _indices(self, sheet: Sheet) -> list[NDArray[np.intp]]:
        """Where the mixed pixels lie in memory, for rows this long."""
        if sheet.strides not in self._flat:
            self._flat[sheet.strides] = [
                hole.rows * stride + hole.columns for hole, stride in zip(self._holes, sheet.strides, strict=True)
            ]
        return self._flat[sheet.strides]


def _flattened(plane: planes.Pixels) -> planes.Pixels:
    """The same memory as one row, with what pads the rows."""
    length = (plane.shape[0] - 1) * plane.strides[0] + plane.shape[1]
    return np.lib.stride_tricks.as_strided(plane, (length,), (1,))


def _halved(mask: Mask) -> Mask:
    """For chroma: any of four."""
    return mask[::2, ::2] | mask[1::2, ::2] | mask[::2, 1::2] | mask[1::2, 1::2]


def _seen(alpha: planes.Pixels) -> Box | None:
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not len(rows):
        return None
    x, y = int(columns[0]) // 2 * 2, int(rows[0]) // 2 * 2
    return Box(x, y, (int(columns[-1]) - x) // 2 * 2 + 2, (int(rows[-1]) - y) // 2 * 2 + 2)


def _alphas(rgba: planes.Pixels) -> tuple[Weights, Weights]:
    """For luma and for chroma."""
    fine = rgba[..., 3].astype(np.uint16)
    quarters: Weights = fine[::2, ::2] + fine[1::2, ::2] + fine[::2, 1::2] + fine[1::2, 1::2]
    return fine, (quarters + 2) // 4


def _left(alpha: Weights) -> Weights:
    """Of 256, exactly none under what is opaque."""
    return 256 - (alpha + (alpha >> 7))


def _luma(plane: planes.Pixels, left: Weights) -> Weights:
    """The plane was converted over black: what black adds where the ground is seen is taken away again."""
    colour = np.maximum(plane, _BLACK).astype(np.uint16)
    colour <<= 8
    colour -= _BLACK * left
    colour += 128
    return colour


def _chroma(plane: planes.Pixels, left: Weights) -> Weights:
    colour = (plane.astype(np.int32) << 8) - 128 * left.astype(np.int32) + 128
    np.clip(colour, 0, 65535 - 255 * left.astype(np.int32), out=colour)
    return colour.astype(np.uint16)


def _hole(
    alpha: Weights,
    plane: planes.Pixels,
    colour: Callable[[planes.Pixels, Weights], Weights],
    corner: tuple[int, int],
    only: Mask | None,
) -> _Hole:
    mixed = alpha < _OPAQUE if only is None else only
    copied: list[tuple[slice, slice]] = []
    for rows, columns in _windows(alpha == 0) if only is None else ():
        mixed[rows, columns] = False
        copied.append((_moved(rows, corner[1]), _moved(columns, corner[0])))
    at = np.nonzero(mixed)
    left = _left(alpha[at])
    return _Hole(tuple(copied), at[0] + corner[1], at[1] + corner[0], left, colour(plane[at], left))


def _windows(clear: Mask) -> list[tuple[slice, slice]]:
    """Rectangles where nothing hides the ground; what they leave over is mixed pixel by pixel."""
    height, width = clear.shape
    bands = -(-height // _BAND)
    padded = np.ones((bands * _BAND, width + 2), np.bool_)
    padded[:height, 1:-1] = clear
    padded[:, [0, -1]] = False
    edges = np.diff(padded.reshape(bands, _BAND, -1).all(axis=1).astype(np.int8), axis=1)
    begins, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    found: dict[tuple[int, int], list[int]] = {}
    for (band, first), (_, end) in zip(begins.tolist(), ends.tolist(), strict=True):
        if end - first >= _SHORTEST:
            found.setdefault((first, end), []).append(band)
    return [
        (slice(top * _BAND, min(bottom * _BAND, height)), slice(*span))
        for span, numbers in found.items()
        for top, bottom in _stretches(numbers)
    ]


def _stretches(numbers: list[int]) -> list[tuple[int, int]]:
    """From the first to after the last of each run of neighbours."""
    breaks = [i for i in range(1, len(numbers)) if numbers[i] != numbers[i - 1] + 1]
    return [(numbers[a], numbers[b - 1] + 1) for a, b in pairwise([0, *breaks, len(numbers)])]


def _moved(span: slice, by: int) -> slice:
    return slice(span.start + by, span.stop + by)
