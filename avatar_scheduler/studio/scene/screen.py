"""A full frame without the figure: inserts and cards, with the label and the words over them."""

from collections.abc import Callable

import av
import numpy as np

from avatar_scheduler.studio import planes
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.avatar.stage import Stage
from avatar_scheduler.studio.kept import Kept
from avatar_scheduler.studio.scene.layers import Cutout, Layer, Sheet

_KEPT = 2
"""Pictures, 3 MB each at full size."""


class Screen:
    def __init__(self, size: tuple[int, int], stage: Stage) -> None:
        self.frame = planes.new_frame(*size)
        self._views = planes.views(self.frame)
        self._sheet = Sheet(self._views)
        self._whole = Box(0, 0, *size)
        self._stage = stage
        self._pictures = Kept[planes.Planes](_KEPT)
        self._cutout: Cutout | None = None

    def still(self, name: str, load: Callable[[str], planes.Pixels], layers: tuple[Layer, ...]) -> av.VideoFrame:
        """`load` gives a full, opaque picture by name."""
        picture = self._pictures.get(lambda name: self._stage.picture(load(name)), name)
        planes.paste(self._views, picture, self._whole)
        self._lay(layers)
        return self.frame

    def moving(self, picture: planes.Planes, layers: tuple[Layer, ...]) -> av.VideoFrame:
        if self._cutout is None:
            empty = np.zeros((self._whole.height, self._whole.width, 4), np.uint8)
            planes.paste(self._views, self._stage.picture(empty), self._whole)
            self._cutout = self._stage.cutout(self._whole, None)
        self._cutout.lay(self._sheet, Sheet(self._stage.least.over(picture)))
        self._lay(layers)
        return self.frame

    def _lay(self, layers: tuple[Layer, ...]) -> None:
        for layer in layers:
            layer.over(self._views)
