"""Whole films with everything in them, as files."""

import hashlib
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.staging import Background, Card, LowerThird, Staging
from avatar_scheduler.marks import label
from avatar_scheduler.studio import encode, render
from avatar_scheduler.studio.avatar import pack
from avatar_scheduler.studio.job import PACKS, Material, Overlay, Rendered, StudioJob
from avatar_scheduler.studio.speech.speak import perform
from avatar_scheduler.studio.timed import Cue, Speech
from tests.studio.jobs import hidden, make_job
from tests.studio.scene.material import TONE, grey, speech

SIZE = (540, 960)
EVERYTHING = Staging(
    place="circle",
    background=Background("video", "sea"),
    lower_third=LowerThird("Maya", "Baker", at=0.6, seconds=1.0),
    intro=Card("Sourdough", "at home", seconds=0.5),
    outro=Card("Bye", seconds=0.5),
)
LONG = (
    "Hi, I'm Maya! Today I'm baking sourdough in my little kitchen, and you can bake along. "
    "Will you bring the butter? First, wake the starter the evening before. Feed it, cover it, and leave it warm. "
    "Put plenty of flour, some water and a pinch of salt in a bowl. Maybe my map of bakeries will help you, too. "
    "Fold the dough a few times, half an hour apart, with both hands."
)
CUES = (Cue("show", "cake 0.3s", 0.2), Cue("clip", "person", 1.0), Cue("show", "sea 0.5s", 1.2))


def silent(percent: int, stage: str) -> None:
    pass


def staged(materials: dict[str, Material], staging: Staging = EVERYTHING) -> tuple[StudioJob, label.LabelArt]:
    art = label.draw("AI", "Avatar of Maya", SIZE)
    overlay = Overlay(art.rgba, art.width, art.height, art.x, art.y)
    job = make_job(width=SIZE[0], height=SIZE[1], overlay=overlay, staging=staging, materials=materials)
    return replace(job, watermark=hidden), art


def film_of(job: StudioJob, folder: Path, *cues: Cue) -> Rendered:
    folder.mkdir(exist_ok=True)
    return render.film(job, speech(*cues), folder, silent)


def sound_of(video: Path) -> NDArray[np.float32]:
    with av.open(video) as container:
        parts = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.asarray(np.concatenate(parts, axis=1).mean(axis=0), np.float32)


def digest(video: Path) -> str:
    digest = hashlib.sha256()
    with av.open(video) as container:
        for frame in container.decode(video=0):
            digest.update(frame.to_ndarray().tobytes())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def made(materials: dict[str, Material], tmp_path_factory: pytest.TempPathFactory) -> tuple[Rendered, label.LabelArt]:
    job, art = staged(materials)
    return film_of(job, tmp_path_factory.mktemp("film"), *CUES), art


class TestAHumanClip:
    def test_is_told_to_the_millisecond(
        self, made: tuple[Rendered, label.LabelArt], materials: dict[str, Material]
    ) -> None:
        assert made[0].human_ms == ((1500, 2500),)
        assert render.human_spans(staged(materials)[0], speech(*CUES)) == made[0].human_ms
        assert made[0].duration_ms == 4000

    def test_has_no_label_and_everything_else_has(self, made: tuple[Rendered, label.LabelArt]) -> None:
        rendered, art = made
        evidence = label.measure(rendered.video, art, human_ms=rendered.human_ms)
        assert evidence.summary == "0:00-0:04, human clip 0:01.5-0:02.5"
        assert evidence.ok
        assert evidence.measured["frames"] == 120

    def test_would_be_missed_by_who_does_not_know_of_it(self, made: tuple[Rendered, label.LabelArt]) -> None:
        assert label.measure(made[0].video, made[1]).summary == "gone from 0:01.5 to 0:02.5"

    def test_is_heard_while_it_is_seen(self, made: tuple[Rendered, label.LabelArt]) -> None:
        sound = sound_of(made[0].video)

        def tone(start: float, end: float) -> float:
            part = sound[int(start * 48_000) : int(end * 48_000)]
            spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
            middle = round(TONE * len(part) / 48_000)
            return float(spectrum[middle - 3 : middle + 4].sum() / spectrum.sum())

        assert tone(1.6, 2.4) > 0.9
        assert tone(0.6, 1.4) < 0.2
        assert tone(2.6, 3.4) < 0.2


class TestTheSameJobTwice:
    def test_gives_the_same_pictures(
        self, made: tuple[Rendered, label.LabelArt], materials: dict[str, Material], tmp_path: Path
    ) -> None:
        again = film_of(staged(materials)[0], tmp_path / "again", *CUES)
        assert digest(again.video) == digest(made[0].video)
        assert again.captions.read_bytes() == made[0].captions.read_bytes()
        assert again.poster.read_bytes() == made[0].poster.read_bytes()


