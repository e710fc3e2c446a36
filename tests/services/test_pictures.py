"""Backgrounds from words: asked once, opened like any stranger's file, shown behind the avatar."""

import json
from collections.abc import Iterator

import pytest
from PIL import Image
from sqlmodel import select

from avatar_scheduler.db.tables import Audit, Post, Upload, VendorAccount, Version
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, OutcomeUnknown, Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.renderers.pictures import SIZE
from avatar_scheduler.services import pictures, renders, uploads
from avatar_scheduler.services.people import Person
from avatar_scheduler.storage import Blobs
from tests.services.cast import outsider, person
from tests.vendors.pictures import KEY, Pictures, serving
from tests.world import World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
PROMPT = "A green beach at dawn"


@pytest.fixture
def service(world: World) -> Iterator[Pictures]:
    world.settings.allow_hosts["127.0.0.1"] = ["127.0.0.1/32"]
    with serving() as service:
        connect(world, service.url)
        yield service


def connect(world: World, url: str, key: str = KEY) -> None:
    with world.write() as session:
        pictures.connect(session, world.settings, world.ada, url, "beach-1", key, world.now)


def make(
    world: World, name: str = "beach", prompt: str = PROMPT, who: Person | None = None, size: str = SIZE
) -> Upload:
    return pictures.make(world.settings, who or world.ada, world.maya, name, prompt, size, world.now)


def test_a_picture_from_words_stands_behind_the_avatar(world: World, service: Pictures) -> None:
    row = make(world)
    assert service.asked == [{"prompt": PROMPT, "n": 1, "size": SIZE, "model": "beach-1"}]
    assert (row.kind, row.name, row.width, row.height) == ("image", "beach", 256, 256)
    text = "# look\nbackground: image beach\nalt: Maya on a green beach."
    post = world.post("tip", template=text, form="stills")
    with world.write() as session:
        render = renders.submit(session, world.settings, world.ada, session.get_one(Post, post.id), world.now)
    assert renders.run(world.settings, render.id, world.clock)
    post = world.again(post)
    assert post.state is PostState.in_review, post.reason
    with world.read() as session:
        data = json.loads(session.get_one(Version, post.version_id).manifest)
    assert json.loads(data["materials"])["beach"]["sha256"] == row.sha256
    with Image.open(Blobs(world.settings.blobs).path(data["media"]["image1"]["sha256"])) as image:
        seen = image.getpixel((5, 1000))
    assert isinstance(seen, tuple)
    assert all(abs(there - wanted) < 6 for there, wanted in zip(seen, (20, 160, 90), strict=True))
    with pytest.raises(Conflict, match="needs it"):
        uploads.remove(world.settings, world.ada, row.id, world.now)


def test_an_address_is_fetched_without_the_key(world: World, service: Pictures) -> None:
    service.as_url = True
    assert make(world).width == 256
    assert service.keys_seen_at_store == [""]


def test_the_key_is_sealed_and_the_log_says_what_was_asked(world: World, service: Pictures) -> None:
    make(world)
    with world.read() as session:
        assert KEY not in session.exec(select(VendorAccount)).one().sealed
        said = session.exec(select(Audit).where(Audit.action == "picture.made")).one()
        assert json.loads(said.data)["prompt"] == PROMPT
        assert not [row for row in session.exec(select(Audit)) if KEY in row.data]


@pytest.mark.parametrize(
    ("name", "prompt", "size"), [("Beach!", PROMPT, SIZE), ("b", "", SIZE), ("b", "x" * 1001, SIZE), ("b", "x", "big")]
)
def test_what_is_wrong_for_free_is_said_for_free(
    world: World, service: Pictures, name: str, prompt: str, size: str
) -> None:
    with pytest.raises(Invalid):
        make(world, name, prompt, size=size)
    assert service.asked == []


def test_a_name_that_is_taken_costs_nothing(world: World, service: Pictures) -> None:
    make(world)
    with pytest.raises(Conflict):
        make(world)
    assert len(service.asked) == 1


def test_only_who_may_write_asks_and_who_may_decide_connects(world: World, service: Pictures) -> None:
    viewer = person(world, "viewer")
    with pytest.raises(Forbidden):
        make(world, who=viewer)
    with world.write() as session, pytest.raises(Forbidden):
        pictures.connect(session, world.settings, viewer, service.url, "", "", world.now)
    assert service.asked == []


def test_another_organization_has_no_account_here(world: World, service: Pictures) -> None:
    other = outsider(world)
    with pytest.raises(Refused, match="No picture service"):
        pictures._open(world.settings, other)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, b'{"error": {"message": "Bad key"}}', Refused, "does not accept the key"),
        (400, b'{"error": {"message": "Not allowed: people"}}', Refused, "Not allowed: people"),
        (429, b"{}", Refused, "Try again later"),
        (404, b"", Refused, "no picture service at this address"),
        (500, b"<html>", OutcomeUnknown, "may have been paid"),
        (200, b"{}", OutcomeUnknown, "no picture"),
        (200, b'{"data": [{"b64_json": "###"}]}', OutcomeUnknown, "no picture"),
        (200, b'{"data": []}', OutcomeUnknown, "no picture"),
        (200, b"not json", OutcomeUnknown, "no picture"),
    ],
)
def test_trouble_is_told_in_words(
    world: World, service: Pictures, status: int, body: bytes, kind: type[Exception], words: str
) -> None:
    service.answer = (status, body)
    with pytest.raises(kind, match=words):
        make(world)
    with world.read() as session:
        assert session.exec(select(Upload)).all() == []


@pytest.mark.parametrize("picture", [b"", b"<svg onload=alert(1)>", b"MZ" + b"\0" * 999, b"\x89PNG\r\n\x1a\n" * 20])
def test_what_is_no_picture_is_refused_where_uploads_are(world: World, service: Pictures, picture: bytes) -> None:
    service.picture = picture
    with pytest.raises((Invalid, Refused, OutcomeUnknown)):
        make(world)
    with world.read() as session:
        assert session.exec(select(Upload)).all() == []


def test_an_address_inside_is_not_asked(world: World, service: Pictures) -> None:
    """A service may not send us to the machines behind our own door."""
    inside = {"data": [{"url": "http://169.254.169.254/latest/meta-data"}]}
    service.answer = (200, json.dumps(inside).encode())
    with pytest.raises(Refused):
        make(world)


def test_an_address_nobody_allowed_is_not_connected(world: World) -> None:
    with pytest.raises(Refused):
        connect(world, "http://10.0.0.7/v1")
    with pytest.raises(Invalid):
        connect(world, "")
