import subprocess
import sys
from collections.abc import Callable, Container
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.marks import digest
from avatar_scheduler.marks.label import LabelArt, draw, measure, measure_plates
from tests.marks.conftest import FPS, SMALL, film

QUARTER_TURN = np.array([0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30], ">i4").tobytes()


def faded(art: LabelArt, opacity: float) -> LabelArt:
    pixels = np.frombuffer(art.rgba, np.uint8).reshape(-1, 4).copy()
    pixels[:, 3] = (pixels[:, 3] * opacity).astype(np.uint8)
    return replace(art, rgba=pixels.tobytes())


def blank(art: LabelArt) -> LabelArt:
    pixels = np.frombuffer(art.rgba, np.uint8).reshape(-1, 4).copy()
    pixels[:, :3] = pixels[art.width // 2, :3]
    return replace(art, rgba=pixels.tobytes())


def moved(art: LabelArt, pixels: int) -> LabelArt:
    return replace(art, x=art.x - pixels)


def reencode(source: Path, target: Path, crf: int) -> Path:
    with av.open(source) as old, av.open(target, "w") as new:
        stream = new.add_stream("libx264", rate=FPS, options={"crf": str(crf), "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *SMALL, "yuv420p"
        for frame in old.decode(video=0):
            new.mux(stream.encode(frame.reformat(format="yuv420p")))
        new.mux(stream.encode())
    return target


def reason(evidence: Evidence) -> str:
    assert not evidence.ok
    return evidence.summary


class TestPresent:
    def test_it_is_there_from_the_first_frame_to_the_last(self, labelled: Path, art: LabelArt) -> None:
        evidence = measure(labelled, art)
        assert evidence.ok
        assert evidence.mark is Mark.label
        assert evidence.summary == "0:00-0:05"
        assert evidence.subject == digest.of_file(labelled)
        assert evidence.measured["end_ms"] == 5000
        assert evidence.measured["height_thousandths"] == art.height * 1000 // 540
        assert int(evidence.measured["frames"]) >= 5 * FPS / 3

    @pytest.mark.parametrize("crf", [21, 28])
    def test_it_survives_another_encode(self, labelled: Path, art: LabelArt, tmp_path: Path, crf: int) -> None:
        assert measure(reencode(labelled, tmp_path / "again.mp4", crf), art).ok

    @pytest.mark.parametrize("pix_fmt", ["yuvj420p", "yuv444p", "yuv420p10le"])
    def test_it_is_found_in_other_pixel_formats(self, art: LabelArt, tmp_path: Path, pix_fmt: str) -> None:
        evidence = measure(film(tmp_path / "film.mp4", art, seconds=0.5, pix_fmt=pix_fmt), art)
        assert evidence.ok
        assert int(evidence.measured["worst_patch"]) < 50

    def test_a_file_whose_frames_all_stand_alone_is_watched_too(self, art: LabelArt, tmp_path: Path) -> None:
        evidence = measure(film(tmp_path / "film.mp4", art, seconds=1, options={"g": "1"}), art)
        assert evidence.ok
        assert evidence.measured["frames"] == FPS


class TestMissing:
    def test_a_second_without_it_is_named_to_the_frame(self, art: LabelArt, tmp_path: Path) -> None:
        video = film(tmp_path / "film.mp4", art, seconds=5, without=range(60, 90))
        evidence = measure(video, art)
        assert reason(evidence) == "gone from 0:02 to 0:03"
        assert (evidence.measured["fails_from_ms"], evidence.measured["fails_to_ms"]) == (2000, 3000)
        assert evidence.measured["frames"] == 5 * FPS

    def test_every_gap_is_named(self, art: LabelArt, tmp_path: Path) -> None:
        video = film(tmp_path / "film.mp4", art, seconds=2, without={*range(6, 12), *range(30, 45)})
        assert reason(measure(video, art)) == "gone from 0:00.2 to 0:00.4, from 0:01 to 0:01.5"

    @pytest.mark.parametrize(("frame", "span"), [(0, "from 0:00 to 0:00.033"), (59, "from 0:01.967 to 0:02")])
    def test_one_frame_at_either_end_is_enough(self, art: LabelArt, tmp_path: Path, frame: int, span: str) -> None:
        assert reason(measure(film(tmp_path / "film.mp4", art, without={frame}), art)) == f"gone {span}"

    def test_where_frames_to_build_on_are_rare_every_frame_is_watched(self, art: LabelArt, tmp_path: Path) -> None:
        rare = {"bf": "16", "b_strategy": "0", "b-pyramid": "none"}
        video = film(tmp_path / "film.mp4", art, seconds=10, fps=5, without={20}, options=rare)
        assert reason(measure(video, art)) == "gone from 0:04 to 0:04.2"

    def test_a_video_without_any_says_so(self, art: LabelArt, tmp_path: Path) -> None:
        assert reason(measure(film(tmp_path / "film.mp4", None), art)) == "gone from 0:00 to 0:02"


class TestAltered:
    @pytest.mark.parametrize("words", ["Avatar of Mayo", "Avatar of Leo", "Photo by Maya"])
    def test_other_words_on_the_plate_are_not_the_label(self, art: LabelArt, tmp_path: Path, words: str) -> None:
        video = film(tmp_path / "film.mp4", draw("AI", words, SMALL), seconds=0.5)
        assert "0:00 to 0:00.5" in reason(measure(video, art))

    def test_one_changed_letter_reads_as_altered(self, art: LabelArt, tmp_path: Path) -> None:
        video = film(tmp_path / "film.mp4", draw("AI", "Avatar of Mayo", SMALL), seconds=0.5)
        assert reason(measure(video, art)).startswith("altered")

    def test_a_blank_plate_is_not_the_label(self, art: LabelArt, tmp_path: Path) -> None:
        assert not measure(film(tmp_path / "film.mp4", blank(art), seconds=0.5), art).ok

    @pytest.mark.parametrize("opacity", [0.2, 0.6])
    def test_a_faded_plate_is_not_the_label(self, art: LabelArt, tmp_path: Path, opacity: float) -> None:
        assert not measure(film(tmp_path / "film.mp4", faded(art, opacity), seconds=0.5), art).ok

    def test_a_label_somewhere_else_is_not_where_viewers_look(self, art: LabelArt, tmp_path: Path) -> None:
        assert not measure(film(tmp_path / "film.mp4", moved(art, 12), seconds=0.5), art).ok


class TestHumanClips:
    """Two seconds of a person in the middle of five: frames 45 to 104."""

    SPAN = ((1500, 3500),)
    PERSON = range(45, 105)

    def test_the_label_is_there_outside_and_gone_inside(self, art: LabelArt, tmp_path: Path) -> None:
        evidence = measure(film(tmp_path / "f.mp4", art, seconds=5, without=self.PERSON), art, human_ms=self.SPAN)
        assert evidence.ok
        assert evidence.summary == "0:00-0:05, human clip 0:01.5-0:03.5"
        assert evidence.measured["frames"] == 5 * FPS
        assert (evidence.measured["human_clips"], evidence.measured["human_ms"]) == (1, 2000)
        assert int(evidence.measured["worst_match"]) > 950
        assert int(evidence.measured["human_best_match"]) < 500

    @pytest.mark.parametrize(
        ("without", "why"),
        [
            (range(44, 105), "gone from 0:01.467 to 0:01.5"),
            (range(45, 106), "gone from 0:03.5 to 0:03.533"),
            (range(46, 105), "shown over a person from 0:01.5 to 0:01.533"),
            (range(45, 104), "shown over a person from 0:03.467 to 0:03.5"),
            ((), "shown over a person from 0:01.5 to 0:03.5"),
            ({0, *range(45, 105)}, "gone from 0:00 to 0:00.033"),
            ({149, *range(45, 105)}, "gone from 0:04.967 to 0:05"),
        ],
    )
    def test_one_frame_too_few_or_too_many_is_named(
        self, without: Container[int], why: str, art: LabelArt, tmp_path: Path
    ) -> None:
        assert (
            reason(measure(film(tmp_path / "f.mp4", art, seconds=5, without=without), art, human_ms=self.SPAN)) == why
        )

    @pytest.mark.parametrize(
        ("spans", "why"),
        [
            (((900, 2000),), "a human clip stands in the first or last second"),
            (((3000, 4100),), "a human clip stands in the first or last second"),
            (((1000, 2300), (2500, 3800)), "human clips fill more than half of the film"),
        ],
    )
    def test_the_avatar_keeps_both_ends_and_half_of_the_film(
        self, spans: tuple[tuple[int, int], ...], why: str, art: LabelArt, tmp_path: Path
    ) -> None:
        person = {n for n in range(5 * FPS) for begin, end in spans if begin <= n * 1000 / FPS < end}
        assert reason(measure(film(tmp_path / "f.mp4", art, seconds=5, without=person), art, human_ms=spans)) == why


class TestUnreadable:
    def test_a_missing_file_proves_nothing(self, art: LabelArt, tmp_path: Path) -> None:
        evidence = measure(tmp_path / "nowhere.mp4", art)
        assert "No such file" in reason(evidence)
        assert evidence.subject == ""

    @pytest.mark.parametrize("content", [b"", b"not a video " * 500])
    def test_garbage_is_not_a_video(self, art: LabelArt, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "film.mp4"
        path.write_bytes(content)
        assert "cannot be read" in reason(measure(path, art))

    def test_a_truncated_file_is_cut_short(self, art: LabelArt, tmp_path: Path) -> None:
        path = film(tmp_path / "film.mp4", art, seconds=1)
        remux(path, faststart := tmp_path / "faststart.mp4", options={"movflags": "faststart"})
        faststart.write_bytes(faststart.read_bytes()[: faststart.stat().st_size * 2 // 3])
        assert "cut short" in reason(measure(faststart, art))

    def test_damaged_pictures_are_not_believed(
        self, labelled: Path, art: LabelArt, copy: Callable[[Path], Path]
    ) -> None:
        path = copy(labelled)
        data = bytearray(path.read_bytes())
        middle = data.index(b"mdat") + 20_000
        data[middle : middle + 40_000] = bytes(40_000)
        path.write_bytes(data)
        assert not measure(path, art).ok

    def test_a_file_that_starts_in_the_middle_of_a_scene_is_damaged(self, art: LabelArt, tmp_path: Path) -> None:
        video = film(tmp_path / "film.mp4", art, options={"g": "30"})
        remux(video, cut := tmp_path / "cut.mp4", skip=1)
        assert "frames can be read" in reason(measure(cut, art))

    def test_a_smaller_picture_than_the_art_was_drawn_for(self, labelled: Path) -> None:
        assert "540x960" in reason(measure(labelled, draw("AI", "Avatar of Maya", (1080, 1920))))

    def test_a_turned_picture_shows_the_label_lying_down(
        self, labelled: Path, art: LabelArt, copy: Callable[[Path], Path]
    ) -> None:
        path = copy(labelled)
        data = bytearray(path.read_bytes())
        matrix = data.index(b"tkhd") + 4 + 40
        data[matrix : matrix + 36] = QUARTER_TURN
        path.write_bytes(data)
        assert "turns" in reason(measure(path, art))

    def test_a_second_picture_track_could_be_the_one_shown(self, labelled: Path, art: LabelArt, tmp_path: Path) -> None:
        remux(labelled, path := tmp_path / "two.mp4", tracks=2)
        assert "2 picture tracks" in reason(measure(path, art))

    def test_stretched_pixels_are_refused(self, art: LabelArt, tmp_path: Path) -> None:
        with av.open(film(tmp_path / "film.mp4", art, seconds=0.5)) as old, av.open(tmp_path / "wide.mp4", "w") as new:
            source = old.streams.video[0]
            stream = new.add_stream_from_template(source)
            stream.sample_aspect_ratio = 3  # type: ignore[assignment]
            for packet in old.demux(source):
                if packet.dts is not None:
                    packet.stream = stream
                    new.mux(packet)
        assert "stretch" in reason(measure(tmp_path / "wide.mp4", art))


def remux(source: Path, target: Path, *, tracks: int = 1, skip: int = 0, options: dict[str, str] | None = None) -> None:
    """Copies packets as ffmpeg's stream copy does, into a new file."""
    with av.open(source) as old, av.open(target, "w", options=options or {}) as new:
        streams = [new.add_stream_from_template(old.streams.video[0]) for _ in range(tracks)]
        for stream in streams:
            old.seek(0)
            for number, packet in enumerate(old.demux(old.streams.video[0])):
                if packet.dts is not None and number >= skip:
                    packet.stream = stream
                    new.mux(packet)


class TestSponsorPlate:
    """Two plates, one picture: each must be seen in its own place."""

    @pytest.fixture
    def both(self) -> LabelArt:
        return draw("AI", "Avatar of Maya", SMALL, sponsor="Ad")

    @staticmethod
    def marks(video: Path, art: LabelArt, **how: Any) -> dict[Mark, Evidence]:
        return {evidence.mark: evidence for evidence in measure_plates(video, art, **how)}

    def test_both_are_there_and_say_what_was_drawn(self, both: LabelArt, tmp_path: Path) -> None:
        found = self.marks(film(tmp_path / "f.mp4", both), both)
        assert [evidence.ok for evidence in found.values()] == [True, True]
        assert found[Mark.label].measured["text"] == "AI Avatar of Maya"
        assert found[Mark.sponsor_label].measured["text"] == "Ad"
        assert found[Mark.label].measured["height_thousandths"] == both.label_height * 1000 // 540
        assert int(found[Mark.sponsor_label].measured["height_thousandths"]) >= 50

    def test_nothing_paid_for_nothing_measured(self, labelled: Path, art: LabelArt) -> None:
        assert list(self.marks(labelled, art)) == [Mark.label]

    def test_only_the_ai_plate_covered(self, both: LabelArt, tmp_path: Path) -> None:
        assert both.sponsor
        found = self.marks(film(tmp_path / "f.mp4", both.sponsor), both)
        assert reason(found[Mark.label]) == "gone from 0:00 to 0:02"
        assert found[Mark.sponsor_label].ok

    def test_only_the_sponsor_plate_covered(self, both: LabelArt, tmp_path: Path) -> None:
        found = self.marks(film(tmp_path / "f.mp4", both.plate), both)
        assert found[Mark.label].ok
        assert reason(found[Mark.sponsor_label]) == "gone from 0:00 to 0:02"

    def test_one_second_of_one_of_them_is_named(self, both: LabelArt, tmp_path: Path) -> None:
        video = film(tmp_path / "f.mp4", both, seconds=5, without=range(60, 90), instead=both.plate)
        found = self.marks(video, both)
        assert found[Mark.label].ok
        assert reason(found[Mark.sponsor_label]) == "gone from 0:02 to 0:03"

    @pytest.mark.parametrize("words", ["Add", "A", "Fun", "Ac"])
    def test_other_words_are_not_the_ones_asked_for(self, both: LabelArt, tmp_path: Path, words: str) -> None:
        other = draw("AI", "Avatar of Maya", SMALL, sponsor=words)
        found = self.marks(film(tmp_path / "f.mp4", other, seconds=0.5), both)
        assert found[Mark.label].ok
        assert not found[Mark.sponsor_label].ok

    @pytest.mark.parametrize("opacity", [0.2, 0.6])
    def test_a_faded_plate_is_none(self, both: LabelArt, tmp_path: Path, opacity: float) -> None:
        found = self.marks(film(tmp_path / "f.mp4", faded(both, opacity), seconds=0.5), both)
        assert [evidence.ok for evidence in found.values()] == [False, False]

    def test_a_person_is_not_called_an_avatar_and_the_ad_is_still_one(self, both: LabelArt, tmp_path: Path) -> None:
        span, person = ((1500, 3500),), range(45, 105)
        kept = film(tmp_path / "kept.mp4", both, seconds=5, without=person, instead=both.sponsor)
        assert [evidence.ok for evidence in self.marks(kept, both, human_ms=span).values()] == [True, True]
        gone = self.marks(film(tmp_path / "gone.mp4", both, seconds=5, without=person), both, human_ms=span)
        assert gone[Mark.label].ok
        assert reason(gone[Mark.sponsor_label]) == "gone from 0:01.5 to 0:03.5"

    def test_bad_files_say_so_of_both(self, both: LabelArt, tmp_path: Path) -> None:
        found = self.marks(tmp_path / "nowhere.mp4", both)
        assert all("No such file" in reason(evidence) for evidence in found.values())
        assert len(found) == 2


def test_importing_the_marks_opens_neither_decoder_nor_drawing_library() -> None:
    heavy = "{'av', 'skia', 'numpy'} & set(sys.modules)"
    code = f"import sys, avatar_scheduler.marks.inspect; sys.exit(str({heavy}) if {heavy} else 0)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
