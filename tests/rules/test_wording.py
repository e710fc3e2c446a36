from datetime import date
from pathlib import Path

import pytest

from avatar_scheduler import rules
from avatar_scheduler.domain.disclosure import SPONSORED
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import caption
from avatar_scheduler.rules.words import FILE, FORMS, UNHEARD, read, wordings

SHORT = {"fr": "IA", "es": "IA", "it": "IA", "pt": "IA", "de": "KI"}


def of(language: str, form: str = "video", sponsored: str = "no", name: str = "Maya") -> rules.Texts:
    return rules.texts(language, form=form, name=name, sponsored=sponsored)


@pytest.mark.parametrize("language", rules.languages())
class TestEveryLanguage:
    def test_it_says_where_it_comes_from_and_when_that_was_checked(self, language: str) -> None:
        row = rules.wording(language)
        assert len(row.source) > 10
        assert date(2026, 1, 1) < row.checked

    def test_a_long_name_is_what_the_label_loses(self, language: str) -> None:
        said = of(language, name="Maya the First of Her Name")
        assert said.label_words.endswith("Maya the First of Her Name")
        assert said.label_words.count("Maya") == 1

    def test_its_caption_lines_are_accepted_as_such(self, language: str) -> None:
        for form in FORMS:
            line = of(language, form).caption_line
            assert "\n" not in line
            assert caption.measure(f"{line}\nHello", line).ok

    def test_label_and_caption_say_ai_in_the_languages_own_letters(self, language: str) -> None:
        short = SHORT.get(language, "AI")
        assert all(short in of(language, form).caption_line for form in FORMS)
        assert "avatar" in of(language).label_words.lower()

    def test_the_sponsor_has_words_beside_those_of_the_avatar_never_instead(self, language: str) -> None:
        for form in FORMS:
            free, paid, own = (of(language, form, sponsored) for sponsored in SPONSORED)
            assert (free.sponsor, free.sponsor_line, free.spoken_sponsored) == ("", "", free.spoken)
            for pays in (paid, own):
                assert pays.sponsor
                assert pays.sponsor_line
                assert (pays.label_words, pays.caption_line, pays.spoken) == (
                    free.label_words, free.caption_line, free.spoken,
                )  # fmt: skip
                lines = zip(pays.spoken_sponsored.splitlines(), free.spoken.splitlines(), strict=True)
                assert all(paid.startswith(said) for paid, said in lines)
                assert bool(pays.spoken) == (form not in UNHEARD)
                assert (len(pays.spoken_sponsored) > len(free.spoken)) == (form not in UNHEARD)

    def test_unreviewed_words_stand_beside_english_in_one_line(self, language: str) -> None:
        english = of("en", sponsored="paid")
        said = of(language, sponsored="paid")
        beside = not rules.wording(language).reviewed
        parts = (english.spoken, english.spoken_sponsored.removeprefix(english.spoken).strip())
        assert all(part in said.spoken_sponsored for part in parts) or not beside
        for field in ("label_sign", "label_words", "sponsor", "caption_line", "sponsor_line", "spoken"):
            assert getattr(english, field) in getattr(said, field) or not beside
            assert ("\n" in getattr(said, field)) == (beside and field == "spoken")


def test_english_and_french_words() -> None:
    assert of("en").label_words == "Avatar of Maya"
    assert of("fr").label_words == "Images virtuelles, avatar IA de Maya"
    assert of("fr").caption_line.startswith("Images virtuelles")
    assert of("fr", sponsored="own").sponsor == "Publicité"
    assert of("fr", sponsored="paid").sponsor == "Collaboration commerciale"
    assert of("de", sponsored="own").sponsor == "Werbung / Ad"


def test_a_name_is_never_read_as_a_template() -> None:
    assert of("en", name="{name} {0}").label_words == "Avatar of {name} {0}"


def test_a_region_does_not_change_the_words() -> None:
    assert rules.wording("pt-BR") == rules.wording("PT")


def test_only_english_and_french_were_read_word_by_word() -> None:
    assert [language for language in rules.languages() if rules.wording(language).reviewed] == ["en", "fr"]


@pytest.mark.parametrize("language", ["ko", "zh", "hi-IN"])
def test_a_language_the_label_cannot_be_drawn_in_is_refused_with_the_reason(language: str) -> None:
    with pytest.raises(Invalid, match=r"cannot be labelled yet: .*typeface.* Choose one of de, en") as caught:
        of(language)
    assert caught.value.code == "undrawable"
    assert language[:2] in wordings()
    assert language[:2] not in rules.languages()


@pytest.mark.parametrize("language", ["tlh", "", "*"])
def test_an_unknown_language_is_refused_never_guessed(language: str) -> None:
    with pytest.raises(Invalid, match="Choose one of de, en"):
        rules.wording(language)


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ('text = "AI-generated text."\n', ""),
        ('live = "This live stream uses an AI-generated avatar and voice."\n', ""),
        ('line = "Ad: paid partnership."\n', ""),
        ('spoken = "This is an ad for my own brand."', 'spoken = ""'),
        ('label_words = "Avatar of {name}"\n', ""),
    ],
)
def test_a_language_with_a_word_missing_is_refused_not_left_silent(tmp_path: Path, line: str, instead: str) -> None:
    file = tmp_path / "wording.toml"
    text = FILE.read_text("utf-8")
    assert line in text
    file.write_text(text.replace(line, instead), "utf-8")
    with pytest.raises(Invalid, match=r"wording.toml, row en is refused: "):
        read(file)


def test_unknown_forms_and_sponsors_are_refused() -> None:
    with pytest.raises(Invalid, match=r"form “hologram”. Use one of: video"):
        of("en", form="hologram")
    with pytest.raises(Invalid, match=r"“maybe” does not say who pays. Use one of: no, own, paid"):
        of("en", sponsored="maybe")


@pytest.mark.parametrize("language", rules.languages())
def test_no_word_of_ours_is_a_brand(language: str) -> None:
    """TikTok's sharing rules: no app lays its own name over what people share."""
    for form in FORMS:
        for sponsored in SPONSORED:
            said = " ".join(vars(of(language, form, sponsored)).values()).lower()
            assert not any(brand in said for brand in ("scheduler", "studio", "http", "@", "#", "™"))
