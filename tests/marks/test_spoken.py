"""The spoken notice in films as they are made: voice, music, mastering and AAC, and what people do to them."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.marks import digest
from avatar_scheduler.marks.spoken import Sentence, measure
from avatar_scheduler.studio import audio, encode
from avatar_scheduler.studio.speech import opening
from avatar_scheduler.studio.speech.speak import notice, speak
from avatar_scheduler.studio.timed import Speech
from tests.studio.speech.test_recording import write

TEXTS = {
    "en": "This video uses an AI-generated avatar and voice.",
    "fr": "Cette vidéo utilise un avatar et une voix générés par intelligence artificielle.",
    "de": "Dieses Video verwendet einen KI-generierten Avatar und eine KI-Stimme.\nIt uses an AI-generated voice.",
}
BODY = "Onions take ten minutes, and nobody should hurry them. Stir now and then."
Samples = NDArray[np.float32]
Film = Callable[..., Path]


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sentences")


def said(language: str, kept: Path) -> Speech:
    return notice(TEXTS[language], language, kept=kept)


def sentence(language: str, kept: Path) -> Sentence:
    speech = said(language, kept)
    return Sentence(TEXTS[language], speech.samples, speech.rate)


@pytest.fixture
def film(tmp_path: Path) -> Film:
    """A film with this voice in it, mastered and encoded as the studio does."""

    def film(samples: Samples, rate: int, *, name: str = "film.mp4", **mixing: object) -> Path:
        seconds = len(samples) / rate
        sound = audio.mix(samples, rate, seconds=seconds, **mixing)  # type: ignore[arg-type]
        return written(tmp_path / name, sound)

    return film


def written(path: Path, sound: audio.Sound) -> Path:
    frame = av.VideoFrame(64, 64, "yuv420p")
    count = round(sound.shape[1] / audio.RATE * 30)
    encode.write_mp4(path, (None if number else frame for number in range(count)), sound, size=(64, 64), fps=30)
    return path


def again(source: Path, target: Path, bits: int) -> Path:
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        track = new.add_stream("aac", rate=44_100, layout="mono", bit_rate=bits)
        for frame in old.decode(audio=0):
            new.mux(track.encode(frame))
        new.mux(track.encode(None))
    return target


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plucked notes over a beat: as wide as speech, and louder than most beds."""
    rng, rate = np.random.default_rng(1), 48_000
    time = np.arange(rate // 2) / rate
    notes = [
        sum(np.sin(2 * np.pi * 220 * 2 ** (key / 12) * part * time) / part for part in range(1, 6)) * np.exp(-3 * time)
        + rng.normal(0, 0.3, len(time)) * np.exp(-30 * time)
        for key in rng.integers(0, 24, 40)
    ]
    sound = np.concatenate(notes)
    return write(tmp_path_factory.mktemp("music") / "bed.wav", 0.3 * sound / np.abs(sound).max())


def opened(language: str, kept: Path) -> Speech:
    return opening.before(said(language, kept), speak(BODY, "en", kept=kept))


def reason(evidence: Evidence) -> str:
    assert not evidence.ok
    assert "text" not in evidence.measured
    return evidence.summary


@pytest.mark.parametrize("language", list(TEXTS))
class TestHeard:
    def test_it_opens_the_film(self, language: str, kept: Path, film: Film) -> None:
        whole = opened(language, kept)
        made = film(whole.samples, whole.rate)
        evidence = measure(made, sentence(language, kept))
        assert evidence.ok, evidence
        assert evidence.mark is Mark.spoken
        assert evidence.subject == digest.of_file(made)
        assert evidence.measured["text"] == TEXTS[language]
        assert int(evidence.measured["match"]) > 950
        assert int(evidence.measured["worst_stretch"]) > 900
        assert 100 < int(evidence.measured["begins_ms"]) < 900

    def test_music_as_loud_as_settings_allow_and_a_poor_encode_do_not_hide_it(
        self, language: str, kept: Path, film: Film, music: Path, tmp_path: Path
    ) -> None:
        whole = opened(language, kept)
        made = again(film(whole.samples, whole.rate, music=music, below_db=6), tmp_path / "poor.m4a", 48_000)
        assert measure(made, sentence(language, kept)).ok

    def test_it_is_found_up_to_the_fifth_second_and_not_after(self, language: str, kept: Path, film: Film) -> None:
        whole, known = opened(language, kept), sentence(language, kept)
        begins = int(measure(film(whole.samples, whole.rate), known).measured["begins_ms"])
        for start, ok in ((4900, True), (5100, False)):
            quiet = np.zeros(round((start - begins) / 1000 * whole.rate), np.float32)
            assert measure(film(np.concatenate([quiet, whole.samples]), whole.rate), known).ok is ok


class TestTamperedWith:
    @pytest.fixture
    def known(self, kept: Path) -> Sentence:
        return sentence("en", kept)

    @pytest.fixture
    def whole(self, kept: Path) -> Speech:
        return opened("en", kept)

    def test_a_film_without_it(self, known: Sentence, film: Film, kept: Path) -> None:
        speech = speak(BODY, "en", kept=kept)
        assert reason(measure(film(speech.samples, speech.rate), known)) == "not said in the first 5 seconds"

    @pytest.mark.parametrize(
        "words",
        [
            "This video uses a friendly avatar and voice.",
            "This video uses an AI-generated avatar and voice!",
            "This video uses no AI-generated avatar and voice.",
            "This video uses an AI-generated background and music.",
        ],
    )
    def test_other_words_in_the_same_voice(self, words: str, known: Sentence, film: Film, kept: Path) -> None:
        other = opening.before(notice(words, "en", kept=kept), speak(BODY, "en", kept=kept))
        assert not measure(film(other.samples, other.rate), known).ok

    @pytest.mark.parametrize("word", range(8))
    def test_a_single_word_is_missed_and_its_place_named(
        self, word: int, known: Sentence, whole: Speech, film: Film
    ) -> None:
        gone = whole.words[word]
        cut = whole.samples.copy()
        cut[round(gone.start * whole.rate) : round(gone.end * whole.rate)] = 0
        evidence = measure(film(cut, whole.rate), known)
        assert reason(evidence).startswith("other words, or drowned, from 0:0")

    def test_its_end_cut_off(self, known: Sentence, whole: Speech, film: Film, kept: Path) -> None:
        end = round(whole.words[7].start * whole.rate)
        rest = speak(BODY, "en", kept=kept).samples
        assert not measure(film(np.concatenate([whole.samples[:end], rest]), whole.rate), known).ok

    def test_a_pause_in_the_middle(self, known: Sentence, whole: Speech, film: Film) -> None:
        middle = round(whole.words[3].end * whole.rate)
        torn = np.concatenate([whole.samples[:middle], np.zeros(whole.rate, np.float32), whole.samples[middle:]])
        assert not measure(film(torn, whole.rate), known).ok

    def test_said_faster(self, known: Sentence, film: Film) -> None:
        quick = speak(known.text, "en", speed=1.15)
        assert not measure(film(quick.samples, quick.rate), known).ok

    def test_another_voice(self, known: Sentence, film: Film) -> None:
        robot = speak(known.text, "en", voice="espeak")
        assert not measure(film(robot.samples, robot.rate), known).ok

    def test_drowned_in_noise(self, known: Sentence, whole: Speech, film: Film) -> None:
        noise = np.random.default_rng(2).normal(0, 0.3, len(whole.samples)).astype(np.float32)
        assert not measure(film(whole.samples + noise, whole.rate), known).ok

    def test_whispered_under_a_loud_film(self, known: Sentence, whole: Speech, film: Film) -> None:
        faint = whole.samples.copy()
        faint[: round(whole.words[7].end * whole.rate)] *= 0.02
        assert "too quiet" in reason(measure(film(faint, whole.rate), known))

    def test_a_film_without_sound(self, known: Sentence, tmp_path: Path) -> None:
        with av.open(str(tmp_path / "mute.mp4"), "w") as made:
            stream = made.add_stream("libx264", rate=30)
            stream.width = stream.height = 64
            for _ in range(30):
                made.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
            made.mux(stream.encode(None))
        assert "0 sound tracks" in reason(measure(tmp_path / "mute.mp4", known))

    def test_a_silent_track(self, known: Sentence, tmp_path: Path) -> None:
        made = written(tmp_path / "film.mp4", np.zeros((2, audio.RATE * 6), np.float32))
        assert reason(measure(made, known)) == "not said in the first 5 seconds"

    def test_two_tracks_of_which_players_choose_one(
        self, known: Sentence, whole: Speech, film: Film, tmp_path: Path
    ) -> None:
        with av.open(str(film(whole.samples, whole.rate))) as old, av.open(str(tmp_path / "two.mp4"), "w") as new:
            tracks = [new.add_stream_from_template(old.streams.audio[0]) for _ in range(2)]
            for track in tracks:
                old.seek(0)
                for packet in old.demux(old.streams.audio[0]):
                    if packet.dts is not None:
                        packet.stream = track
                        new.mux(packet)
        assert "2 sound tracks" in reason(measure(tmp_path / "two.mp4", known))

    @pytest.mark.parametrize("content", [None, b"", b"no sound at all" * 99])
    def test_bad_files_are_evidence_not_exceptions(
        self, known: Sentence, tmp_path: Path, content: bytes | None
    ) -> None:
        path = tmp_path / "film.mp4"
        if content is not None:
            path.write_bytes(content)
        assert "cannot be read" in reason(measure(path, known))

    def test_no_sentence_is_found_nowhere(self, whole: Speech, film: Film) -> None:
        nothing = Sentence("", np.zeros(48_000, np.float32), 24_000)
        assert "no sentence" in reason(measure(film(whole.samples, whole.rate), nothing))
