import pytest

from avatar_scheduler.studio.typography import hold, tidy

FIRM, NARROW = "\u00a0", "\u202f"


@pytest.mark.parametrize(
    ("language", "typed", "printed"),
    [
        ("fr", "Bonjour !", "Bonjour_!"),
        ("fr", "Bonjour!", "Bonjour_!"),
        ("fr", "Quoi ?!", "Quoi_?!"),
        ("fr", "facile ; vite", "facile_; vite"),
        ("fr", "Il a dit : « Oui ! »", "Il a dit~: «~Oui_!~»"),
        ("fr", "«Oui»", "«~Oui~»"),
        ("fr", "à 6:30, sur http://pain.fr?q=1", "à 6:30, sur http://pain.fr?q=1"),
        ("fr", "10 000 pains à 40 % de 3 €", "10_000 pains à 40~% de 3~€"),
        ("fr", "en 2011 100 pains", "en 2011_100 pains"),
        ("fr", "le n° 5", "le n°~5"),
        ("fr", "(vraiment ?)", "(vraiment_?)"),
        ("es", "¿ Quieres pan ?", "¿Quieres pan?"),
        ("es", "¡ Hola !", "¡Hola!"),
        ("es", "un 40 % más", "un 40~% más"),
        ("en", "Wait ! 10 000 loaves: go!", "Wait ! 10 000 loaves: go!"),
        ("en", "40 % off", "40~% off"),
    ],
)
def test_spaces_as_the_language_prints_them(language: str, typed: str, printed: str) -> None:
    assert tidy(typed, language) == printed.replace("~", FIRM).replace("_", NARROW)


@pytest.mark.parametrize("language", ["en", "fr", "es", "de"])
def test_tidied_text_stays_as_it_is(language: str) -> None:
    once = tidy("« Ça va ? » : 10 000 ! ¿ Qué ?", language)
    assert tidy(once, language) == once


@pytest.mark.parametrize(
    ("language", "word", "following", "held"),
    [
        ("fr", "le", "pain", 1),
        ("fr", "pain", "complet", 0),
        ("fr", "l'", "un", 3),
        ("fr", "«", "Oui", 3),
        ("fr", "Bonjour", "!", 3),
        ("fr", "M.", "Dupont", 2),
        ("fr", "10", "000", 3),
        ("fr", "5", "pains", 1),
        ("es", "¿", "Qué", 3),
        ("es", "de", "pan", 1),
        ("es", "pan", "de", 0),
        ("en", "the", "loaf", 1),
        ("en", "Dr.", "Brown", 2),
        ("en", "loaf", "(", 0),
        ("en", "le", "pain", 0),
    ],
)
def test_what_a_line_should_not_end_with(language: str, word: str, following: str, held: int) -> None:
    assert hold(word, following, language) == held
