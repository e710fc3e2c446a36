import hashlib
import re
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.studio import audio
from avatar_scheduler.studio.job import StudioJob
from avatar_scheduler.studio.render import film as make_film
from avatar_scheduler.studio.render import render
from avatar_scheduler.studio.timed import Speech
from tests.studio.conftest import Film
from tests.studio.jobs import SCRIPT, make_job

FILES = ("video.mp4", "captions.vtt", "poster.jpg")


def silent(percent: int, stage: str) -> None:
    pass


def decoded(video: Path) -> str:
    digest = hashlib.sha256()
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            digest.update(frame.to_ndarray().tobytes())
    return digest.hexdigest()


class TestTheFilm:
    def test_is_tall_video_at_thirty_constant_frames_with_aac(self, film: Film) -> None:
        with av.open(str(film.rendered.video)) as container:
            video, sound = container.streams.video[0], container.streams.audio[0]
            assert (video.codec_context.name, video.width, video.height) == ("h264", 1080, 1920)
            assert video.average_rate == 30
            assert video.frames == len(film.labels)
            assert (sound.codec_context.name, sound.rate, sound.channels) == ("aac", 48_000, 2)
            assert video.codec_context.colorspace == 1
            shown = sorted(packet.pts for packet in container.demux(video) if packet.pts is not None)
        assert len({b - a for a, b in pairwise(shown)}) == 1

    def test_puts_the_index_before_the_pictures(self, film: Film) -> None:
        data = film.rendered.video.read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")

    def test_lasts_as_long_as_its_speech(self, film: Film, speech: Speech) -> None:
        with av.open(str(film.rendered.video)) as container:
            assert container.duration is not None
            assert container.duration / 1e6 == pytest.approx(speech.seconds, abs=0.2)
        assert film.rendered.duration_ms / 1000 == pytest.approx(speech.seconds, abs=0.2)

    def test_is_as_loud_as_platforms_play_it_and_never_clips(self, film: Film) -> None:
        assert audio.measure(film.sound) == pytest.approx(-14, abs=0.5)
        length = film.sound.shape[1]
        between_samples = np.fft.irfft(np.fft.rfft(film.sound, axis=1), 4 * length, axis=1) * 4
        true_peak = np.abs(between_samples).max()
        assert 20 * np.log10(true_peak) <= -1

    def test_shows_the_label_in_every_frame(self, film: Film) -> None:
        bars = (np.arange(560) // 40) % 2 == 0
        assert film.labels[:, 8:-8, bars].mean(axis=(1, 2)).min() > 180
        assert film.labels[:, 8:-8, ~bars].mean(axis=(1, 2)).max() < 60

    def test_opens_its_mouth_to_speak_and_rests_in_silence(self, film: Film, speech: Speech) -> None:
        dark_inside = (film.mouths[:, 40:160, 90:250] < 52).mean(axis=(1, 2))
        first, last = int(speech.words[0].start * 30), int(speech.words[-1].end * 30)
        pause = slice(int(speech.words[3].end * 30) + 6, int(speech.words[4].start * 30) - 4)
        assert dark_inside[first:last].max() > 0.08
        assert (np.abs(np.diff(dark_inside[first:last])) > 0.01).sum() >= 8
        for rest in (dark_inside[: first - 2], dark_inside[pause], dark_inside[last + 6 :]):
            assert len(rest) > 3
            assert rest.max() < 0.015

    def test_progress_rises_from_nothing_to_done(self, film: Film) -> None:
        steps = [percent for percent, _ in film.progress]
        assert steps == sorted(set(steps))
        assert (steps[0], steps[-1]) == (0, 100)
        assert len(steps) > 20

    def test_poster_is_a_full_frame_with_the_label(self, film: Film) -> None:
        with Image.open(film.rendered.poster) as poster:
            assert (poster.format, poster.size) == ("JPEG", (1080, 1920))
            label = np.asarray(poster.convert("L"))[60:180, 480:1040]
        assert label[:, :40].mean() > 200
        assert label[:, 40:80].mean() < 60

    def test_captions_hold_the_script_in_order(self, film: Film) -> None:
        text = film.rendered.captions.read_text("utf-8")
        cues = re.findall(r"(\d\d):(\d\d):(\d\d\.\d{3}) --> (\d\d):(\d\d):(\d\d\.\d{3})\n(.+)\n", text)
        times = [int(n[i]) * 3600 + int(n[i + 1]) * 60 + float(n[i + 2]) for n in cues for i in (0, 3)]
        assert text.startswith("WEBVTT\n\n")
        assert " ".join(cue[6] for cue in cues).split() == SCRIPT.split()
        assert times == sorted(times)
        assert all(end > start for start, end in zip(times[::2], times[1::2], strict=True))


class TestTheSameJobTwice:
    def test_gives_the_same_pictures_and_captions(self, small_job: StudioJob, tmp_path: Path) -> None:
        once, again = tmp_path / "once", tmp_path / "again"
        once.mkdir()
        again.mkdir()
        first, second = render(small_job, once, silent), render(small_job, again, silent)
        assert decoded(first.video) == decoded(second.video)
        assert first.captions.read_bytes() == second.captions.read_bytes()

    def test_another_seed_gives_another_film(self, small_job: StudioJob, speech: Speech, tmp_path: Path) -> None:
        other = StudioJob(**{**vars(small_job), "seed": "0dd"})
        films = []
        for job in (small_job, other):
            folder = tmp_path / job.seed
            folder.mkdir()
            films.append(decoded(make_film(job, speech, folder, silent).video))
        assert films[0] != films[1]


class TestAFullDisk:
    @pytest.mark.parametrize("name", FILES)
    def test_is_refused_in_words_and_leaves_nothing(
        self, name: str, small_job: StudioJob, speech: Speech, tmp_path: Path
    ) -> None:
        (tmp_path / name).symlink_to("/dev/full")
        with pytest.raises(Refused, match=r"^The disk is full\. .* nothing was kept\.$") as caught:
            make_film(small_job, speech, tmp_path, silent)
        assert caught.value.code == "disk_full"
        assert list(tmp_path.iterdir()) == []


class TestABadJob:
    @pytest.mark.parametrize(
        "change",
        [{"text": " "}, {"text": "🎂🎂"}, {"avatar": "nobody"}, {"scene": "moon"}, {"language": "xx"}],
        ids=lambda change: next(iter(change)),
    )
    def test_is_refused_before_anything_is_written(self, change: dict[str, str], tmp_path: Path) -> None:
        steps: list[int] = []
        with pytest.raises(Invalid):
            render(make_job(**change), tmp_path, lambda percent, stage: steps.append(percent))
        assert (list(tmp_path.iterdir()), steps) == ([], [])
