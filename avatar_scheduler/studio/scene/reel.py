"""The film as frames: each shot of the time line drawn by the one who can."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import av
import numpy as np

from avatar_scheduler.studio import planes, titles
from avatar_scheduler.studio.avatar import motion
from avatar_scheduler.studio.avatar.compositor import Compositor
from avatar_scheduler.studio.avatar.pack import Box, Pack
from avatar_scheduler.studio.avatar.sprites import Figure
from avatar_scheduler.studio.captions import Caption, OnScreen, captions, on_screen, styled
from avatar_scheduler.studio.job import Overlay, StudioJob
from avatar_scheduler.studio.scene import backdrop
from avatar_scheduler.studio.scene.layers import Layer, layer
from avatar_scheduler.studio.scene.moving import Moving
from avatar_scheduler.studio.scene.screen import Screen
from avatar_scheduler.studio.scene.timeline import AVATAR, CARD, HUMAN, INSERT, Shot, Timeline
from avatar_scheduler.studio.timed import Timed

Frames = Iterator[av.VideoFrame | None]
_CARD = "card "
"""Before its name: no material has a space in its own."""


class Reel:
    """Everything decided, nothing encoded."""

    def __init__(self, job: StudioJob, pack: Pack, timeline: Timeline, moving: dict[str, Moving]) -> None:
        self.timeline = timeline
        self.captions = _between_clips(timeline, lambda words: captions(words, job.language))
        """What the WebVTT file says."""
        self._job, self.moving = job, moving
        self._size = (job.width, job.height)
        figure = Figure(pack, *self._size, place=job.staging.place)
        self.looks = motion.plan(pack, timeline.speech, scale=figure.scale, fps=job.fps, seed=job.seed)
        style = job.staging.captions
        shown = _between_clips(timeline, lambda words: styled(words, job.language, style))
        self._words = on_screen(shown, timeline.frames, job.fps, style)
        self._compositor = Compositor(job, pack, figure, shown)
        self._screen = Screen(self._size, self._compositor.stage)
        self._bare = planes.new_frame(*self._size)
        self._ground, self._ground_at = _background(job, moving), 0

    def replace_ground(self, ground: Iterator[planes.Planes | None]) -> None:
        """Something else for each frame from the first on, such as pictures decoded beforehand."""
        self._ground, self._ground_at = ground, 0

    def frames(self, first: int = 0, end: int | None = None) -> Frames:
        """Each frame is valid until the next; None means that the picture stays as it is."""
        draw = {AVATAR: self._avatar, INSERT: self._insert, CARD: self._card, HUMAN: self._human}
        for shot in self.timeline.shots:
            span = range(max(first, shot.first), min(end or shot.end, shot.end))
            if span:
                yield from draw[shot.kind](shot, span)

    def poster(self) -> av.VideoFrame:
        """The face at rest, eyes open and smiling, with the words of the first caption."""
        caption = (0, 0) if any(self._words) else None
        return self._compositor.show(self._compositor.rest, caption, ground=next(_background(self._job, self.moving)))

    def _avatar(self, shot: Shot, span: range) -> Frames:
        before: object = None
        for number in span:
            ground = next(islice(self._ground, number - self._ground_at, None))
            self._ground_at = number + 1
            look, caption = self.looks[min(number, len(self.looks) - 1)], self._words[number]
            third = self._is_named(number)
            same, before = (look, caption, third, id(ground)) == before, (look, caption, third, id(ground))
            yield None if same else self._compositor.show(look, caption, third=third, ground=ground)

    def _insert(self, shot: Shot, span: range) -> Frames:
        words = self._words[span.start : span.stop]
        if shot.name not in self.moving:
            yield from self._still(shot.name, words)
            return
        pictures = self.moving[shot.name].covering(self._size, self._job.fps, loop=False)
        for picture, caption in zip(_part(pictures, shot, span), words, strict=False):
            yield self._screen.moving(picture, self._compositor.wording.layers(caption))

    def _card(self, shot: Shot, span: range) -> Frames:
        yield from self._still(_CARD + shot.name, [None] * len(span))

    def _still(self, name: str, words: list[OnScreen | None]) -> Frames:
        before: object = ()
        for caption in words:
            same, before = caption == before, caption
            yield None if same else self._screen.still(name, self._picture, self._compositor.wording.layers(caption))

    def _human(self, shot: Shot, span: range) -> Frames:
        """A person, not an avatar: the only frames without the label, and exactly `Timeline.human_ms`. What is paid for
        stays paid for."""
        target, whole = planes.views(self._bare), Box(0, 0, *self._size)
        paid = _layer(self._job.over_person)
        for picture in _part(self.moving[shot.name].fitted(self._size, self._job.fps), shot, span):
            planes.paste(target, picture, whole)
            if paid:
                paid.over(target)
            yield self._bare

    def _is_named(self, number: int) -> bool:
        spec = self._job.staging.lower_third
        return spec is not None and spec.at <= number / self._job.fps < spec.at + spec.seconds

    def _picture(self, name: str) -> planes.Pixels:
        cards = {_CARD + "intro": self._job.staging.intro, _CARD + "outro": self._job.staging.outro}
        if card := cards.get(name):
            label = self._job.overlay
            return titles.card(card, self._size, language=self._job.language, below=label.y + label.height)
        return backdrop.picture(name, self._job.materials[name], self._size)


def _layer(overlay: Overlay | None) -> Layer | None:
    if overlay is None:
        return None
    rgba = np.frombuffer(overlay.rgba, np.uint8).reshape(overlay.height, overlay.width, 4).astype(np.uint16)
    rgba[..., :3] = (rgba[..., :3] * rgba[..., 3:] + 127) // 255
    return layer(rgba.astype(np.uint8), Box(overlay.x, overlay.y, overlay.width, overlay.height), planes.Converter())


def _background(job: StudioJob, moving: dict[str, Moving]) -> Iterator[planes.Planes | None]:
    if job.staging.background.kind == "video":
        yield from moving[job.staging.background.value].covering((job.width, job.height), job.fps, loop=True)
    while True:
        yield None


def _part(pictures: Iterator[planes.Planes], shot: Shot, span: range) -> Iterator[planes.Planes]:
    return islice(pictures, span.start - shot.first, span.stop - shot.first)


def _between_clips(timeline: Timeline, cut: Callable[[tuple[Timed, ...]], list[Caption]]) -> list[Caption]:
    """No caption reaches into a clip: there a person speaks."""
    edges = [shot.first for shot in timeline.shots if shot.kind in (HUMAN, CARD)]
    found: list[Caption] = []
    begin = 0.0
    for end in (frame / timeline.fps for frame in [*edges, timeline.frames]):
        words = tuple(word for word in timeline.speech.words if begin <= word.start < end)
        found += [replace(caption, end=min(caption.end, end)) for caption in (cut(words) if words else [])]
        begin = end
    return found
