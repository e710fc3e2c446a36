"""The visible label: how it looks, and whether it is in the picture from the first frame to the last."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LabelArt:
    """What the compositor burns in. x, y, width and height are even, so 4:2:0 chroma never straddles its edge."""

    rgba: bytes
    """Straight alpha, rows from the top, width * height * 4 bytes."""
    width: int
    height: int
    x: int
    y: int
    alt: str
    """The whole wording, also where the picture had to shorten it: for screen readers."""


def draw(sign: str, words: str, frame: tuple[int, int]) -> LabelArt:
    """The plate for a frame of (width, height) pixels. Raises Invalid when the wording cannot be shown readably."""
    from avatar_scheduler.marks import plate  # skia opens only where something is drawn

    return plate.draw(sign, words, frame)
