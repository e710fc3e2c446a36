"""Eyes that close and look aside, and brows that rise, from a face that looks straight ahead."""

from collections.abc import Callable

import numpy as np

from avatar_scheduler.studio.photo import warp
from avatar_scheduler.studio.photo.face import BROWS, EYES, Face
from avatar_scheduler.studio.photo.warp import Box, Floats

_LID = 0.45
"""How far above an open eye the skin of its lid is looked for, on the way to the brow."""
_LASHES = np.array((44, 30, 26, 0), np.float32)
_BROW_GAP = 0.6
"""Share of the way from brow to lid that gives when the brow rises; the lid itself stays."""
_GLANCE = 0.17
"""Of an eye's width. More would tear the white of the eye."""
_RAISED = 0.042
"""Of the face's height."""


def _pulled(picture: Floats, box: Box, pull: Callable[[Floats, Floats], tuple[Floats, Floats]]) -> Floats:
    xs, ys = warp.grid(box)
    from_x, from_y = pull(xs, ys)
    return warp.changed(warp.sample(picture, from_x, from_y), from_x - xs, from_y - ys)


def closing(picture: Floats, face: Face, box: Box, share: float) -> Floats:
    """A lid painted over the eye, in the colours above and below it, with the line of its lashes."""
    xs, ys = warp.grid(box)
    x, _, width, height = box
    patch = np.zeros((height, width, 4), np.float32)
    for (upper, lower), (_, brow) in zip(EYES, BROWS, strict=True):
        ends = sorted((float(face.points[upper[0], 0]), float(face.points[upper[-1], 0])))
        wide = ends[1] - ends[0]
        row = np.arange(x, x + width, dtype=np.float32)
        lid, floor = warp.curve(face.line(upper), row), warp.curve(face.line(lower), row)
        above = lid - _LID * (lid - warp.curve(face.line(brow), row))
        below = floor + 0.14 * wide
        down = lid + share * (floor - lid) * 0.94
        skin = [_even(warp.sample(picture, row[None], line[None])[0], 0.12 * wide) for line in (above, below)]
        way = warp.smooth((ys - above) / np.maximum(below - above, 1))[..., None] * (0.25 + 0.5 * share)
        colour = skin[0] * (1 - way) + skin[1] * way
        across = warp.smooth((xs - ends[0] + 0.04 * wide) / (0.14 * wide)) * warp.smooth(
            (ends[1] + 0.04 * wide - xs) / (0.14 * wide)
        )
        cover = across * warp.smooth((ys - above) / (0.12 * wide)) * warp.smooth((down - ys + 1.5) / 3)
        lash = across * warp.bell(ys - down, 0.042 * wide) * 0.8
        crease = across * warp.bell(ys - lid + 0.02 * wide, 0.05 * wide) * 0.16
        colour = colour * (1 - crease[..., None])
        colour = colour * (1 - lash[..., None]) + _LASHES * lash[..., None]
        alpha = np.maximum(cover, lash)[..., None]
        patch[..., :3] = np.where(alpha > 0, colour[..., :3], patch[..., :3])
        patch[..., 3:] = np.maximum(patch[..., 3:], 255 * alpha)
    return patch


def _even(line: Floats, reach: float) -> Floats:
    """Colours along a line without its single hairs and spots."""
    count = 2 * max(1, int(reach)) + 1
    padded = np.pad(line, ((count // 2, count // 2), (0, 0)), mode="edge")
    summed = np.cumsum(np.vstack([np.zeros((1, line.shape[1]), np.float32), padded]), axis=0)
    averaged: Floats = ((summed[count:] - summed[:-count]) / count).astype(np.float32)
    return averaged


def glancing(picture: Floats, face: Face, box: Box, way: int) -> Floats:
    """Way is -1 for the viewer's left, 1 for the right."""

    def pull(xs: Floats, ys: Floats) -> tuple[Floats, Floats]:
        from_x = xs
        for upper, lower in EYES:
            left, right = sorted((face.points[upper[0], 0], face.points[upper[-1], 0]))
            lid, floor = warp.curve(face.line(upper), xs), warp.curve(face.line(lower), xs)
            along = np.clip(1 - ((xs - (left + right) / 2) / ((right - left) / 2)) ** 2, 0, 1)
            within = warp.smooth((ys - lid + 2) / 3) * warp.smooth((floor - ys + 2) / 3)
            from_x = from_x - way * _GLANCE * (right - left) * along * within
        return from_x, ys

    return _pulled(picture, box, pull)


def raising(picture: Floats, face: Face, box: Box, *, worried: bool = False) -> Floats:
    """Both brows up; worried, only their inner ends."""

    def pull(xs: Floats, ys: Floats) -> tuple[Floats, Floats]:
        rise = _RAISED * face.height
        from_y = ys
        for (upper, lower), (lid, _) in zip(BROWS, EYES, strict=True):
            edge, under = warp.curve(face.line(upper), xs), warp.curve(face.line(lower), xs)
            gap = np.maximum(_BROW_GAP * (warp.curve(face.line(lid), xs) - under), 1)
            low = 1 - warp.smooth((ys - under) / gap)
            high = warp.smooth((ys - edge + 5 * rise) / (4 * rise))
            left, right = sorted((face.points[upper[0], 0], face.points[upper[-1], 0]))
            soft = 0.2 * (right - left)
            across = warp.smooth((xs - left + soft) / soft) * warp.smooth((right - xs + soft) / soft)
            if worried:
                inner = right if upper[0] == BROWS[0][0][0] else left
                across = across * warp.bell(xs - inner, 0.55 * (right - left))
            # more than half of the gap would fold the skin between brow and lid
            from_y = from_y + np.minimum(rise, 0.5 * gap) * low * high * across
        return xs, from_y

    return _pulled(picture, box, pull)
