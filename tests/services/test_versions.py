"""Frozen versions: nothing in them can be changed without being found."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from avatar_scheduler.db import deliveries
from avatar_scheduler.db.tables import Approval, Delivery, Post, Version
from avatar_scheduler.domain.delivery import GRACE, DeliveryState
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.domain.version import canonical, sha256
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.services import review, versions
from avatar_scheduler.services.gate import may_send
from tests.world import World

MATTERS = {
    "format", "nonce", "organization", "post", "number", "author", "creator", "avatar", "consent", "kind", "core",
    "title", "language", "script", "caption", "disclosure_line", "label", "grant", "media",
    "evidence", "engine", "form", "staging", "materials", "pronunciations", "human_ms", "renderer",
    "targets", "sponsored", "audience", "rules", "sponsor_line", "spoken", "mark_id", "policy", "people",
    "core_because",
}  # fmt: skip


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list) and value:
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from leaves(value[key], (*path, key))
    else:
        yield path


def mutated(data: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    copy: Any = json.loads(json.dumps(data))
    parent = copy
    for key in path[:-1]:
        parent = parent[key]
    old = parent[path[-1]]
    parent[path[-1]] = not old if isinstance(old, bool) else old + 1 if isinstance(old, int) else f"{old}x"
    made: dict[str, Any] = copy
    return made


def frozen(world: World) -> Version:
    with world.read() as session:
        return session.exec(select(Version)).one()


def test_the_manifest_has_everything_the_audience_gets(world: World) -> None:
    delivery = world.approved("reply")
    data = json.loads(frozen(world).manifest)
    assert set(data) == MATTERS
    assert (data["kind"], data["core"], data["script"]["text"]) == ("reply", True, "Keep the heat low.")
    assert data["caption"].startswith(data["disclosure_line"])
    assert set(data["media"]) == {"video", "captions", "poster"}
    [target] = data["targets"]
    assert (target["delivery"], target["channel"]) == (delivery.id, delivery.channel_id)
    assert delivery.latest_start == delivery.due_at + GRACE


@pytest.mark.parametrize("state", ["scheduled", "claimed"])
def test_every_changed_leaf_is_refused(world: World, state: str) -> None:
    """Also where the insider fits the version's hash: then the approval is for another one."""
    delivery = world.approved("reply")
    world.due(delivery)
    version = frozen(world)
    data = json.loads(version.manifest)
    with world.write() as session:
        row, sent = session.get_one(Version, version.id), session.get_one(Delivery, delivery.id)
        if state == "claimed":
            deliveries.claim(session, sent, world.now, world.now + timedelta(seconds=60), "worker")
        assert may_send(session, world.settings, sent, world.now)
        paths = list(leaves(data))
        for path in paths:
            row.manifest = canonical(mutated(data, path))
            row.sha256 = version.sha256
            with pytest.raises(Refused):
                may_send(session, world.settings, sent, world.now)
            row.sha256 = sha256(row.manifest)
            with pytest.raises(Refused):
                may_send(session, world.settings, sent, world.now)
        session.rollback()
    assert len(paths) > 70


def test_every_changed_leaf_is_refused_to_whoever_decides(world: World) -> None:
    version = world.version(world.post("reply"))
    world.watch(version)
    data = json.loads(version.manifest)
    with world.write() as session:
        row = session.get_one(Version, version.id)
        for path in leaves(data):
            row.manifest = canonical(mutated(data, path))
            for digest in (version.sha256, sha256(row.manifest)):
                row.sha256 = digest
                with pytest.raises(Refused):
                    review.approve(session, world.settings, world.ada, row.id, digest, world.now)
        session.rollback()
    assert world.approve(version)


def test_a_fitted_approval_lacks_its_signature(world: World) -> None:
    delivery = world.approved("reply")
    world.due(delivery)
    data = json.loads(frozen(world).manifest)
    with world.write() as session:
        row, sent = session.exec(select(Version)).one(), session.get_one(Delivery, delivery.id)
        row.manifest = canonical({**data, "title": "Other"})
        row.sha256 = sha256(row.manifest)
        approval = session.exec(select(Approval)).one()
        approval.version_sha256 = row.sha256
        with pytest.raises(Refused) as refused:
            may_send(session, world.settings, sent, world.now)
        session.rollback()
    assert refused.value.code == "approval_forged"


def test_reading_a_changed_version_is_refused(world: World) -> None:
    version = world.version(world.post())
    assert versions.read(version).sha256 == version.sha256
    for text, digest in ((version.manifest + " ", version.sha256), ("{", sha256("{"))):
        version.manifest, version.sha256 = text, digest
        with pytest.raises(Refused, match="changed after it was frozen"):
            versions.read(version)


def test_two_freezings_of_the_same_post_differ_and_count_up(world: World) -> None:
    from avatar_scheduler.services import posts

    one = world.version(world.post())
    with world.write() as session:
        post = posts.edit(session, world.settings, world.ada, one.post_id, posts.Edit(), world.now)
    two = world.version(post)
    assert (one.number, two.number) == (1, 2)
    assert one.sha256 != two.sha256
    with world.read() as session:
        assert [v.number for v in versions.of_post(session, post.id)] == [1, 2]
    assert world.delivery(one).state is DeliveryState.withdrawn


REWRITTEN = {
    "label_sign": "HD", "label_words": "A real person", "sponsor": "Ad", "caption": "Onions.",
    "caption_line": "Onions.", "sponsor_line": "Ad.", "spoken": "Hello.", "text": "Buy now.", "language": "fr",
    "title": "Other", "form": "stills", "pack": "leo", "scene": "city", "staging": '{"format":"1:1"}',
    "materials": '{"a":{}}', "pronunciations": '{"a":"b"}',
    "renderer": "heygen", "vendor": '{"voice":"x"}', "mark_id": "00000000", "organization": "6" * 32,
    "icon": "aWNvbg==",
}  # fmt: skip


def test_every_word_of_an_order_is_held_against_the_post(world: World) -> None:
    """The order lies in the database while it waits, and the file is measured against it."""
    assert {*REWRITTEN} == {*Order.__dataclass_fields__} - {"software", "when"}
    for name, value in REWRITTEN.items():
        with pytest.raises(Refused, match=f"changed while it was rendered: {name}"):
            world.freeze(world.post(), world.film, **{name: value})


@pytest.mark.parametrize(("column", "value"), [("kind", "tip"), ("sponsored", "no")])
def test_what_the_writer_said_of_a_post_outranks_its_columns(world: World, column: str, value: str) -> None:
    """A reply that SQL turns into a tip would go out under a standing approval."""
    made = world.post("sponsored", sponsored="paid")
    world.standing("tip")
    with world.write() as session:
        setattr(session.get_one(Post, made.id), column, value)
    with pytest.raises(Refused, match="behind the writer's back"):
        world.freeze(made, world.film)
