import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from avatar_scheduler.studio.speech.speak import speak
from avatar_scheduler.studio.timed import Speech
from tests.studio.speech.hiss import lag

TEXT = "Les amis [smile] sont là ! Ça coûte 12,50 €."
_AGAIN = """
import hashlib, sys
from pathlib import Path
from avatar_scheduler.studio.speech.speak import speak
speech = speak(sys.argv[1], "fr", kept=Path(sys.argv[2]))
assert not {"onnxruntime", "hibari", "av", "skia"} & set(sys.modules), "a model was loaded"
print(hashlib.sha256(speech.samples.tobytes()).hexdigest())
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def french(kept: Path) -> Speech:
    return speak(TEXT, "fr", kept=kept)


def test_french_keeps_the_written_words(french: Speech) -> None:
    assert [word.text for word in french.words] == ["Les", "amis", "sont", "là !", "Ça", "coûte", "12,50 €."]
    assert french.alphabet == "ipa"


def test_words_and_sounds_follow_each_other_inside_the_speech(french: Speech) -> None:
    for timed in (french.words, french.phonemes):
        assert all(a.end <= b.start + 1e-6 for a, b in pairwise(timed))
        assert timed[0].start > 0.2
        assert timed[-1].end < french.seconds


def test_times_are_heard_where_they_are_told() -> None:
    assert abs(lag(speak("Six chats passent si souvent. Sa sœur chante ici, sous le soleil.", "fr"))) <= 0.025


def test_a_cue_stands_where_the_word_after_it_begins(french: Speech) -> None:
    (smile,) = french.cues
    assert (smile.verb, smile.at) == ("smile", french.words[2].start)


def test_what_was_said_before_loads_no_model_and_sounds_the_same(french: Speech, kept: Path) -> None:
    import hashlib

    again = subprocess.run([sys.executable, "-c", _AGAIN, TEXT, kept], capture_output=True, text=True, check=False)
    assert again.stderr == ""
    assert again.stdout.strip() == hashlib.sha256(french.samples.tobytes()).hexdigest()


@pytest.mark.parametrize(("language", "voice", "text"), [("en", "am_michael", "Hi Ada."), ("it", "", "Ciao Ada.")])
def test_one_model_speaks_other_languages(language: str, voice: str, text: str) -> None:
    speech = speak(text, language, voice=voice)
    assert [word.text for word in speech.words] == text.split()
    assert float(np.abs(speech.samples).max()) > 0.1
