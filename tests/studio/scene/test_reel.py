"""Frames of every kind of shot, as they go to the encoder."""

import gc
import weakref
from dataclasses import replace

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_scheduler.domain.staging import FORMATS, Background, Card, LowerThird, Staging
from avatar_scheduler.studio import planes, render
from avatar_scheduler.studio.avatar import pack
from avatar_scheduler.studio.avatar.pack import Box, Pack
from avatar_scheduler.studio.avatar.sprites import Figure
from avatar_scheduler.studio.avatar.stage import Stage
from avatar_scheduler.studio.job import PACKS, Material, StudioJob
from avatar_scheduler.studio.scene.reel import Reel
from avatar_scheduler.studio.timed import Cue
from tests.studio.jobs import make_job, striped
from tests.studio.scene.material import grey, level, speech

LABEL = (slice(30, 70), slice(240, 480))
EVERYTHING = Staging(
    background=Background("video", "sea"),
    lower_third=LowerThird("Maya", "Baker", at=1.0, seconds=1.0),
    intro=Card("Sourdough", "at home", seconds=0.5),
    outro=Card("Bye", seconds=0.5),
)
CUES = (Cue("show", "cake 0.5s", 0.5), Cue("clip", "person", 1.0), Cue("show", "sea 0.3s", 1.2))


def small(materials: dict[str, Material], staging: Staging, **changes: object) -> StudioJob:
    overlay = striped(240, 40, 240, 30)
    return make_job(width=540, height=960, overlay=overlay, staging=staging, materials=materials, **changes)


def reel_of(job: StudioJob, *cues: Cue) -> Reel:
    return render.plan(job, pack.load(PACKS / job.avatar), speech(*cues))


def shown(reel: Reel) -> list[NDArray[np.uint8]]:
    """What a player shows in each frame, as luma."""
    pictures: list[NDArray[np.uint8]] = []
    for frame in reel.frames():
        pictures.append(pictures[-1] if frame is None else grey(frame))
    return pictures


