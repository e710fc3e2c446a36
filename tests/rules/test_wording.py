from datetime import date

import pytest

from avatar_scheduler import rules
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import caption


@pytest.mark.parametrize("language", rules.languages())
class TestEveryRow:
    def test_it_says_where_it_comes_from_and_when_that_was_checked(self, language: str) -> None:
        row = rules.wording(language)
        assert len(row.source) > 10
        assert date(2026, 1, 1) < row.checked

    def test_it_has_every_wording(self, language: str) -> None:
        row = rules.wording(language)
        assert row.label_words.endswith("{name}")  # so that what a long name loses is its own end
        assert row.spoken.endswith(".")
        assert row.sponsored

    def test_its_caption_line_is_accepted_as_one(self, language: str) -> None:
        for line in (rules.wording(language).caption_line, rules.wording(language).still_line):
            assert caption.measure(f"{line}\nHello", line).ok

    def test_label_and_caption_say_ai_in_the_languages_own_letters(self, language: str) -> None:
        row = rules.wording(language)
        short = {"fr": "IA", "es": "IA", "it": "IA", "pt": "IA", "de": "KI"}.get(language, "AI")
        assert short in row.caption_line
        assert short in row.still_line
        assert "avatar" in row.label_words.lower()


def test_english_and_french_words() -> None:
    assert rules.wording("en").label_words.format(name="Maya") == "Avatar of Maya"
    assert rules.wording("fr").label_words.format(name="Maya") == "Avatar IA de Maya"
    assert rules.wording("fr").caption_line.startswith("Images virtuelles")


def test_a_region_does_not_change_the_words() -> None:
    assert rules.wording("pt-BR") == rules.wording("PT")


def test_rows_no_native_speaker_has_read_are_flagged() -> None:
    assert [language for language in rules.languages() if rules.wording(language).reviewed] == ["en"]


@pytest.mark.parametrize("language", ["ko", "", "english"])
def test_a_language_without_words_is_refused_with_those_there_are(language: str) -> None:
    with pytest.raises(Invalid, match=r"de, en, es, fr"):
        rules.wording(language)
