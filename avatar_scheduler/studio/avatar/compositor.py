"""Looks and captions become frames: cached patches are copied into one reused frame, only where something changed."""

from functools import lru_cache

import av

from avatar_scheduler.studio import planes
from avatar_scheduler.studio.avatar.motion import POSES, Look, Pose, pose, rest
from avatar_scheduler.studio.avatar.pack import Box, Pack
from avatar_scheduler.studio.avatar.sprites import Figure
from avatar_scheduler.studio.avatar.stage import Stage
from avatar_scheduler.studio.caption_art import CaptionArt, place, unit
from avatar_scheduler.studio.captions import Caption
from avatar_scheduler.studio.job import StudioJob

_FACES_KEPT = 600
"""Mouth and eye patches, about 0.1 MB each at full size."""


class Compositor:
    def __init__(self, job: StudioJob, pack: Pack, figure: Figure, shown: list[Caption]) -> None:
        self.frame = planes.new_frame(job.width, job.height)
        self._views = planes.views(self.frame)
        self._figure = figure
        self._stage = Stage(job, figure)
        self.rest = rest(pack)
        self._shown = shown
        self._caption_box = place(job.width, job.height, job.overlay)
        self._art = CaptionArt(self._caption_box, unit(job.width, job.height), job.staging.captions, job.language)
        poses = {pose(pack.motion, figure.scale, step) for step in range(POSES)} | {self.rest.pose}
        self._head_box = self._around(poses, tuple(pack.boxes))
        self._groups = self._face_groups(poses)
        self._crowded = self._head_box.meets(self._caption_box)
        self._head = lru_cache(maxsize=POSES + 1)(self._draw_head)
        self._face = lru_cache(maxsize=_FACES_KEPT)(self._draw_face)
        self._base = self._stage.patch(Box(0, 0, job.width, job.height), self.rest)
        planes.paste(self._views, self._base, Box(0, 0, job.width, job.height))
        self._look = self.rest
        self._caption: tuple[int, int] | None = None

    def show(self, look: Look, caption: tuple[int, int] | None) -> av.VideoFrame:
        """Draws into `self.frame` and returns it: valid until the next call."""
        recaption = caption != self._caption
        if recaption and caption is None:
            planes.paste(self._views, planes.cut(self._base, self._caption_box), self._caption_box)
        # Where head and caption overlap, both are laid again whenever one of them changes.
        moved = look.pose != self._look.pose or (self._crowded and (recaption or look != self._look))
        self._lay_face(look, moved=moved)
        if caption is not None and (recaption or (self._crowded and moved)):
            self._lay_caption(caption)
        self._look, self._caption = look, caption
        return self.frame

    def _lay_face(self, look: Look, *, moved: bool) -> None:
        if moved:
            planes.paste(self._views, self._head(look.pose), self._head_box)
        for slots in self._groups:
            states = tuple(getattr(look, slot) for slot in slots)
            before = tuple(getattr(self.rest if moved else self._look, slot) for slot in slots)
            if states != before:
                box, patch = self._face(look.pose, slots, states)
                planes.paste(self._views, patch, box)

    def _lay_caption(self, caption: tuple[int, int]) -> None:
        number, active = caption
        words = tuple(word.text for word in self._shown[number].words)
        box = self._caption_box
        patch = self._stage.patch(box, self.rest, lambda canvas: self._art.paint(canvas, words, active))
        planes.paste(self._views, patch, box)

    def _draw_head(self, at: Pose) -> planes.Planes:
        return self._stage.patch(self._head_box, self._with(at, (), ()))

    def _draw_face(self, at: Pose, slots: tuple[str, ...], states: tuple[str, ...]) -> tuple[Box, planes.Planes]:
        box = self._around({at}, slots)
        return box, self._stage.patch(box, self._with(at, slots, states))

    def _with(self, at: Pose, slots: tuple[str, ...], states: tuple[str, ...]) -> Look:
        parts = {"mouth": self.rest.mouth, "eyes": self.rest.eyes, "brows": self.rest.brows}
        parts |= dict(zip(slots, states, strict=True))
        return Look(at, parts["mouth"], parts["eyes"], parts["brows"])

    def _around(self, poses: set[Pose], names: tuple[str, ...]) -> Box:
        boxes = [self._figure.box(name, at) for at in poses for name in names if name in self._figure.pack.boxes]
        whole = boxes[0]
        for box in boxes[1:]:
            whole = whole.around(box)
        return whole

    def _face_groups(self, poses: set[Pose]) -> tuple[tuple[str, ...], ...]:
        """Slots that share pixels are one patch: laying one would show the other at rest."""
        upper, mouth = ("eyes", "brows"), ("mouth",)
        if self._around(poses, upper).meets(self._around(poses, mouth)):
            return (mouth + upper,)
        return upper, mouth
