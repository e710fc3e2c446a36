import subprocess
import sys
from pathlib import Path

import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio import voices


class TestChoose:
    @pytest.mark.parametrize(
        ("language", "voice"),
        [
            ("en", "heart"),
            ("fr", "ff_siwis"),
            ("es", "ef_dora"),
            ("it", "if_sara"),
            ("pt", "pf_dora"),
            ("de", "espeak"),
        ],
    )
    def test_each_language_has_a_voice_of_its_own(self, language: str, voice: str) -> None:
        assert voices.choose(language).id == voice

    def test_a_region_speaks_its_language(self) -> None:
        assert voices.choose("fr-CA").id == voices.choose("FR_be").id == "ff_siwis"

    def test_an_unknown_language_is_answered_with_the_known_ones(self) -> None:
        with pytest.raises(Invalid, match=r'^There is no language "tlh". Choose one of: ca, cs, .*fr') as caught:
            voices.choose("tlh")
        assert caught.value.code == "unknown_language"

    @pytest.mark.parametrize("voice", ["nobody", "ff_siwis"])
    def test_a_voice_of_another_language_is_answered_with_the_ones_there_are(self, voice: str) -> None:
        with pytest.raises(Invalid) as caught:
            voices.choose("en", voice)
        assert caught.value.message == (
            f'There is no voice "{voice}" for the language "en". Choose one of: heart, af_bella, am_michael, espeak.'
        )


class TestMissing:
    def test_nothing_is_missing_in_a_checkout(self) -> None:
        assert [voices.missing(voice, language) for voice in voices.every() for language in voice.languages] == [
            "" for voice in voices.every() for _ in voice.languages
        ]

    def test_a_voice_that_was_not_fetched_says_how(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(voices, "FOLDER", tmp_path)
        with pytest.raises(Invalid) as caught:
            voices.check("fr")
        assert caught.value.message == "The voice ff_siwis is not installed. Run: avatar-scheduler voices install"
        assert caught.value.code == "voice_missing"
        voices.check("en")

    def test_without_espeak_french_says_how_and_english_speaks_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(Invalid) as caught:
            voices.check("fr")
        assert caught.value.message == (
            "The voice ff_siwis needs espeak-ng to read fr, and it is missing. "
            'Run: pip install "avatar-scheduler[espeak]"'
        )
        assert voices.check("en", "am_michael").engine == "kokoro"


def test_the_list_needs_none_of_the_heavy_libraries() -> None:
    code = (
        "import sys; from avatar_scheduler.studio import voices; from avatar_scheduler.studio.speech import cues;"
        "voices.check('fr'); print({'numpy', 'onnxruntime', 'av', 'hibari', 'espeakng_loader'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
