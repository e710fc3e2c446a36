"""Where the figure stands: filling the frame, to a side, or in a circle over the picture."""

from dataclasses import dataclass

from avatar_scheduler.studio.avatar.pack import Pack

_MIDDLES = {"left": 0.29, "right": 0.71}
_TALL_MIDDLES = {"left": 0.37, "right": 0.63}
"""Of a figure to a side, of the frame's width."""
_ASIDE, _TALL_ASIDE = 0.74, 0.93
"""Size of a figure to a side, of one that fills the frame. In a tall one it must still reach the lower edge."""
_CHIN, _TALL_CHIN = 0.7, 0.665
"""Lowest point of the head, of the frame's height: below it are the captions."""
_BUTTONS = 120
"""Pixels of 1080 along the right side of a tall picture, where platforms lay theirs."""


@dataclass(frozen=True)
class Circle:
    x: float
    y: float
    radius: float
    ring: float


@dataclass(frozen=True)
class Standing:
    scale: float
    left: float
    top: float
    circle: Circle | None = None


def stand(pack: Pack, size: tuple[int, int], place: str = "full") -> Standing:
    """Of a frame of width and height `size`."""
    if place == "circle":
        return _encircled(pack, size)
    width, height = size
    tall = is_tall(size)
    middles, aside = (_TALL_MIDDLES, _TALL_ASIDE) if tall else (_MIDDLES, _ASIDE)
    scale = _natural(pack, size) * (aside if place in middles else 1)
    on_the_floor = height - pack.height * scale
    # A tall frame has room to stand on its lower edge; in a flat one the chin stays above the captions.
    top = on_the_floor if tall else max(on_the_floor, _CHIN * height - pack.boxes["head"].bottom * scale)
    return Standing(scale, middles.get(place, 0.5) * width - pack.width * scale / 2, top)


def is_tall(size: tuple[int, int]) -> bool:
    return size[1] * 3 > size[0] * 4


def _natural(pack: Pack, size: tuple[int, int]) -> float:
    width, height = size
    whole = pack.scale * min(size) / 1080
    if is_tall(size):
        return whole
    # Below the label, which a square picture carries across the top; a wide one has it beside the head.
    above = 0.06 * height if width > 1.3 * height else 0.17 * min(size)
    return min(whole, (_CHIN * height - above) / pack.boxes["head"].height)


def _encircled(pack: Pack, size: tuple[int, int]) -> Standing:
    """Head and shoulders, at the lower right above the captions."""
    unit, tall = min(size) / 1080, is_tall(size)
    radius = 230 * unit
    x = size[0] - (_BUTTONS if tall else 60) * unit - radius
    y = (_TALL_CHIN if tall else _CHIN) * size[1] - 12 * unit - radius
    head = pack.boxes["head"]
    scale = 1.36 * radius / head.height
    left, top = x - (head.x + head.width / 2) * scale, y - 0.78 * radius - head.y * scale
    return Standing(scale, left, top, Circle(x, y, radius, 10 * unit))
