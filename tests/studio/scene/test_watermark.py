"""The hidden mark is in every picture but a person's own, at its place, and can be read from the file."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_scheduler.domain.staging import Background, Card, LowerThird, Staging
from avatar_scheduler.marks.watermark import detect, embed
from avatar_scheduler.studio import planes, render
from avatar_scheduler.studio.avatar import pack
from avatar_scheduler.studio.avatar.compositor import Compositor
from avatar_scheduler.studio.avatar.motion import rest
from avatar_scheduler.studio.avatar.pack import Pack
from avatar_scheduler.studio.avatar.sprites import Figure
from avatar_scheduler.studio.job import PACKS, Material, StudioJob
from avatar_scheduler.studio.scene.reel import Reel
from avatar_scheduler.studio.timed import Cue
from tests.studio.jobs import KEY, MARK, hidden, make_job, striped
from tests.studio.scene.material import speech

STILL = Staging(
    lower_third=LowerThird("Maya", "Baker", at=1.0, seconds=2.0),
    intro=Card("Sourdough", "at home", seconds=1.0),
    outro=Card("Bye", seconds=1.0),
)
MOVING = replace(STILL, background=Background("video", "sea"))
CIRCLE = replace(MOVING, place="circle")
CUES = (Cue("show", "cake 0.6s", 0.6), Cue("clip", "person", 1.2), Cue("show", "sea 0.6s", 1.8))
STAGINGS = pytest.mark.parametrize("staging", [STILL, MOVING, CIRCLE], ids=["still", "moving", "circle"])

Change = NDArray[np.int16]
MOST = int(embed.AMPLITUDES.max())


def job_of(materials: dict[str, Material], staging: Staging, **changes: object) -> StudioJob:
    overlay = striped(240, 40, 240, 30)
    return make_job(
        **{"width": 540, "height": 960, "overlay": overlay, "staging": staging, "materials": materials, **changes}
    )


def reel_of(job: StudioJob) -> Reel:
    return render.plan(job, pack.load(PACKS / job.avatar), speech(*CUES, seconds=2.6))


def changes(job: StudioJob) -> Iterator[tuple[str, Change]]:
    """For each frame that is drawn, what kind of shot it is and what the mark does to U. It does nothing to Y and V."""
    marked, bare = reel_of(replace(job, watermark=hidden)), reel_of(job)
    kinds = [shot.kind for shot in bare.timeline.shots for _ in range(shot.first, shot.end)]
    for kind, frame, other in zip(kinds, marked.frames(), bare.frames(), strict=True):
        if frame is not None and other is not None:
            (y, u, v), (plain_y, plain_u, plain_v) = planes.views(frame), planes.views(other)
            assert np.array_equal(y, plain_y)
            assert np.array_equal(v, plain_v)
            yield kind, u.astype(np.int16) - plain_u


@STAGINGS
def test_it_lies_at_one_place_in_every_frame_but_a_persons(staging: Staging, materials: dict[str, Material]) -> None:
    """Never against its sign, and never twice: patches, layers and moving ground each carry their part, once."""
    job = job_of(materials, staging)
    signs = np.sign(hidden(np.full((job.height, job.width), 126, np.uint8)).chroma)
    seen = set()
    for number, (kind, change) in enumerate(changes(job)):
        seen.add(kind)
        if kind == "human":
            assert not change.any()
        elif number % 3 == 0:
            along = change * signs
            assert along.min() >= 0
            assert along.max() <= MOST
            assert (along > 0).mean() > 0.98  # but in the label's soft edge and at the rim of letters
    assert seen == {"card", "avatar", "insert", "human"}


@STAGINGS
def test_each_kind_of_shot_tells_the_id_and_a_person_tells_nothing(
    staging: Staging, materials: dict[str, Material], tmp_path: Path
) -> None:
    job = job_of(materials, staging, watermark=hidden)
    made = render.film(job, speech(*CUES, seconds=2.6), tmp_path, lambda *_: None)
    timeline = reel_of(job).timeline
    for shot in timeline.shots:
        begin, end = timeline.ms(shot.first), timeline.ms(shot.end)
        found = detect.measure(made.video, MARK, KEY, human_ms=((0, begin), (end, made.duration_ms + 1000)))
        assert found.ok == (shot.kind != "human"), (shot, found)
    assert detect.measure(made.video, MARK, KEY, human_ms=made.human_ms).ok
    assert detect.measure(made.poster, MARK, KEY).ok


def test_a_draft_carries_none(materials: dict[str, Material]) -> None:
    job = job_of(materials, STILL, draft=True)
    assert all(not change.any() for _, change in changes(job))


@pytest.mark.parametrize("avatar", ["maya", "leo", "noa"])
def test_a_head_that_moves_takes_the_mark_along_nowhere(avatar: str) -> None:
    """Whatever the pose, what is hidden is the same: nothing flickers, and no patch shows its edge."""
    of = pack.load(PACKS / avatar)
    job = make_job(avatar=avatar, width=540, height=960, overlay=striped(240, 40, 240, 30))
    figure = Figure(of, job.width, job.height)
    marked, bare = (Compositor(each, of, figure, []) for each in (replace(job, watermark=hidden), job))
    wanted: Change | None = None
    for pose in sorted(figure.poses, key=lambda at: at.tilt)[::5]:
        for mouth in sorted(part for part in of.files if part.startswith("mouth_"))[:3]:
            look = replace(rest(of), pose=pose, mouth=mouth)
            u, plain = (planes.views(each.show(look, None))[1].astype(np.int16) for each in (marked, bare))
            wanted = u - plain if wanted is None else wanted
            assert np.array_equal(u - plain, wanted)
    assert wanted is not None
    head = figure.head_room
    assert np.abs(wanted[head.y // 2 : head.bottom // 2, head.x // 2 : head.right // 2]).max() == 1
    assert np.abs(wanted).max() > 1


def test_moving_material_is_not_written_on(maya: Pack, materials: dict[str, Material]) -> None:
    """A picture of it may be shown for longer than one frame, and would be marked twice."""
    job = job_of(materials, MOVING, watermark=hidden)
    compositor = Compositor(job, maya, Figure(maya, job.width, job.height), [])
    ground = planes.views(planes.new_frame(job.width, job.height))
    for plane in ground:
        plane[:] = 128
    once = planes.views(compositor.show(rest(maya), None, ground=ground))[1].copy()
    again = planes.views(compositor.show(rest(maya), None, ground=ground))[1]
    assert np.array_equal(once, again)
    assert all((plane == 128).all() for plane in ground)