class TestUnreadableMaterial:
    def test_a_picture_is_named_and_nothing_is_left(self, materials: dict[str, Material], tmp_path: Path) -> None:
        (tmp_path / "cake.png").write_bytes(b"no picture")
        broken = {**materials, "cake": Material("image", tmp_path / "cake.png")}
        with pytest.raises(Invalid, match=r"^The picture “cake” cannot be read\. Upload it again\.$"):
            film_of(staged(broken)[0], tmp_path / "film", *CUES)
        assert list((tmp_path / "film").iterdir()) == []

    def test_a_clip_that_breaks_off_is_named_and_nothing_is_left(
        self, materials: dict[str, Material], tmp_path: Path
    ) -> None:
        data = bytearray(materials["sea"].path.read_bytes())
        middle = data.index(b"mdat") + 200
        data[middle : middle + 4000] = bytes(4000)
        (tmp_path / "sea.mp4").write_bytes(data)
        broken = {**materials, "sea": Material("clip", tmp_path / "sea.mp4")}
        with pytest.raises(Invalid, match=r"^The clip “sea” cannot be read\. Upload it again\.$"):
            film_of(staged(broken)[0], tmp_path / "film", *CUES)
        assert list((tmp_path / "film").iterdir()) == []

    def test_too_much_of_a_person_is_refused_before_anything_is_written(
        self, materials: dict[str, Material], tmp_path: Path
    ) -> None:
        job = staged(materials, Staging())[0]
        with pytest.raises(Invalid, match="first or last second"):
            film_of(job, tmp_path / "film", Cue("clip", "person", 0.2))
        assert list((tmp_path / "film").iterdir()) == []


class TestDroppingRepeats:
    def test_shows_the_same_with_fewer_frames(self, tmp_path: Path) -> None:
        job = staged({}, Staging(captions="plain"))[0]
        reel = render.plan(job, pack.load(PACKS / "maya"), speech())
        whole, fewer = tmp_path / "whole.mp4", tmp_path / "fewer.mp4"
        nothing = np.zeros((2, 96_000), np.float32)
        encode.write_mp4(whole, reel.frames(), nothing, size=SIZE, fps=30)
        reel = render.plan(job, pack.load(PACKS / "maya"), speech())
        encode.write_mp4(fewer, reel.frames(), nothing, size=SIZE, fps=30, drop_repeats=True)
        steady, irregular = pictures(whole), pictures(fewer)
        assert len(steady) == 60
        assert 10 < len(irregular) < 50
        assert len({after - before for after, before in pairwise(irregular)}) > 1
        assert max(irregular) == max(steady)
        for at, picture in steady.items():
            kept = irregular[max(other for other in irregular if other <= at)]
            assert np.abs(picture.astype(np.int16) - kept).mean() < 1.5


def pictures(video: Path) -> dict[int, NDArray[np.uint8]]:
    """By the number of the frame they begin with."""
    with av.open(video) as container:
        return {round(frame.time * 30): grey(frame) for frame in container.decode(video=0) if frame.time is not None}


@dataclass(frozen=True)
class Spoken:
    speech: Speech
    openness: NDArray[np.float64]
    """Share of the mouth's box that is as dark as the inside of a mouth, per frame."""
    sound: NDArray[np.float32]


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Spoken:
    """What a player shows and plays of a film of about twenty seconds."""
    job = replace(staged({}, Staging())[0], text=LONG)
    voice = perform(job)
    video = render.film(job, voice, tmp_path_factory.mktemp("spoken"), silent).video
    mouths = np.stack(list(pictures(video).values()))[:, 515:575, 260:340]
    return Spoken(voice, np.asarray((mouths < 60).mean(axis=(1, 2)), np.float64), sound_of(video))


class TestLips:
    def test_are_closed_on_m_p_and_b(self, spoken: Spoken) -> None:
        closing = [sound for sound in spoken.speech.phonemes if sound.text in "mpb"]
        assert len(closing) >= 15
        for sound in closing:
            around = spoken.openness[round((sound.start - 0.07) * 30) : round(sound.end * 30) + 1]
            assert around.min() < 0.02
        assert (spoken.openness > 0.03).mean() > 0.2
        assert spoken.openness.max() > 0.1

    def test_move_with_the_sound(self, spoken: Spoken) -> None:
        assert abs(offset_ms(spoken)) <= 40

    @pytest.mark.parametrize("late_ms", [-100, 100])
    def test_which_would_be_noticed_if_it_came_late(self, spoken: Spoken, late_ms: int) -> None:
        late = replace(spoken, sound=np.roll(spoken.sound, late_ms * 48))
        assert offset_ms(late) == pytest.approx(offset_ms(spoken) - late_ms, abs=10)


def offset_ms(spoken: Spoken) -> int:
    """By how much the mouth comes later than the sound: where opening and loudness agree best, within 200 ms."""
    step, window = 2, 40 * 48
    loudness = np.log(np.sqrt(np.convolve(spoken.sound**2, np.ones(window) / window, "same")) + 1e-3)
    times = np.arange(0, len(spoken.openness) / 30, step / 1000)
    heard = loudness[np.minimum((times * 48_000).astype(int), len(loudness) - 1)]
    seen = spoken.openness[np.minimum((times * 30).astype(int), len(spoken.openness) - 1)]
    lags = range(-100, 101)
    fits = [np.corrcoef(np.roll(heard, lag)[100:-100], seen[100:-100])[0, 1] for lag in lags]
    return lags[int(np.argmax(fits))] * step
