"""Both catalogues say everything the pages say, and every state has its word."""

import re
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir

from avatar_scheduler import i18n
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.disclosure import SPONSORED, Mark
from avatar_scheduler.domain.interaction import KINDS
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.paths import TEMPLATES
from avatar_scheduler.services import incidents
from avatar_scheduler.services.review import REASONS
from avatar_scheduler.web import forms, words
from avatar_scheduler.web.actions import ACTIONS

SPACE = "\u00a0"
PACKAGE = Path(i18n.__file__).parents[1]
KEYWORDS = {"N_": None, "_": None, "gettext": None, "ngettext": (1, 2)}
JINJA = {"**": {"extensions": "jinja2.ext.i18n", "trimmed": "true"}}
Id = str | tuple[str, ...]


def written() -> set[Id]:
    """Every message the code and the templates contain."""
    found: set[Id] = set()
    for folder, method, options in (
        (PACKAGE, [("**.py", "python")], {}),
        (TEMPLATES, [("**.html", "jinja2")], {"**.html": JINJA["**"]}),
    ):
        rows = extract_from_dir(str(folder), method, options, KEYWORDS)
        found |= {message if isinstance(message, str) else tuple(message) for _, _, message, _, _ in rows}
    return found


def messages(language: str) -> dict[Id, Message]:
    rows = [message for message in i18n.catalogue(language) if message.id]
    return {message.id if isinstance(message.id, str) else tuple(message.id): message for message in rows}


def forms_of(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


@pytest.mark.parametrize("language", [language for language in i18n.LANGUAGES if language != "en"])
class TestCatalogue:
    def test_has_exactly_what_the_pages_say(self, language: str) -> None:
        assert set(messages(language)) == written()

    def test_says_all_of_it(self, language: str) -> None:
        assert [message.id for message in messages(language).values() if not all(forms_of(message))] == []

    def test_keeps_the_names_of_what_is_filled_in(self, language: str) -> None:
        for message in messages(language).values():
            source = message.id if isinstance(message.id, str) else message.id[1]
            for said in forms_of(message):
                assert set(re.findall(r"%\((\w+)\)s", said)) <= set(re.findall(r"%\((\w+)\)s", source)), source


def test_french_has_no_break_spaces_where_french_wants_them() -> None:
    for message in messages("fr").values():
        for said in forms_of(message):
            plain = re.sub(r"%\(\w+\)s", "x", said)
            assert not re.search(r"(?<!\u00a0)[;:!?»](?:\s|$)", plain), said
            assert "'" not in plain, said


def test_french_uses_the_house_words() -> None:
    french = i18n.translations("fr")
    assert french.gettext("Approve") == "Valider"
    assert french.gettext("Changes") == "Retouches"
    assert french.gettext("Replies always come to you") == "Les réponses passent toujours par vous"
    assert french.gettext("Nothing needs you") == "Rien ne vous attend"
    assert french.gettext("No decision by %(time)s? It stays unsent.") == "Sans décision à %(time)s, rien ne part."


@pytest.mark.parametrize(
    ("preferred", "asked", "language"),
    [
        ("fr", "en", "fr"),
        ("", "fr-CA,fr;q=0.9,en;q=0.5", "fr"),
        ("", "de-DE,de;q=0.9", "en"),
        ("", "", "en"),
        ("xx", "fr", "fr"),
        ("", ";;,,=\x00" * 900, "en"),
    ],
)
def test_language_is_the_persons_then_the_browsers_then_english(preferred: str, asked: str, language: str) -> None:
    assert i18n.choose(preferred, asked) == language


def test_every_kind_state_mark_and_reason_has_a_word() -> None:
    assert set(words.KINDS) == set(KINDS)
    assert set(words.POST_STATES) == set(PostState)
    assert set(words.DELIVERY_STATES) == set(DeliveryState)
    assert set(words.MARKS) == set(Mark)
    assert set(words.PAYERS) == set(SPONSORED)
    assert set(words.TROUBLES) == {incidents.UNMARKED, incidents.ANOTHER, incidents.VANISHED}
    assert tuple(words.CHANGE_REASONS) == REASONS
    assert set(get_args(forms.Reason)) == set(REASONS)


def test_an_unknown_kind_is_spoken_of_as_personal_when_it_is_core() -> None:
    assert words.kind("new", core=True).title == "This always comes to you"
    assert words.state("new").word == "Unknown"


def test_every_move_of_a_post_and_a_delivery_has_a_sentence() -> None:
    moves = {f"post.{state}" for state in PostState} | {f"delivery.{state}" for state in DeliveryState}
    assert moves <= set(ACTIONS)
