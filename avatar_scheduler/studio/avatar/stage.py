"""Everything that can be seen: ground, figure, painted extras and, always on top, the overlay.

Every pixel of a film but those of a human clip comes out of a Stage. What is opaque has the overlay laid over it; what
is blended into a frame later keeps clear of it. So no pose, caption, picture or film can cover the label, and no path
leaves it out.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import skia

from avatar_scheduler.studio import planes
from avatar_scheduler.studio.avatar.motion import POSES, Look, Pose, rest
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.avatar.sprites import Figure
from avatar_scheduler.studio.job import StudioJob
from avatar_scheduler.studio.kept import Kept
from avatar_scheduler.studio.scene.backdrop import backdrop
from avatar_scheduler.studio.scene.layers import Cutout, Layer, layer
from avatar_scheduler.studio.watermark import UNMARKED, Field, least

Paint = Callable[[Any], None]


class Stage:
    def __init__(self, job: StudioJob, figure: Figure) -> None:
        self._figure = figure
        self._size = (job.width, job.height)
        self._whole = Box(0, 0, *self._size)
        self._watermark = None if job.draft else job.watermark
        self._over_film = job.staging.background.kind == "video"
        self._backdrop = backdrop(job)
        self._convert = planes.Converter()
        self._under_faces = Kept[planes.Pixels](POSES + 1)
        overlay = job.overlay
        self._overlay = np.frombuffer(overlay.rgba, np.uint8).reshape(overlay.height, overlay.width, 4)
        self._overlay_box = Box(overlay.x, overlay.y, overlay.width, overlay.height)

    @cached_property
    def field(self) -> Field:
        """What is hidden in the figure and its ground."""
        if self._watermark is None or self._over_film:
            return self.least
        changes = self._watermark(self._drawn(self._whole, rest(self._figure.pack))[0])
        return Field(changes, calm=(self._figure.head_room, self._overlay_box))

    @cached_property
    def least(self) -> Field:
        """What is hidden in films and under words."""
        return least(self._watermark, self._size) if self._watermark else UNMARKED

    def _field_of(self, luma: planes.Pixels) -> Field:
        return Field(self._watermark(luma), calm=[self._overlay_box]) if self._watermark else UNMARKED

    def patch(self, box: Box, look: Look, *, face: Box | None = None) -> planes.Planes:
        """The planes of one box of the picture, cut from a slightly larger one so that patches join without a seam.

        What lies under the `face` is drawn once for each pose, with the first box that holds it, for all patches in it.
        """
        drawn = self._drawn(box, look, face)
        self.field.lay(drawn, box)
        return drawn

    def _drawn(self, box: Box, look: Look, face: Box | None = None) -> planes.Planes:
        wide = self._wide(box)
        inner = Box(box.x - wide.x, box.y - wide.y, box.width, box.height)
        rgba = self._convert.paper(wide.width, wide.height)
        whole = self._wide(face) if face else wide
        if face and whole.around(wide) == whole:
            rgba[:] = self._under_faces.get(self._below, whole, look.pose)[_inside(wide, whole)]
        else:
            self._draw_below(rgba, wide, look)
            if face and wide.around(whole) == wide:
                self._under_faces.get(lambda *_: rgba[_inside(whole, wide)].copy(), whole, look.pose)
        self._figure.draw_above(_canvas(rgba, wide), look)
        self._lay_overlay(rgba, wide)
        y, u, v = planes.cut(self._convert(rgba), inner)
        return y.copy(), u.copy(), v.copy()

    def _wide(self, box: Box) -> Box:
        margin = planes.MARGIN
        return Box(box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin).within(*self._size)

    def _below(self, box: Box, at: Pose) -> planes.Pixels:
        rgba = np.empty((box.height, box.width, 4), np.uint8)
        self._draw_below(rgba, box, Look(at, "", "", ""))
        return rgba

    def _draw_below(self, rgba: planes.Pixels, box: Box, look: Look) -> None:
        rgba[:] = self._backdrop[box.y : box.bottom, box.x : box.right]
        self._figure.draw_below(_canvas(rgba, box), look)

    def picture(self, rgba: planes.Pixels) -> planes.Planes:
        """A full, opaque picture instead of ground and figure."""
        labelled = rgba.copy()
        self._lay_overlay(labelled, self._whole)
        made = self._convert(labelled)
        self._field_of(made[0]).lay(made, self._whole)
        return made

    def silhouette(self, box: Box, look: Look) -> planes.Pixels:
        """How much of the ground the figure hides, 0 to 255."""
        return self._front(box, look)[..., 3].copy()

    def cutout(self, box: Box, look: Look | None, *, spared: Box | None = None) -> Cutout:
        """The figure (None: nobody) and the overlay, to be seen in front of moving ground; not in the spared box."""
        rgba = self._front(box, look)
        if spared:
            rgba[_inside(spared, box)] = 255
        return Cutout(rgba, box, self._convert, field=self.field)

    def difference(self, box: Box, look: Look, before: planes.Pixels) -> Cutout:
        """What is left to do for `look` after the cutout of another with this silhouette: where just one hides."""
        rgba = self._front(box, look)
        return Cutout(rgba, box, self._convert, rgba[..., 3] != before, field=self.field)

    def _front(self, box: Box, look: Look | None) -> planes.Pixels:
        """Premultiplied, on nothing. Valid until the next is drawn."""
        rgba = self._convert.paper(box.width, box.height)
        rgba[:] = 0
        if look:
            self._figure.draw(_canvas(rgba, box), look)
        self._lay_overlay(rgba, box)
        return rgba

    def layer(self, box: Box, paint: Paint) -> Layer | None:
        """Painted in frame coordinates, to be laid over any frame: the place of the overlay is spared."""
        rgba = self._convert.paper(box.width, box.height)
        rgba[:] = 0
        paint(_canvas(rgba, box))
        label = self._overlay_box
        if label.meets(box):
            rgba[_inside(label, box)][self._overlay[_inside(box, label)][..., 3] > 0] = 0
        return layer(rgba, box, self._convert, self.least)

    def _lay_overlay(self, rgba: planes.Pixels, box: Box) -> None:
        """Over opaque or premultiplied pixels."""
        label = self._overlay_box
        if not label.meets(box):
            return
        under = rgba[_inside(label, box)]
        over = self._overlay[_inside(box, label)].astype(np.uint16)
        alpha = over[..., 3:].copy()
        over[..., 3] = 255
        under[:] = ((over * alpha + under * (255 - alpha) + 127) // 255).astype(np.uint8)


def _canvas(rgba: planes.Pixels, box: Box) -> Any:
    """Draws premultiplied into `rgba`, in frame coordinates."""
    height, width = rgba.shape[:2]
    info = skia.ImageInfo.Make(width, height, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
    surface = skia.Surface.MakeRasterDirect(info, rgba, rgba.strides[0])
    canvas = surface.getCanvas()
    canvas.translate(-box.x, -box.y)
    return canvas


def _inside(part: Box, whole: Box) -> tuple[slice, slice]:
    """The rows and columns of `whole` that `part` covers."""
    x, y = max(part.x, whole.x) - whole.x, max(part.y, whole.y) - whole.y
    right, bottom = min(part.right, whole.right) - whole.x, min(part.bottom, whole.bottom) - whole.y
    return slice(y, bottom), slice(x, right)
