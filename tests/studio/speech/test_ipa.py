import tomllib
from pathlib import Path

import pytest

from avatar_scheduler.studio.speech import ipa
from avatar_scheduler.studio.speech.reading import read
from avatar_scheduler.studio.speech.speak import speak, spoken

GOLDEN = Path(__file__).parent / "french_phonemes.txt"
RULES = Path(ipa.__file__).parents[2] / "rules" / "visemes.toml"
OTHERS = {
    "en": "The quick brown fox jumps over a lazy dog, which measures thirty joyful, ancient, azure things aloud.",
    "es": "El niño pequeño llegó ayer con ocho quesos, jugó al fútbol y chilló en la playa de Cádiz.",
    "it": "Gli gnocchi della zia sono buoni, ma che pizza! Oggi scegliamo anche un bicchiere d'acqua e uova.",
    "pt": "O menino não sabe que os pães da mãe são ótimos, mas amanhã vai à praia com quatro irmãos e Jorge.",
    "de": "Die schönen Bücher über Köpfe und Mäuse gehören auch euch, sagte die junge Pfarrerin aus Zürich.",
}


def golden() -> list[tuple[str, str, str]]:
    lines = [line for line in GOLDEN.read_text("utf-8").splitlines() if line and not line.startswith("# ")]
    return list(zip(lines[::3], lines[1::3], lines[2::3], strict=True))


def known(alphabet: str) -> set[str]:
    table = tomllib.loads(RULES.read_text("utf-8"))[alphabet]
    return {*table["shapes"], *table["held"], *table["ahead"]}


class TestFrench:
    @pytest.mark.parametrize(("written", "read_aloud", "sounds"), golden())
    def test_reads_as_reviewed(self, written: str, read_aloud: str, sounds: str) -> None:
        said = spoken(read(written.split(), "fr", {}))
        assert (said, ipa.phonemes(said, "fr")) == (read_aloud, sounds)

    def test_a_word_keeps_its_sounds_when_it_joins_the_next(self) -> None:
        assert [(word.text, "".join(word.sounds)) for word in ipa.words("Les amis, d'abord.", "fr")] == [
            ("Les", "lez"),
            ("amis,", "amˈi"),
            ("d'abord.", "dabˈɔʁ"),
        ]


class TestMouths:
    @pytest.mark.parametrize("language", ["fr", *OTHERS])
    def test_every_sound_of_the_corpus_has_a_rule(self, language: str) -> None:
        texts = [said for _, said, _ in golden()] if language == "fr" else [OTHERS[language]]
        sounds = {sign for text in texts for word in ipa.words(text, language) for sign in "".join(word.sounds)}
        assert len(sounds) > 20
        assert sounds - known("ipa") == set()

    def test_every_sound_espeak_sings_has_a_rule(self) -> None:
        speech = speak(OTHERS["de"], "de")
        assert {sound.text for sound in speech.phonemes} - known("ipa") == set()

    def test_lips_close_on_p_b_and_m_and_only_there(self) -> None:
        shapes = tomllib.loads(RULES.read_text("utf-8"))["ipa"]["shapes"]
        assert {sound for sound, shape in shapes.items() if shape == "A"} == {"p", "b", "m", "β", "ɓ"}
