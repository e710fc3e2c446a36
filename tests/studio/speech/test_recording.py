import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.staging import Staging
from avatar_scheduler.studio.avatar.visemes import mouths
from avatar_scheduler.studio.job import Material
from avatar_scheduler.studio.speech.recording import RATE, recorded
from avatar_scheduler.studio.speech.speak import perform
from avatar_scheduler.studio.timed import Speech
from tests.studio.jobs import make_job

TEXT = "One two three. [smile] Four five six."


def write(path: Path, samples: NDArray[np.float64]) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of quiet, two seconds of voice, one of quiet, two of voice, half a second of quiet."""
    time = np.arange(6 * RATE) / RATE
    voice = 0.3 * np.sin(2 * np.pi * 300 * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time))
    spoken = ((time > 0.5) & (time < 2.5)) | ((time > 3.5) & (time < 5.5))
    return write(tmp_path_factory.mktemp("talk") / "talk.wav", np.where(spoken, voice, 0))


@pytest.fixture(scope="module")
def speech(talk: Path) -> Speech:
    return recorded(talk, TEXT, "en", {})


def test_words_are_shared_out_over_the_voice_alone(speech: Speech) -> None:
    assert [word.text for word in speech.words] == TEXT.replace("[smile] ", "").split()
    assert all(a.end <= b.start + 1e-6 for a, b in pairwise(speech.words))
    assert speech.words[0].start == pytest.approx(0.5, abs=0.04)
    assert speech.words[-1].end == pytest.approx(5.5, abs=0.04)
    assert not any(word.start > 2.55 and word.end < 3.45 for word in speech.words)


def test_cues_stand_at_their_words(speech: Speech) -> None:
    assert [(cue.verb, cue.at) for cue in speech.cues] == [("smile", speech.words[3].start)]


def test_the_mouth_moves_with_the_voice_and_rests_with_it(speech: Speech) -> None:
    shapes = mouths(speech, 30)
    assert set(shapes[:12]) | set(shapes[80:100]) == {"X"}
    assert len(set(shapes[20:70])) >= 2
    assert "X" not in shapes[20:70]


def test_a_short_dip_closes_the_lips(tmp_path: Path) -> None:
    time = np.arange(2 * RATE) / RATE
    voice = 0.3 * np.sin(2 * np.pi * 500 * time)
    path = write(tmp_path / "dip.wav", np.where((time > 1.0) & (time < 1.07), 0, voice))
    heard = recorded(path, "Mama", "en", {})
    assert [round(p.start, 1) for p in heard.phonemes if p.text == "m"] == [1.0]


def test_it_waits_for_pauses_and_clips(talk: Path, speech: Speech) -> None:
    waiting = recorded(talk, "One two three. [pause 1s] [clip me] Four five six.", "en", {"me": 2.5})
    assert waiting.seconds == pytest.approx(speech.seconds + 3.5)
    assert waiting.words[3].start == pytest.approx(speech.words[3].start + 3.5)
    (clip,) = waiting.cues
    silent = waiting.samples[int(clip.at * RATE) + 1 : int((clip.at + 2.5) * RATE)]
    assert not silent.any()


def test_a_job_with_a_recording_uses_it(talk: Path, speech: Speech) -> None:
    job = make_job(text=TEXT, staging=Staging(recording="talk"), materials={"talk": Material("audio", talk)})
    assert np.array_equal(perform(job).samples, speech.samples)


def test_silence_and_noise_are_refused(tmp_path: Path, talk: Path) -> None:
    with pytest.raises(Invalid, match="The recording is silent"):
        recorded(write(tmp_path / "silence.wav", np.zeros(RATE)), TEXT, "en", {})
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(Invalid, match="The recording cannot be read"):
        recorded(tmp_path / "text.wav", TEXT, "en", {})
    with pytest.raises(Invalid, match="has no words"):
        recorded(talk, "[smile] 🎂", "en", {})
