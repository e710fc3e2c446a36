"""The text read to its end counts as watched: not sooner than anybody can read, and not where words are not all."""

from datetime import timedelta
from typing import Any

import pytest

from avatar_scheduler.domain.errors import Invalid, NotFound
from avatar_scheduler.services import reading, review, versions
from avatar_scheduler.services.people import Person
from tests.services.cast import outsider
from tests.world import STILLS, Film, World


def read(world: World, version: Any, who: Person | None = None) -> timedelta:
    with world.write() as session:
        return reading.record(session, who or world.ada, version.id, world.now)


def words(version: Any) -> int:
    data = versions.read(version).data
    return len(f"{data['script']['text']} {data['caption']}".split())


def test_counts_only_after_the_time_it_takes(world: World) -> None:
    version = world.version(world.post("reply"))
    full = timedelta(seconds=words(version) / reading.WORDS_PER_SECOND)
    assert read(world, version) == full  # starts the clock
    world.now += full - timedelta(milliseconds=1)
    assert read(world, version) == timedelta(milliseconds=1)
    with pytest.raises(Invalid, match="first"):
        world.approve(version)
    world.later(milliseconds=1)
    assert not read(world, version)
    assert world.approve(version)


def test_pictures_have_to_be_looked_at(world: World, stills: Film) -> None:
    version = world.version(world.post("reply", template=STILLS, form="stills"), stills)
    world.later(hours=1)
    with pytest.raises(Invalid, match="looked at"):
        read(world, version)


def test_a_person_s_own_clip_has_to_be_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    version = world.version(world.post("reply"))
    manifest = versions.read(version)
    monkeypatch.setitem(manifest.data, "human_ms", [[0, 500]])
    monkeypatch.setattr(versions, "read", lambda _: manifest)
    with pytest.raises(Invalid, match="looked at"):
        read(world, version)


def test_is_each_person_s_own(world: World) -> None:
    version = world.version(world.post("reply"))
    with pytest.raises(NotFound):
        read(world, version, outsider(world))
    with world.read() as session:
        assert review.find(session, world.ada, version.id)
