"""How much a copy's label still looks like the one that was drawn."""

import cv2
import numpy as np

from avatar_scheduler.marks.label import LabelArt
from avatar_scheduler.marks.likeness import Template


def label_match(art: LabelArt, made: tuple[int, int], luma: bytes, size: tuple[int, int]) -> int:
    """Correlation in thousandths. `made` is the size the label was drawn for, `size` that of the copy's `luma`."""
    seen = np.frombuffer(luma, np.uint8).reshape(size[1], size[0])
    across, down = size[0] / made[0], size[1] / made[1]
    rows = slice(round(art.y * down), round((art.y + art.height) * down))
    columns = slice(round(art.x * across), round((art.x + art.width) * across))
    part = seen[rows, columns]
    if not part.size:
        return 0
    plate = cv2.resize(part, (art.width, art.height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return Template(art, min(made)).compare(plate).match
