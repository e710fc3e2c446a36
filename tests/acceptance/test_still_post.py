"""A post of pictures from the text to two platforms: drawn, measured, looked at, approved, out exactly once."""

import hashlib
import io
import json

import pytest
from PIL import Image
from sqlmodel import select

from avatar_scheduler.db.tables import Delivery, Post, Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.marks import credentials, xmp
from avatar_scheduler.publishers.own_feed import Feed
from avatar_scheduler.services import renders
from tests.acceptance.test_bluesky_delivery import connect
from tests.peers import pds as peers
from tests.platforms.conftest import names, pds
from tests.world import CAPTION, World

__all__ = ["pds"]
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("pds")]

LINE = "AI-generated avatar image."
TEXT = """# look
background: city
alt: Maya at her window, the city at dusk behind her.
Evening walks count too.
---
Keep the heat low.
— Grandma
"""


def rendered(world: World, text: str, *channels: str, kind: str = "reply") -> Post:
    post = world.post(kind, template=text, form="stills", channels=channels)
    with world.write() as session:
        render = renders.submit(session, world.settings, world.ada, session.get_one(Post, post.id), world.now)
    assert renders.run(world.settings, render.id, world.clock)
    return world.again(post)


def version_of(world: World, post: Post) -> Version:
    with world.read() as session:
        return session.get_one(Version, post.version_id)


def test_two_pictures_reach_both_platforms_once(world: World, pds: peers.Pds) -> None:
    channel = connect(world, pds.create_account(f"stills{next(names)}"), pds.base_url)
    post = rendered(world, TEXT, "own_feed", "bluesky")
    assert post.state is PostState.in_review, post.reason
    version = version_of(world, post)
    with pytest.raises(Invalid, match="Look at every picture"):
        world.approve(version)
    world.look(version)
    world.approve(version)
    with world.read() as session:
        deliveries = list(session.exec(select(Delivery).where(Delivery.version_id == version.id)))
    assert [world.publish(delivery).state for delivery in deliveries] == [DeliveryState.published] * 2
    for delivery in deliveries:
        world.publish(delivery)  # a bell too many

    [item] = Feed(world.settings).items("maya")
    assert len(world.ledger) == 1
    [record] = pds.posts(channel.address)
    value = record["value"]
    assert isinstance(value, dict)
    assert value["text"] == f"{LINE}\n\n{CAPTION}"
    assert value["labels"]["values"] == [{"val": "ai-generated"}]
    images = value["embed"]["images"]
    assert [image["alt"] for image in images] == [picture.alt for picture in item.pictures] == [
        f"{LINE} Maya at her window, the city at dusk behind her.", f"{LINE} “Keep the heat low.” — Grandma"
    ]  # fmt: skip
    assert [image["aspectRatio"] for image in images] == [{"width": 1080, "height": 1350}] * 2
    there = [pds.blob(channel.address, image["image"]["ref"]["$link"]) for image in images]
    assert [hashlib.sha256(data).hexdigest() for data in there] == [picture.sha256 for picture in item.pictures]
    check_marks(world, there)


def check_marks(world: World, pictures: list[bytes]) -> None:
    """On the bytes the platform gives to anybody."""
    root = (world.settings.keys / "credentials" / "root.pem").read_text()
    for number, data in enumerate(pictures):
        path = world.settings.data / f"there{number}.jpg"
        path.write_bytes(data)
        assert xmp.measure(path).ok
        assert credentials.measure(path, root).ok
        with Image.open(io.BytesIO(data)) as image:
            assert (image.format, image.size) == ("JPEG", (1080, 1350))
        assert len(data) < 2_000_000


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_what_bluesky_does_not_take_is_said_before_anybody_looks(world: World, pds: peers.Pds) -> None:
    connect(world, pds.create_account(f"stills{next(names)}"), pds.base_url)
    post = rendered(world, "\n---\n".join(["Rest."] * 5), "bluesky", kind="tip")
    assert post.state is PostState.blocked
    assert "It has 5 images, 4 allowed." in post.reason


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_what_cannot_be_drawn_is_said_by_its_slide(world: World) -> None:
    with pytest.raises(Invalid, match="Slide 2: there is no scene “moon”"):
        rendered(world, "Hi\n---\n# look\nbackground: moon", "own_feed")
    post = rendered(world, "盐", "own_feed")
    assert post.state is PostState.blocked
    assert post.reason.startswith("Slide 1: The typeface cannot show “盐”.")


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_the_format_can_be_chosen(world: World) -> None:
    post = world.post(template="Rest.", form="stills", staging={"format": "1:1"})
    with world.write() as session:
        render = renders.submit(session, world.settings, world.ada, session.get_one(Post, post.id), world.now)
    assert renders.run(world.settings, render.id, world.clock)
    media = json.loads(version_of(world, world.again(post)).manifest)["media"]
    assert {(m["width"], m["height"]) for m in media.values()} == {(1080, 1080)}
