import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from avatar_scheduler.studio.speech.reading import read

FRENCH = {
    "Le 1er mars 2026": "Le premier mars deux mille vingt-six",
    "le 1 mars": "le premier mars",
    "le 14/07/2026": "le quatorze juillet deux mille vingt-six",
    "M. Roy et Mme Œuvrard": "monsieur Roy et madame Œuvrard",
    "12 000 € ou 12,50 €": "douze mille euros ou douze euros cinquante",
    "0,99 € et 5€": "quatre-vingt-dix-neuf centimes et cinq euros",
    "2,5 M€, 1 000 000 €": "deux virgule cinq millions d'euros, un million d'euros",
    "18 h 30, 21h, 8h05, 1:00": "dix-huit heures trente, vingt et une heures, huit heures cinq, une heure",
    "5 km à 100 km/h, -5 °C": "cinq kilomètres à cent kilomètres heure, moins cinq degrés",
    "1 min, 21 min, 1,5 l": "une minute, vingt et une minutes, un virgule cinq litre",
    "3,5 % et 12%": "trois virgule cinq pour cent et douze pour cent",
    "XXIe siècle, Louis XIV, 2e, 80e": "vingt et unième siècle, Louis quatorze, deuxième, quatre-vingtième",
    "06 12 34 56 78": "zéro six, douze, trente-quatre, cinquante-six, soixante-dix-huit",
    "#MotsComposés @ada_bakes": "Mots Composés ada bakes",
    "https://www.exemple.fr/recettes?a=1": "exemple point fr barre oblique recettes",
    "ada@exemple.fr": "ada arobase exemple point fr",
    "R&D, et/ou n° 8": "R et D, et ou numéro huit",
    "2024-2025, 1/2, 3/4": "deux mille vingt-quatre à deux mille vingt-cinq, un demi, trois quarts",
    "du beurre, etc.": "du beurre, et cétéra.",
    "un 🎂 !": "un !",
}
ENGLISH = {
    "On March 3, 2026 at 6:30pm": "On March third twenty twenty-six at six thirty P M",
    "3rd of 21st": "third of twenty-first",
    "$12.50, £0.99, $2.5M, $3 million": (
        "twelve dollars and fifty cents, ninety-nine pence, two point five million dollars, three million dollars"
    ),
    "In 1999, 1,234 people": "In nineteen ninety-nine, one thousand two hundred and thirty-four people",
    "7:00, 6:05, 6 p.m.": "seven o'clock, six oh five, six P M",
    "#BakeWithMe @ada_bakes": "Bake With Me ada bakes",
    "example.com/recipes": "example dot com slash recipes",
    "5 km, 72°F, 5%": "five kilometers, seventy-two degrees Fahrenheit, five percent",
    "3.14, 10-12, 1/2 cup": "three point one four, ten to twelve, one half cup",
    "Dr. Smith vs. Mr. Jones": "Doctor Smith versus Mister Jones",
    "2026-03-12, 03/12/2026": "March twelfth twenty twenty-six, March twelfth twenty twenty-six",
    "007": "zero zero seven",
}
OTHERS = {
    "es": {
        "El 1 de marzo, 21 personas, 12,50 €": "El uno de marzo, veintiuna personas, doce euros con cincuenta",
        "1.000.000 $, 3.º, 5 %": "un millón de dólares, tercero, cinco por ciento",
    },
    "it": {"Il 1 marzo alle 18:30, 12,50 €": "Il primo marzo alle diciotto e trenta, dodici euro e cinquanta"},
    "pt": {"às 18h30, R$ 12,50, 2 pessoas": "às dezoito horas e trinta, doze reais e cinquenta, duas pessoas"},
}


def said(text: str, language: str, **pronunciations: str) -> str:
    return " ".join(unit.spoken for unit in read(text.split(), language, pronunciations) if unit.spoken)


@pytest.mark.parametrize(("written", "spoken"), FRENCH.items())
def test_french(written: str, spoken: str) -> None:
    assert said(written, "fr") == spoken


@pytest.mark.parametrize(("written", "spoken"), ENGLISH.items())
def test_english(written: str, spoken: str) -> None:
    assert said(written, "en") == spoken


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [(language, *pair) for language, table in OTHERS.items() for pair in table.items()],
)
def test_other_languages(language: str, written: str, spoken: str) -> None:
    assert said(written, language) == spoken


class TestDictionary:
    def test_comes_first_whatever_the_case_and_only_for_whole_words(self) -> None:
        assert said("Siobhan's GNOCCHI, gnocchini", "en", siobhan="Shivawn", gnocchi="nyokee") == (
            "Shivawn's nyokee, gnocchini"
        )

    def test_may_hold_several_words_and_signs(self) -> None:
        assert [
            (u.written, u.spoken) for u in read(["chez", "A.", "B.", "Cie", "!"], "fr", {"A. B. Cie": "abécie"})
        ] == [
            ("chez", "chez"),
            ("A. B. Cie", "abécie"),
            ("!", "!"),
        ]


def test_words_read_as_one_stay_together() -> None:
    assert [unit.written for unit in read(["(12", "000", "€),", "18", "h", "30."], "fr", {})] == [
        "(12 000 €),",
        "18 h 30.",
    ]


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1), min_size=1),
    st.sampled_from(["en", "fr", "es", "it", "pt", "de"]),
)
def test_no_written_word_is_ever_lost(words: list[str], language: str) -> None:
    words = " ".join(words).split()
    assert " ".join(unit.written for unit in read(words, language, {})).split() == words


@example("0.0:00", "en")
@given(st.from_regex(r"[0-9 .,:/€$%h°CM-]{1,24}", fullmatch=True), st.sampled_from(["en", "fr", "es", "it", "pt"]))
def test_no_digit_is_left_for_the_voice(text: str, language: str) -> None:
    spoken = said(text, language)
    assert not any(sign.isdigit() for sign in spoken), spoken