def has_label(picture: NDArray[np.uint8]) -> bool:
    part = picture[LABEL][:, 2:-2]
    light = (np.arange(240) // 40 % 2 == 0)[2:-2]
    return bool(part[:, light].mean() > 200 and part[:, ~light].mean() < 40)


@pytest.mark.parametrize("place", ["full", "circle"])
def test_only_a_person_is_without_the_label(place: str, materials: dict[str, Material]) -> None:
    reel = reel_of(small(materials, replace(EVERYTHING, place=place)), *CUES)
    kinds = [shot.kind for shot in reel.timeline.shots]
    assert kinds == ["card", "avatar", "insert", "human", "avatar", "insert", "avatar", "card"]
    human = [number for shot in reel.timeline.shots if shot.kind == "human" for number in range(shot.first, shot.end)]
    pictures = shown(reel)
    assert len(pictures) == reel.timeline.frames == 120
    assert [number for number, picture in enumerate(pictures) if not has_label(picture)] == human


def test_a_clip_is_shown_as_it_is(materials: dict[str, Material]) -> None:
    reel = reel_of(small(materials, EVERYTHING), *CUES)
    (span,) = [shot for shot in reel.timeline.shots if shot.kind == "human"]
    for number, picture in enumerate(shown(reel)[span.first : span.end]):
        assert np.ptp(picture[300:660]) <= 4  # no word, no figure
        assert abs(int(picture[480, 270]) - level(number)) <= 3
        assert not picture[:200].any()


def test_each_shot_shows_what_it_says(materials: dict[str, Material]) -> None:
    reel = reel_of(small(materials, EVERYTHING), *CUES)
    pictures = shown(reel)
    first = {f"{shot.kind} {shot.name}": shot.first for shot in reversed(reel.timeline.shots)}
    assert np.ptp(pictures[first["insert cake"]][300:500]) <= 3
    assert abs(int(pictures[first["insert cake"]][400, 270]) - 66) < 5  # the luma of its red
    sea = [int(pictures[first["insert sea"] + n][200, 270]) for n in range(9)]
    assert sea == sorted(sea)
    assert sea[-1] - sea[0] >= 20
    assert pictures[first["card intro"]].std() > 5


def test_the_lower_third_comes_and_goes(materials: dict[str, Material]) -> None:
    job = small(materials, Staging(lower_third=LowerThird("Maya", "Baker", at=0.5, seconds=1.0)))
    bare, named = reel_of(replace(job, staging=Staging())), reel_of(job)
    differs = [not np.array_equal(a, b) for a, b in zip(shown(bare), shown(named), strict=True)]
    assert differs == [15 <= number < 45 for number in range(60)]


@pytest.mark.parametrize("avatar", ["maya", "noa"])
def test_the_figure_over_moving_ground_looks_as_drawn_on_it(avatar: str, materials: dict[str, Material]) -> None:
    """Frame by frame as if the whole picture had been drawn anew: no seam, no trace of the frame before."""
    job = small(materials, Staging(background=Background("video", "sea"), captions="none"), avatar=avatar)
    reel = reel_of(job)
    figure = Figure(pack.load(PACKS / avatar), job.width, job.height)
    worst: list[float] = []
    for number, frame in enumerate(reel.frames()):
        if frame is not None and number % 7 == 0:
            seen = planes.views(frame)[0]
            back = int(seen[2, 2])
            value = round((back - 16) * 255 / 219)
            plain = replace(job, staging=Staging(background=Background("color", f"#{value:02x}{value:02x}{value:02x}")))
            whole = Stage(plain, figure).patch(Box(0, 0, job.width, job.height), reel.looks[number])[0]
            worst.append(float((np.abs(seen.astype(np.int16) - whole) > 14).sum()))
    assert len(worst) >= 6
    assert max(worst) < 60


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("place", ["left", "circle"])
def test_patches_add_up_in_every_format(form: str, place: str, maya: Pack) -> None:
    width, height = (side // 4 * 2 for side in FORMATS[form])
    job = make_job(
        width=width, height=height, overlay=striped(160, 40, 20, 20), staging=Staging(format=form, place=place)
    )
    reel = reel_of(replace(job, staging=replace(job.staging, captions="none")))
    figure = Figure(maya, width, height, place)
    stage = Stage(job, figure)
    for number, frame in enumerate(reel.frames()):
        if frame is not None and number % 9 == 0:
            whole = stage.patch(Box(0, 0, width, height), reel.looks[number])
            for patched, drawn in zip(planes.views(frame), whole, strict=True):
                assert (np.abs(patched.astype(np.int16) - drawn) > 12).sum() < 120


def test_words_over_a_moving_head_leave_no_trace(materials: dict[str, Material]) -> None:
    """A caption across the chin: when it goes, the picture is as if it had never been."""
    job = make_job(
        width=540,
        height=540,
        overlay=striped(160, 40, 20, 20),
        staging=Staging(format="1:1", lower_third=LowerThird("Maya", "Baker", at=0.0, seconds=1.0)),
    )
    named, bare = reel_of(job), reel_of(replace(job, staging=Staging(format="1:1")))
    pairs = list(zip(shown(named), shown(bare), strict=True))
    assert not any(np.array_equal(a, b) for a, b in pairs[:30])
    assert all(np.array_equal(a, b) for a, b in pairs[30:])


def test_part_of_the_frames_are_the_same_frames(materials: dict[str, Material]) -> None:
    whole = shown(reel_of(small(materials, EVERYTHING), *CUES))
    for first, end in ((20, 40), (50, 70), (65, 100)):
        pictures: list[NDArray[np.uint8]] = []
        for frame in reel_of(small(materials, EVERYTHING), *CUES).frames(first, end):
            pictures.append(pictures[-1] if frame is None else grey(frame))
        assert len(pictures) == end - first
        assert all(np.array_equal(a, b) for a, b in zip(pictures, whole[first:end], strict=True))


def test_gradient_and_colour_are_what_was_asked_for(materials: dict[str, Material]) -> None:
    for background, top in ((Background("color", "#204060"), 60), (Background("gradient", "#000000 #ffffff"), 0)):
        picture = shown(reel_of(small(materials, Staging(background=background))))[0]
        assert abs(int(picture[2, 2]) - top) <= 3
    column = picture[:600, 3].astype(float)
    assert np.abs(column - np.linspace(0, 255 * 600 / 960, 600)).max() < 4


def test_captions_wait_with_the_speech(materials: dict[str, Material]) -> None:
    reel = reel_of(small(materials, Staging()), Cue("clip", "person", 1.0))
    assert [caption.text for caption in reel.captions] == ["word0 word1", "word2 word3"]
    assert reel.captions[0].end <= 1.0
    assert reel.captions[1].start >= 2.0


def test_poster_shows_the_face_before_the_moving_ground(materials: dict[str, Material]) -> None:
    frame = reel_of(small(materials, EVERYTHING), *CUES).poster()
    assert isinstance(frame, av.VideoFrame)
    assert has_label(grey(frame))
    assert abs(int(grey(frame)[2, 2]) - level(0)) <= 3


@pytest.mark.parametrize("staging", [Staging(), EVERYTHING], ids=["still", "moving"])
def test_a_film_that_is_done_leaves_memory_at_once(staging: Staging, materials: dict[str, Material]) -> None:
    """Its pictures hold hundreds of megabytes: in a ring of references they would wait for the garbage collector."""
    reel = reel_of(small(materials, staging), *CUES)
    shown(reel)
    seen = weakref.ref(reel._compositor)
    gc.disable()
    try:
        del reel
        assert seen() is None
    finally:
        gc.enable()
