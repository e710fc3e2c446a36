"""Words laid over the picture: the caption of the moment and the lower third."""

from typing import Any

import numpy as np
import skia

from avatar_scheduler.studio import titles
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.avatar.stage import Stage
from avatar_scheduler.studio.caption_art import CaptionArt, place, unit
from avatar_scheduler.studio.captions import Caption, OnScreen
from avatar_scheduler.studio.job import StudioJob
from avatar_scheduler.studio.kept import Kept
from avatar_scheduler.studio.scene.layers import Layer

_KEPT = 3
"""Captions drawn: a film comes back to none but the last."""


class Wording:
    def __init__(self, job: StudioJob, stage: Stage, shown: list[Caption]) -> None:
        self._stage = stage
        self._shown = shown
        box, scale = place(job.width, job.height, job.overlay), unit(job.width, job.height)
        self._art = CaptionArt(box, scale, job.staging.captions, job.language)
        self._captions = Kept[Layer | None](_KEPT)
        self._third = _lower_third(stage, job, scale)

    def layers(self, caption: OnScreen | None, *, third: bool = False) -> tuple[Layer, ...]:
        """From the lowest up. The same words are the same layers."""
        found = [self._third if third else None, self._captions.get(self._draw_caption, *caption) if caption else None]
        return tuple(layer for layer in found if layer)

    def _draw_caption(self, number: int, state: int) -> Layer | None:
        words = tuple(word.text for word in self._shown[number].words)
        box = self._art.extent(words)
        return self._stage.layer(box, lambda canvas: self._art.paint(canvas, words, state)) if box else None


def _lower_third(stage: Stage, job: StudioJob, scale: float) -> Layer | None:
    spec, size = job.staging.lower_third, (job.width, job.height)
    if spec is None:
        return None
    rgba, box = titles.lower_third(spec, size, scale, language=job.language)
    image = skia.Image.fromarray(np.ascontiguousarray(rgba), skia.kRGBA_8888_ColorType)

    def paint(canvas: Any) -> None:
        canvas.drawImage(image, box.x, box.y)

    return stage.layer(Box(box.x, box.y, box.width, box.height).within(*size), paint)
