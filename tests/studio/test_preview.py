"""The draft: playable from its first piece, on the time line of the film, labelled, and called a draft."""

import io
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.staging import Music, Staging
from avatar_scheduler.marks import label
from avatar_scheduler.studio import preview, render
from avatar_scheduler.studio.avatar import pack as packs
from avatar_scheduler.studio.draft_sign import with_draft_sign
from avatar_scheduler.studio.job import PACKS, Material, StudioJob
from avatar_scheduler.studio.speech.speak import perform

WORDS = "Good morning. [smile] Dr. Smith salts the water! Do you?"


def job(text: str = WORDS, **more: object) -> StudioJob:
    width, height = preview.size(1080, 1920)
    overlay = with_draft_sign(label.draw("AI", "Avatar of Maya", (width, height)), width)
    made = StudioJob(text, "en", "maya", "kitchen", "ab", overlay, width=width, height=height, fps=preview.FPS)
    return replace(made, draft=True, **more)  # type: ignore[arg-type]


@cache
def parts() -> tuple[bytes, ...]:
    return tuple(preview.pieces(job()))


def pictures(film: bytes) -> list[NDArray[np.uint8]]:
    with av.open(io.BytesIO(film), "r") as container:
        return [np.asarray(frame.to_ndarray(format="gray"), np.uint8) for frame in container.decode(video=0)]


def times(film: bytes, kind: str) -> list[float]:
    with av.open(io.BytesIO(film), "r") as container:
        stream = container.streams.get({kind: 0})[0]
        return [float(p.pts * p.time_base) for p in container.demux(stream) if p.pts is not None and p.time_base]


def test_there_is_a_piece_for_each_sentence_and_none_inside_one() -> None:
    assert len(parts()) == 3


def test_the_first_piece_alone_already_moves() -> None:
    shown = pictures(parts()[0])
    assert len(shown) > preview.FPS / 2
    assert any(np.abs(a.astype(int) - b.astype(int)).max() > 40 for a, b in pairwise(shown))


def test_together_they_are_the_film_without_a_gap() -> None:
    film = b"".join(parts())
    speech = perform(job())
    frames = render.plan(job(), packs.load(PACKS / "maya"), speech).timeline.frames
    assert len(pictures(film)) == frames
    steps = Counter(np.diff(times(film, "audio")).round(4))
    assert set(steps) == {round(1024 / 48000, 4)}
    assert times(film, "audio")[-1] == pytest.approx(frames / preview.FPS, abs=0.1)


def test_what_was_given_out_stays_as_it_was() -> None:
    first, whole = pictures(parts()[0]), pictures(b"".join(parts()))
    for early, late in zip(first, whole, strict=False):
        assert np.array_equal(early, late)


def test_every_frame_has_the_label(tmp_path: Path) -> None:
    film = tmp_path / "draft.mp4"
    film.write_bytes(b"".join(parts()))
    found = label.measure(film, label.draw("AI", "Avatar of Maya", preview.size(1080, 1920)))
    assert found.ok, found.summary


def test_the_word_draft_never_covers_the_label() -> None:
    art = label.draw("AI", "Avatar of Maya", (360, 640))
    sign = with_draft_sign(art, 360)
    pixels = np.frombuffer(sign.rgba, np.uint8).reshape(sign.height, sign.width, 4)
    assert pixels[:, art.x - sign.x :].tobytes() == art.rgba
    assert pixels[:, : art.x - sign.x, 3].any()


@pytest.mark.parametrize("size", [(360, 640), (360, 450), (360, 360), (640, 360)])
def test_the_word_draft_is_whole_beside_the_widest_label(size: tuple[int, int]) -> None:
    art = label.draw("AI", "Images virtuelles, avatar IA de Maya", size, sponsor="Collaboration commerciale")
    sign = with_draft_sign(art, size[0])
    beside = np.frombuffer(sign.rgba, np.uint8).reshape(sign.height, sign.width, 4)[:, : art.x - sign.x, 3]
    assert beside.any()
    assert not beside[:, -2:].any()


@pytest.mark.parametrize(("width", "height"), [(1080, 1920), (1080, 1350), (1080, 1080), (1920, 1080)])
def test_each_format_keeps_its_proportions(width: int, height: int) -> None:
    small = preview.size(width, height)
    assert min(small) == preview.SHORT_SIDE
    assert small[0] / small[1] == pytest.approx(width / height, rel=0.01)


def test_a_beginning_that_says_nothing_waits_for_the_next_sentence() -> None:
    assert len(list(preview.pieces(job("… 🎂!\nSalt it.")))) == 1


def test_what_cannot_be_drawn_is_refused_before_anything_is_given_out() -> None:
    staged = Staging(music=Music("song"), materials={"song": "song"})
    for wrong in (job("🎂"), job("Hi. [dance]"), job(staging=staged), job(avatar="bob")):
        with pytest.raises(Invalid):
            next(preview.pieces(wrong))


def test_an_inserted_picture_is_shown(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (720, 1280), (255, 0, 0)).save(tmp_path / "red.png")
    materials = {"red": Material("image", tmp_path / "red.png")}
    film = b"".join(preview.pieces(job("Look at this. [show red] It is red. Done.", materials=materials)))
    with av.open(io.BytesIO(film), "r") as container:
        reds = [frame.to_ndarray(format="rgb24")[320, 180] for frame in container.decode(video=0)]
    assert any(red[0] > 200 and red[1] < 60 for red in reds)
