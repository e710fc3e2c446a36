import pytest

from avatar_scheduler.domain.errors import NotFound
from avatar_scheduler.domain.interaction import is_core
from avatar_scheduler.paths import TEMPLATES
from avatar_scheduler.scripts.render import preview, validate
from avatar_scheduler.scripts.starters import load, starters

IDS = [s.id for s in starters()]
WORDS_PER_SECOND = 2.5


def test_each_starter_is_there_in_both_languages() -> None:
    names = {i.rpartition(".")[0] for i in IDS}
    assert names == {"tip_of_the_day", "weekly_recap", "thank_you", "event_announcement"}
    assert sorted(IDS) == sorted(f"{name}.{language}" for name in names for language in ("en", "fr"))


def test_they_can_be_listed_by_language() -> None:
    assert {s.script.language for s in starters("fr")} == {"fr"}
    assert len(starters("fr")) == 4
    assert starters("sv") == []


@pytest.mark.parametrize("starter_id", IDS)
def test_a_starter_is_valid_and_short_enough_to_listen_to(starter_id: str) -> None:
    starter = load(starter_id)
    assert validate(starter.source) == starter.script
    text = preview(starter.source, {})
    assert 10 <= len(text.split()) / WORDS_PER_SECOND <= 20
    assert ".." not in text
    assert "  " not in text


@pytest.mark.parametrize("starter_id", IDS)
def test_a_starter_speaks_without_its_optional_values(starter_id: str) -> None:
    starter = load(starter_id)
    values = {v.name: v.example or "" for v in starter.script.variables if v.required}
    text = preview(starter.source, values)
    assert text
    assert "None" not in text


@pytest.mark.parametrize("name", ["tip_of_the_day", "weekly_recap", "thank_you", "event_announcement"])
def test_both_languages_ask_for_the_same(name: str) -> None:
    english, french = load(f"{name}.en").script, load(f"{name}.fr").script
    assert english.kind == french.kind
    assert [(v.name, v.type, v.required) for v in english.variables] == [
        (v.name, v.type, v.required) for v in french.variables
    ]


def test_thanking_somebody_always_needs_a_person() -> None:
    assert is_core(load("thank_you.en").script.kind)


@pytest.mark.parametrize("starter_id", ["nothing", "../emails/x", "/etc/passwd", "tip_of_the_day.en.j2", "*", ""])
def test_only_listed_ids_are_found(starter_id: str) -> None:
    with pytest.raises(NotFound):
        load(starter_id)


def test_the_templates_are_found_from_this_copy() -> None:
    assert (TEMPLATES / "scripts" / "thank_you.en.j2").is_file()
