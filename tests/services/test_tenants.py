"""Two organizations in one installation: each page, file and list shows one's own, and strangers what is published."""

import pytest

from avatar_scheduler.db.tables import Asset, Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import NotFound, Refused
from avatar_scheduler.publishers.own_feed import Feed
from avatar_scheduler.services import media, pages, public
from tests.services.cast import creator_of, outsider
from tests.world import World


def shas(world: World, version: Version) -> list[str]:
    import json

    return [m["sha256"] for m in json.loads(version.manifest)["media"].values()]


def test_the_other_organization_sees_nothing_of_it(world: World) -> None:
    version = world.version(world.post())
    delivery, cy = world.delivery(version), outsider(world)
    with world.read() as session:
        assert len(pages.waiting(session, world.ada, world.now)) == 1
        assert len(pages.listing(session, world.ada, world.now)) == 1
        assert [row.delivery_id for row in pages.going_out(session, world.ada)] == [delivery.id]
        assert pages.waiting(session, cy, world.now) == []
        assert pages.listing(session, cy, world.now) == []
        assert pages.going_out(session, cy) == []
        for look in (
            lambda: pages.card(session, world.settings, cy, version.id, world.now),
            lambda: pages.post_page(session, world.settings, cy, version.post_id, world.now),
            lambda: pages.progress(session, cy, version.post_id),
            lambda: pages.progress(session, cy, version.post_id[:8]),
        ):
            with pytest.raises(NotFound):
                look()


def test_files_are_for_their_own_organization(world: World) -> None:
    version = world.version(world.post())
    cy = outsider(world)
    with world.read() as session:
        for sha256 in shas(world, version):
            assert media.blob(session, world.settings, world.ada, sha256).path.is_file()
            with pytest.raises(NotFound):
                media.blob(session, world.settings, cy, sha256)
        for wrong in ("0" * 64, "../../keys/vault.private.pem", ""):
            with pytest.raises(NotFound):
                media.blob(session, world.settings, world.ada, wrong)


def test_the_same_film_in_two_organizations_is_each_one_s_own(world: World) -> None:
    version = world.version(world.post())
    cy, sha256 = outsider(world), shas(world, version)[0]
    with world.write() as session:
        from sqlmodel import select

        mine = session.exec(select(Asset).where(Asset.sha256 == sha256)).one()
        theirs = {**mine.model_dump(), "id": "x", "organization_id": cy.organization_id, "kind": "copy"}
        session.add(Asset(**theirs))
    with world.read() as session:
        assert media.blob(session, world.settings, cy, sha256).mime == mine.mime


def test_a_proof_is_shown_once_it_is_out(world: World) -> None:
    version = world.version(world.post("reply"))
    delivery = world.delivery(version)
    world.watch(version)
    for step in (lambda: None, lambda: world.approve(version)):
        step()
        with world.read() as session, pytest.raises(NotFound):
            public.proof(session, world.settings, delivery.id)
    assert world.publish(world.delivery(version)).state is DeliveryState.published
    with world.read() as session:
        proof = public.proof(session, world.settings, delivery.id)
        with pytest.raises(NotFound):
            public.proof(session, world.settings, "f" * 32)
    assert (proof.version_hash, proof.approved_by, proof.approved_how) == (version.sha256, "Ada", "person")
    assert {mark.mark: mark.state for mark in proof.marks} == {
        "label": "ready", "caption_line": "ready", "xmp": "ready", "aigc": "ready", "credentials": "ready",
        "watermark": "ready", "platform_flag": "not_offered",
    }  # fmt: skip
    assert proof.audit_hash


def test_a_proof_whose_approval_was_edited_is_refused(world: World) -> None:
    delivery = world.publish(world.approved())
    world.sql("UPDATE approval SET by = 'eve'")
    with world.read() as session, pytest.raises(Refused):
        public.proof(session, world.settings, delivery.id)


def test_the_feed_is_what_the_feed_holds_as_long_as_it_was_sent(world: World) -> None:
    delivery = world.publish(world.approved())
    world.sql("UPDATE post SET title = 'Other'")
    with world.read() as session:
        [item] = public.feed(session, world.settings, "maya").items
    assert (item.id, item.title) == (delivery.id, "Onions")
    world.sql("UPDATE delivery SET state = 'withdrawn'")
    with world.read() as session:
        assert public.feed(session, world.settings, "maya").items == ()
    world.sql("UPDATE delivery SET state = 'published'")
    next((Feed(world.settings).folder / "items" / "maya").glob("*.json")).unlink()
    with world.read() as session:
        assert public.feed(session, world.settings, "maya").items == ()
        with pytest.raises(NotFound):
            public.feed(session, world.settings, "nobody")


def test_public_files_are_those_of_published_items_of_that_feed(world: World) -> None:
    version = world.version(world.post())
    creator_of(world, outsider(world), "leo")
    first = shas(world, version)[0]
    with pytest.raises(NotFound), world.read() as session:
        media.public_blob(session, world.settings, "maya", first)
    world.publish(world.approved(title="Second"))
    for sha256 in shas(world, version):  # the same film
        with world.read() as session:
            assert media.public_blob(session, world.settings, "maya", sha256).path.is_file()
        for slug in ("leo", "nobody", "..", "", "maya/../maya"):
            with pytest.raises(NotFound), world.read() as session:
                media.public_blob(session, world.settings, slug, sha256)
    with pytest.raises(NotFound), world.read() as session:
        media.public_blob(session, world.settings, "maya", "")


def test_a_post_page_names_people_and_every_step(world: World) -> None:
    delivery = world.publish(world.approved("reply"))
    with world.read() as session:
        page = pages.post_page(session, world.settings, world.ada, delivery.post_id, world.now)
    steps = [row.action for row in page.timeline]
    assert steps[0] == "delivery.published"
    assert steps[-1] == "post.created"
    for action in ("render.done", "post.in_review", "post.approved", "approval.approved", "delivery.sending"):
        assert action in steps
    assert {row.actor for row in page.timeline} == {"Ada", "render", "gate", "publish", "settle"}
    [target] = page.targets
    assert (target.state, page.progress.state) == ("published", "published")
    moves = [(row.data["from"], row.data["to"]) for row in page.timeline[::-1] if row.action.startswith("delivery.")]
    assert moves == [
        ("waiting", "scheduled"), ("scheduled", "claimed"), ("claimed", "sending"), ("sending", "accepted"),
        ("accepted", "published"),
    ]  # fmt: skip
