"""Looks and words become frames: cached patches are copied into one reused frame, only where something changed.

Over moving ground the figure stays in the frame as it is, and the ground is copied around it.
"""

import av

from avatar_scheduler.studio import planes
from avatar_scheduler.studio.avatar.motion import POSES, Look, Pose, rest
from avatar_scheduler.studio.avatar.pack import SLOTS, Box, Pack
from avatar_scheduler.studio.avatar.sprites import Figure
from avatar_scheduler.studio.avatar.stage import Stage
from avatar_scheduler.studio.captions import Caption
from avatar_scheduler.studio.job import StudioJob
from avatar_scheduler.studio.kept import Kept
from avatar_scheduler.studio.scene.layers import Cutout, Layer, Sheet
from avatar_scheduler.studio.scene.wording import Wording

_FACES_KEPT = 600
"""Mouth and eye patches, about 0.1 MB each at full size."""


class Compositor:
    def __init__(self, job: StudioJob, pack: Pack, figure: Figure, shown: list[Caption]) -> None:
        self.frame = planes.new_frame(job.width, job.height)
        self._views = planes.views(self.frame)
        self._whole = Box(0, 0, job.width, job.height)
        self._figure = figure
        self.stage = Stage(job, figure)
        self.wording = Wording(job, self.stage, shown)
        self.rest = rest(pack)
        self._head_box = figure.head_room
        self._groups = _face_groups(figure)
        self._heads = Kept[planes.Planes](POSES + 1)
        self._faces = Kept[tuple[Box, planes.Planes]](_FACES_KEPT)
        self._base = self.stage.patch(self._whole, self.rest)
        planes.paste(self._views, self._base, self._whole)
        self._look = self.rest
        self._layers: tuple[Layer, ...] = ()
        self._sheet = Sheet(self._views)
        self._moving = job.staging.background.kind == "video"
        if self._moving:
            self._surroundings = self.stage.cutout(self._whole, self.rest, spared=self._head_box)
            self._restless = self._restless_parts()
        self._outlines = Kept[Cutout](POSES + 1)
        self._at_rest = Kept[planes.Pixels](2 * POSES)
        self._sticking_out = Kept[Cutout](_FACES_KEPT)

    def show(
        self,
        look: Look,
        caption: tuple[int, int] | None,
        *,
        third: bool = False,
        ground: planes.Planes | None = None,
    ) -> av.VideoFrame:
        """Draws into `self.frame` and returns it: valid until the next call. `third` is the lower third.

        `ground` is for jobs with a film behind the figure, and they need one for each frame.
        """
        layers = self.wording.layers(caption, third=third)
        boxes = [layer.box for layer in {*self._layers, *layers}]
        crowded = any(box.meets(self._head_box) for box in boxes)
        # A layer is blended into what is below it, so that is laid anew whenever it changes.
        relay = layers != self._layers or ground is not None or (crowded and look != self._look)
        if relay:
            for box in boxes:
                planes.paste(self._views, planes.cut(self._base, box), box)
        self._lay_face(look, moved=look.pose != self._look.pose or (relay and crowded))
        if ground is not None:
            self._lay_ground(Sheet(self.stage.field.over(ground)), look)
        if relay:
            for layer in layers:
                layer.over(self._views)
        self._look, self._layers = look, layers
        return self.frame

    def _lay_face(self, look: Look, *, moved: bool) -> None:
        if moved:
            planes.paste(self._views, self._heads.get(self._draw_head, look.pose), self._head_box)
        for slots in self._groups:
            states = tuple(getattr(look, slot) for slot in slots)
            before = tuple(getattr(self.rest if moved else self._look, slot) for slot in slots)
            if states != before:
                box, patch = self._faces.get(self._draw_face, look.pose, slots, states)
                planes.paste(self._views, patch, box)

    def _lay_ground(self, ground: Sheet, look: Look) -> None:
        self._surroundings.lay(self._sheet, ground)
        self._outlines.get(self._draw_outline, look.pose).lay(self._sheet, ground)
        for slots in self._groups:
            states = tuple(getattr(look, slot) for slot in slots)
            if self._restless.intersection(states):
                self._sticking_out.get(self._draw_sticking_out, look.pose, slots, states).lay(self._sheet, ground)

    def _draw_outline(self, at: Pose) -> Cutout:
        return self.stage.cutout(self._head_box, self._with(at, (), ()))

    def _draw_sticking_out(self, at: Pose, slots: tuple[str, ...], states: tuple[str, ...]) -> Cutout:
        return self.stage.difference(
            self._figure.around({at}, slots),
            self._with(at, slots, states),
            self._at_rest.get(self._draw_at_rest, at, slots),
        )

    def _draw_at_rest(self, at: Pose, slots: tuple[str, ...]) -> planes.Pixels:
        return self.stage.silhouette(self._figure.around({at}, slots), self._with(at, (), ()))

    def _restless_parts(self) -> frozenset[str]:
        """The parts of the face that change its outline, such as a mouth open so wide that the chin goes down."""
        still = self.rest.pose
        resting = self.stage.silhouette(self._head_box, self.rest)
        return frozenset(
            part
            for slot in SLOTS
            for part in self._figure.pack.files
            if part.startswith(f"{slot}_")
            and (self.stage.silhouette(self._head_box, self._with(still, (slot,), (part,))) != resting).any()
        )

    def _draw_head(self, at: Pose) -> planes.Planes:
        if self._moving:
            return self._outlines.get(self._draw_outline, at).planes
        return self.stage.patch(self._head_box, self._with(at, (), ()), face=self._figure.around({at}, SLOTS))

    def _draw_face(self, at: Pose, slots: tuple[str, ...], states: tuple[str, ...]) -> tuple[Box, planes.Planes]:
        box = self._figure.around({at}, slots)
        if self._moving and self._restless.intersection(states):
            return box, self._sticking_out.get(self._draw_sticking_out, at, slots, states).planes
        return box, self.stage.patch(box, self._with(at, slots, states), face=self._figure.around({at}, SLOTS))

    def _with(self, at: Pose, slots: tuple[str, ...], states: tuple[str, ...]) -> Look:
        parts = {"mouth": self.rest.mouth, "eyes": self.rest.eyes, "brows": self.rest.brows}
        parts |= dict(zip(slots, states, strict=True))
        return Look(at, parts["mouth"], parts["eyes"], parts["brows"])


def _face_groups(figure: Figure) -> tuple[tuple[str, ...], ...]:
    """Slots that share pixels are one patch: laying one would show the other at rest."""
    upper, mouth = ("eyes", "brows"), ("mouth",)
    if figure.around(figure.poses, upper).meets(figure.around(figure.poses, mouth)):
        return (mouth + upper,)
    return upper, mouth
