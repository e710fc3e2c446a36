"""Two versions side by side."""

import pytest
from PIL import Image

from avatar_scheduler.domain.errors import NotFound, Refused
from avatar_scheduler.services import comparing, posts, review, versions
from avatar_scheduler.services.posts import Edit
from avatar_scheduler.storage import Blobs
from tests.services.cast import outsider
from tests.world import World


def second(world: World) -> str:
    post = world.post(kind="reply")
    first = world.version(post)
    with world.write() as session:
        review.ask_changes(session, world.ada, first.id, first.sha256, ["tone"], "Warmer, please.", 1000, world.now)
    with world.write() as session:
        posts.edit(session, world.settings, world.ada, post.id, Edit(title="Sweet onions", at="+9m"), world.now)
    world.version(world.again(post))
    return post.id


def test_what_changed_and_what_was_asked_for(world: World) -> None:
    post_id = second(world)
    with world.read() as session:
        found = comparing.compare(session, world.settings, world.ada, post_id, 2)
    changed = {fact.name: (fact.old, fact.new) for fact in found.facts if fact.changed}
    assert changed["title"] == ("Onions", "Sweet onions")
    assert set(changed) == {"title", "time"}
    assert [kind for kind, _ in found.script] == ["same"]
    [asked] = found.asked
    assert (asked.by, asked.reasons, asked.text, asked.at_ms) == ("Ada", ("tone",), "Warmer, please.", 1000)
    assert found.captions
    assert {kind for kind, _ in found.captions} == {"same"}


def test_the_first_version_stands_alone(world: World) -> None:
    post_id = second(world)
    with world.read() as session:
        found = comparing.compare(session, world.settings, world.ada, post_id, 1)
    assert (found.old, found.asked, found.numbers) == (None, (), (1, 2))


def test_words_are_compared_one_by_one() -> None:
    assert comparing.between("Keep the heat low.", "Keep the flame low.") == (
        ("same", "Keep the "), ("removed", "heat "), ("added", "flame "), ("same", "low."),
    )  # fmt: skip


def test_frames_are_pictures_of_that_film_and_kept(world: World) -> None:
    post = world.post()
    version = world.version(post)
    with world.read() as session:
        for place in range(len(comparing.FRAMES) + 1):
            path = comparing.frame(session, world.settings, world.ada, post.id, version.number, place)
            with Image.open(path) as picture:
                assert picture.format == "JPEG"
        again = comparing.frame(session, world.settings, world.ada, post.id, version.number, 2)
    assert again.parent == world.settings.data / "frames"


def test_no_frame_of_a_film_that_is_not_the_frozen_one(world: World) -> None:
    post = world.post()
    version = world.version(post)
    with world.read() as session:
        film = versions.read(version).data["media"]["video"]["sha256"]
        Blobs(world.settings.blobs).path(film).write_bytes(b"another film")
        with pytest.raises(Refused):
            comparing.frame(session, world.settings, world.ada, post.id, 1, 1)


def test_nobody_from_elsewhere_compares(world: World) -> None:
    post = world.post()
    world.version(post)
    cy = outsider(world)
    with world.read() as session:
        for number in (1, 7):
            with pytest.raises(NotFound):
                comparing.compare(session, world.settings, cy, post.id, number)
        with pytest.raises(NotFound):
            comparing.frame(session, world.settings, cy, post.id, 1, 0)
        with pytest.raises(NotFound):
            comparing.compare(session, world.settings, world.ada, post.id, 7)
