"""How a creator's words are read: their own organization's only, and in renders made from then on."""

import pytest

from avatar_scheduler.db.tables import Creator
from avatar_scheduler.domain.errors import Forbidden, Invalid, NotFound, Refused
from avatar_scheduler.services import pronunciations
from avatar_scheduler.services.people import Person
from tests.services.cast import creator_of, outsider, person
from tests.world import World


def add(world: World, written: str, spoken: str, language: str = "en", who: Person | None = None) -> None:
    with world.write() as session:
        pronunciations.add(session, who or world.ada, world.maya, language, written, spoken, world.now)


def listed(world: World, creator: Creator | None = None, language: str = "") -> list[tuple[str, str, str]]:
    with world.read() as session:
        rows = pronunciations.listing(session, world.ada, creator or world.maya, language)
        return [(row.language, row.written, row.spoken) for row in rows]


def test_are_kept_by_creator_and_language(world: World) -> None:
    add(world, "  Siobhan ", "Shivawn")
    add(world, "Œuvrard", "Euvrar", "fr-FR")
    add(world, "Siobhan", "Chivonne", "fr")
    assert listed(world) == [("en", "Siobhan", "Shivawn"), ("fr", "Siobhan", "Chivonne"), ("fr", "Œuvrard", "Euvrar")]
    assert listed(world, language="en") == [("en", "Siobhan", "Shivawn")]
    assert listed(world, creator_of(world, world.ada, "leo")) == []


def test_a_second_reading_replaces_the_first_and_a_removed_one_is_gone(world: World) -> None:
    add(world, "GIF", "jif")
    add(world, "GIF", "ghif")
    assert listed(world) == [("en", "GIF", "ghif")]
    with world.write() as session:
        pronunciations.remove(session, world.ada, world.maya, "en", "GIF", world.now)
    assert listed(world) == []
    with world.write() as session, pytest.raises(NotFound, match="no reading of “GIF” in en"):
        pronunciations.remove(session, world.ada, world.maya, "en", "GIF", world.now)


def test_strangers_and_readers_may_not(world: World) -> None:
    cy, ann = outsider(world), person(world, "analyst")
    add(world, "GIF", "jif")
    with pytest.raises(NotFound):
        add(world, "GIF", "no", who=cy)
    with pytest.raises(Forbidden):
        add(world, "GIF", "no", who=ann)
    with world.write() as session, pytest.raises(NotFound):
        pronunciations.remove(session, cy, world.maya, "en", "GIF", world.now)
    with world.write() as session, pytest.raises(Forbidden):
        pronunciations.remove(session, ann, world.maya, "en", "GIF", world.now)
    with world.read() as session, pytest.raises(NotFound):
        pronunciations.listing(session, cy, world.maya)
    assert listed(world) == [("en", "GIF", "jif")]


@pytest.mark.parametrize(
    ("written", "spoken", "language"),
    [
        ("", "x", "en"),
        ("!?", "x", "en"),
        ("x" * 61, "x", "en"),
        ("x", "", "en"),
        ("[smile]", "x", "en"),
        ("x", "x", "q"),
    ],
)
def test_what_can_be_no_reading_is_refused(world: World, written: str, spoken: str, language: str) -> None:
    with pytest.raises(Invalid):
        add(world, written, spoken, language)


def test_there_is_an_end_to_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pronunciations, "MOST", 2)
    for word in ("one", "two"):
        add(world, word, "x")
    with pytest.raises(Refused, match="has 2 readings"):
        add(world, "three", "x")
    add(world, "two", "y")
    assert [spoken for _, _, spoken in listed(world)] == ["x", "y"]
