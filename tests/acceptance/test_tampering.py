"""Marked and Meant from the outside: whoever changes something after the approval, by any door, stops the post.

Each test changes one thing the way an insider would, lets the workers run, and counts in the feed's own ledger.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import pytest
from sqlmodel import col, select

from avatar_scheduler.audit import Entry, seal
from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Approval, Audit, Creator, Delivery, Post, Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Conflict, NotFound, Refused
from avatar_scheduler.domain.version import canonical, sha256
from avatar_scheduler.publishers.own_feed import Feed
from avatar_scheduler.services import dispatch, installation, media, orders, posts, public, review, versions
from avatar_scheduler.storage import Blobs
from tests.world import World


def kept_back(world: World, delivery: Delivery, says: str) -> None:
    found = world.publish(delivery)
    assert found.state is DeliveryState.kept_back, found.state
    assert says in found.reason, found.reason
    assert world.ledger == []


def blob(world: World, kind: str = "video") -> Path:
    with world.read() as session:
        version = session.exec(select(Version)).one()
        return Blobs(world.settings.blobs).path(json.loads(version.manifest)["media"][kind]["sha256"])


def test_one_character_edited_after_approval(world: World) -> None:
    delivery = world.approved("reply")
    with world.write() as session:
        posts.edit(
            session, world.settings, world.ada, delivery.post_id, posts.Edit(template="Keep the heat slow."), world.now
        )
    assert world.publish(delivery).state is DeliveryState.withdrawn
    assert world.ledger == []
    with world.read() as session:
        version = session.get_one(Version, delivery.version_id)
    with pytest.raises(Conflict, match="Changed while you looked"), world.write() as session:
        review.approve(session, world.settings, world.ada, version.id, version.sha256, world.now)


@pytest.mark.parametrize("kind", ["video", "captions", "poster"])
def test_a_flipped_byte_of_a_stored_file(world: World, kind: str) -> None:
    delivery = world.approved()
    path = blob(world, kind)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    kept_back(world, delivery, "was changed")


def test_another_file_under_the_same_name(world: World) -> None:
    delivery = world.approved()
    blob(world).write_bytes(blob(world, "poster").read_bytes())
    kept_back(world, delivery, "was changed")


def test_a_file_that_is_gone(world: World) -> None:
    delivery = world.approved()
    blob(world).unlink()
    kept_back(world, delivery, "is gone")


def test_the_credentials_stripped_by_a_remux(world: World, tmp_path: Path) -> None:
    delivery = world.approved()
    path, bare = blob(world), tmp_path / "bare.mp4"
    with av.open(str(path)) as source, av.open(str(bare), "w") as target:
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    path.write_bytes(bare.read_bytes())
    kept_back(world, delivery, "was changed")


def remake(world: World, delivery: Delivery, change: Callable[[dict[str, object]], object]) -> None:
    """An insider rewrites the manifest and its hash, so that both fit each other again."""
    with world.write() as session:
        version = session.get_one(Version, delivery.version_id)
        data = json.loads(version.manifest)
        change(data)
        version.manifest = canonical(data)
        version.sha256 = sha256(version.manifest)


MANIFEST_CHANGES: dict[str, Callable[[dict[str, object]], object]] = {
    "caption": lambda m: m.update(caption="Buy this now."),
    "script": lambda m: m.update(script={"text": "Something else."}),
    "kind": lambda m: m.update(kind="tip", core=False),
    "media": lambda m: m["media"]["video"].update(sha256="0" * 64),  # type: ignore[index]
    "evidence": lambda m: m.update(evidence=[]),
    "disclosure": lambda m: m.update(disclosure_line=""),
    "consent": lambda m: m.update(consent="0" * 32),
    "target": lambda m: m["targets"][0].update(address="somewhere-else"),  # type: ignore[index]
    "time": lambda m: m["targets"][0].update(due_at="2026-01-01T00:00:00+00:00"),  # type: ignore[index]
}


@pytest.mark.parametrize("part", MANIFEST_CHANGES)
def test_a_rewritten_manifest(world: World, part: str) -> None:
    delivery = world.approved("reply")
    remake(world, delivery, MANIFEST_CHANGES[part])
    assert world.publish(delivery).state is DeliveryState.kept_back
    assert world.ledger == []


def another_file(manifest: dict[str, object]) -> None:
    """The evidence goes along: every mark was measured, it says, on a file nobody measured."""
    text = json.dumps(manifest)
    manifest.update(json.loads(text.replace(manifest["media"]["video"]["sha256"], "f" * 64)))  # type: ignore[index]


@pytest.mark.parametrize("part", [*MANIFEST_CHANGES, "another file", "a human clip", "nothing, but the seal"])
def test_a_manifest_rewritten_before_anybody_said_yes(world: World, part: str) -> None:
    more = {"another file": another_file, "a human clip": lambda m: m.update(human_ms=[[1000, 9000]])}
    version = world.version(world.post("reply"))
    delivery = world.delivery(version)
    remake(world, delivery, {**MANIFEST_CHANGES, **more}.get(part, lambda m: m))
    if part == "nothing, but the seal":
        world.sql("UPDATE version SET seal = ''")
    with pytest.raises(Refused, match="not frozen by a render here"):
        world.approve(world.again(version))
    assert world.publish(delivery).state is DeliveryState.waiting
    assert world.ledger == []


def test_the_seal_is_asked_again_before_anything_leaves(world: World) -> None:
    delivery = world.approved()
    world.sql("UPDATE version SET seal = ''")
    kept_back(world, delivery, "not frozen by a render here")


def test_the_seal_of_another_version(world: World) -> None:
    first, second = world.version(world.post("tip")), world.version(world.post("tip", title="Leeks"))
    world.sql("UPDATE version SET seal = :seal WHERE id = :id", seal=first.seal, id=second.id)
    with pytest.raises(Refused, match="not frozen by a render here"):
        world.approve(world.again(second))


def test_a_manifest_changed_without_its_hash(world: World) -> None:
    delivery = world.approved()
    world.sql("UPDATE version SET manifest = replace(manifest, 'Keep', 'Turn')")
    kept_back(world, delivery, "changed after it was frozen")


def test_the_approval_moved_to_a_rewritten_manifest(world: World) -> None:
    delivery = world.approved()
    remake(world, delivery, MANIFEST_CHANGES["caption"])
    world.sql("UPDATE approval SET version_sha256 = (SELECT sha256 FROM version)")
    kept_back(world, delivery, "changed afterwards")


@pytest.mark.parametrize(
    "edit",
    [
        "\"by\" = 'somebody'",
        "post_id = 'other'",
        "decided_at = '2026-01-01 00:00:00'",
        "signature = ''",
        "signature = 'AAAA'",
        "scope = '{}'",
        "id = 'other'",
    ],
)
def test_an_edited_approval_row(world: World, edit: str) -> None:
    delivery = world.approved("reply")
    world.sql(f"UPDATE approval SET {edit}")
    assert world.publish(delivery).state is DeliveryState.kept_back
    assert world.ledger == []


def test_an_approval_written_by_hand(world: World) -> None:
    version = world.version(world.post("reply"))
    delivery = world.delivery(version)
    with world.write() as session:
        session.add(
            Approval(
                organization_id=delivery.organization_id, post_id=delivery.post_id, version_id=version.id,
                version_sha256=version.sha256, decision="approved", by=world.ada.member_id, decided_at=world.now,
                effective_at=world.now, signature="c2lnbmVk",
            )
        )  # fmt: skip
    world.sql("UPDATE post SET state = 'approved'")
    world.sql("UPDATE delivery SET state = 'scheduled'")
    kept_back(world, delivery, "not given here")


def test_states_written_by_hand_without_any_approval(world: World) -> None:
    delivery = world.delivery(world.version(world.post("reply")))
    world.sql("UPDATE post SET state = 'approved'")
    world.sql("UPDATE delivery SET state = 'scheduled'")
    kept_back(world, delivery, "Nobody approved")


def test_an_approval_copied_from_another_post(world: World) -> None:
    world.approved("tip", title="Harmless")
    version = world.version(world.post("reply", title="Personal"))
    delivery = world.delivery(version)
    world.sql(
        "UPDATE approval SET version_id = :v, version_sha256 = :s, post_id = :p",
        v=version.id, s=version.sha256, p=delivery.post_id,
    )  # fmt: skip
    world.sql("UPDATE post SET state = 'approved'")
    world.sql("UPDATE delivery SET state = 'scheduled'")
    found = world.publish(delivery)
    assert found.state is DeliveryState.kept_back
    assert world.ledger == []


def test_a_standing_approval_stretched_to_a_core_kind(world: World) -> None:
    parent = world.standing("tip")
    version = world.version(world.post("reply"))
    delivery = world.delivery(version)
    world.sql("UPDATE approval SET scope = replace(scope, 'tip', 'reply') WHERE id = :id", id=parent.id)
    world.sql("UPDATE post SET state = 'approved'")
    world.sql("UPDATE delivery SET state = 'scheduled'")
    kept_back(world, delivery, "Nobody approved")


def test_a_withdrawn_standing_approval(world: World) -> None:
    parent = world.standing("tip")
    delivery = world.delivery(world.version(world.post("tip")))
    assert delivery.state is DeliveryState.scheduled
    world.sql("UPDATE approval SET revoked_at = decided_at WHERE id = :id", id=parent.id)
    kept_back(world, delivery, "withdrawn")


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ("due_at = '2026-11-01 00:00:00'", "not the one that was approved"),
        ("latest_start = '2036-01-01 00:00:00'", "not the one that was approved"),
    ],
)
def test_an_edited_delivery_row(world: World, edit: str, says: str) -> None:
    delivery = world.approved()
    world.due(delivery)
    world.sql(f"UPDATE delivery SET {edit}")
    kept_back(world, delivery, says)


def test_a_channel_pointed_elsewhere(world: World) -> None:
    delivery = world.approved()
    world.sql("UPDATE channel SET address = 'somebody-else'")
    kept_back(world, delivery, "channel is not the one")


@pytest.mark.parametrize("table", ["approval", "delivery", "post"])
def test_a_row_moved_to_another_organization(world: World, table: str) -> None:
    delivery = world.approved("reply")
    world.sql("INSERT INTO organization (id, name, created_at) SELECT 'other', 'Other', created_at FROM organization")
    world.sql(f"UPDATE {table} SET organization_id = 'other'")
    assert world.publish(delivery).state is DeliveryState.kept_back
    assert world.ledger == []


def rewind(world: World, delivery: Delivery) -> None:
    """Every state column set back to what it was before sending."""
    world.sql(
        "UPDATE post SET state = 'approved', version_id = :v WHERE id = :p", v=delivery.version_id, p=delivery.post_id
    )
    world.sql("UPDATE delivery SET state = 'scheduled', published_at = NULL WHERE id = :d", d=delivery.id)


def test_a_published_delivery_set_back_is_not_sent_again(world: World) -> None:
    delivery = world.publish(world.approved())
    rewind(world, delivery)
    found = world.publish(delivery)
    assert found.state is DeliveryState.kept_back
    assert "sent before" in found.reason
    assert len(world.ledger) == 1


def test_even_with_its_receipt_and_attempts_deleted(world: World) -> None:
    delivery = world.publish(world.approved())
    rewind(world, delivery)
    world.sql("DELETE FROM receipt")
    world.sql("DELETE FROM attempt")
    found = world.publish(delivery)
    assert "that is final" in found.reason
    assert len(world.ledger) == 1


def test_a_cancelled_post_set_back(world: World) -> None:
    delivery = world.approved()
    with world.write() as session:
        posts.cancel(session, world.ada, delivery.post_id, world.now)
    rewind(world, delivery)
    kept_back(world, delivery, "changed after the approval")


def test_the_version_before_an_edit_set_back(world: World) -> None:
    delivery = world.approved()
    with world.write() as session:
        posts.edit(session, world.settings, world.ada, delivery.post_id, posts.Edit(caption="Other."), world.now)
    rewind(world, delivery)
    kept_back(world, delivery, "changed after the approval")


@pytest.mark.parametrize("edit", ["ends_at = '2036-01-01 00:00:00'", "platforms = '[\"own_feed\"]'"])
def test_an_edited_consent_row(world: World, edit: str) -> None:
    delivery = world.approved()
    world.sql(f"UPDATE consent SET {edit}")
    kept_back(world, delivery, "consent is not the one")


def test_nothing_leaves_over_a_log_with_a_hole(world: World) -> None:
    delivery = world.approved()
    dispatch.checkpoint(world.settings)
    world.sql("DELETE FROM audit WHERE action = 'consent.recorded'")
    dispatch.checkpoint(world.settings)
    assert world.publish(delivery).state is DeliveryState.scheduled
    assert world.ledger == []


def test_an_undone_approval_revived_by_deleting_its_entry(world: World) -> None:
    version = world.version(world.post("reply"))
    world.watch(version)
    approval = world.approve(version)
    delivery = world.delivery(version)
    with world.write() as session:
        review.undo(session, world.ada, approval, world.now)
    world.post(title="Something later")  # so that the entry is not the last
    world.sql("UPDATE approval SET undone_at = NULL")
    world.sql("DELETE FROM audit WHERE action = 'approval.undone'")
    rewind(world, delivery)
    kept_back(world, delivery, "log was changed")


def test_an_undone_approval_revived_by_cutting_the_log(world: World) -> None:
    version = world.version(world.post("reply"))
    world.watch(version)
    approval = world.approve(version)
    delivery = world.delivery(version)
    with world.write() as session:
        review.undo(session, world.ada, approval, world.now)
    dispatch.checkpoint(world.settings)
    world.sql("UPDATE approval SET undone_at = NULL")
    world.sql("DELETE FROM audit WHERE seq > (SELECT min(seq) FROM audit WHERE action = 'approval.approved')")
    rewind(world, delivery)
    kept_back(world, delivery, "log was changed")


def test_what_is_only_looked_at_afterwards_does_not_send_twice(world: World) -> None:
    delivery = world.publish(world.approved())
    world.sql("UPDATE receipt SET again_at = '2026-01-01 00:00:00'")
    world.publish(delivery)
    assert [line["created"] for line in world.ledger] == [True]


@pytest.mark.parametrize("words", ["label_words", "label_sign", "caption_line", "caption"])
def test_an_order_rewritten_while_it_was_rendered(world: World, words: str) -> None:
    """What the label was to say lay in the database; the film was measured against it."""
    with pytest.raises(Refused, match="Something changed while it was rendered"):
        world.freeze(world.post(), world.film, **{words: "Maya"})
    assert world.ledger == []


def test_a_sponsor_taken_out_of_the_row_before_the_freeze(world: World) -> None:
    post = world.post(sponsored="paid")
    world.sql("UPDATE post SET sponsored = 'no'")
    with pytest.raises(Refused, match="behind the writer's back"):
        world.freeze(post, world.film)
    assert world.ledger == []


def test_an_audience_written_into_the_row_before_the_post_is_one_nobody_knows(world: World) -> None:
    """In Britain no rule asks for the spoken notice; nobody said that Maya is seen there alone."""
    world.sql("UPDATE creator SET audience = '[\"GB\"]'")
    post = world.post("sponsored", sponsored="paid")
    with world.read() as session:
        order = orders.order_of(session, world.settings, post, world.now)
    assert order.spoken
    with world.write() as session:
        maya = session.get_one(Creator, world.maya.id)
        installation.set_rules(session, world.ada, maya, ["GB"], None, world.now)
    with world.read() as session:
        assert not orders.order_of(session, world.settings, post, world.now).spoken


def test_a_performer_written_into_the_row_before_the_post(world: World) -> None:
    world.sql("UPDATE avatar SET performer = 'fictional'")
    with pytest.raises(Refused, match="was added as digital_twin, and is fictional now"):
        world.post()


def _version(world: World, delivery: Delivery) -> Version:
    with world.read() as session:
        return session.get_one(Version, delivery.version_id)


MARKED_ROWS = {
    "an audience of nowhere": "UPDATE creator SET audience = '[\"us\"]'",
    "a performer who is nobody": "UPDATE avatar SET performer = 'none'",
    "no sponsor": "UPDATE post SET sponsored = 'no'",
    "no signatures": "DELETE FROM signing",
    "other signatures": "UPDATE signing SET mark_id = '00000000', sha256 = ''",
    "other words in the order": "UPDATE render SET \"order\" = '{}'",
}


@pytest.mark.parametrize("edit", MARKED_ROWS)
def test_what_was_approved_leaves_marked_or_not_at_all(world: World, edit: str) -> None:
    delivery = world.approved()
    world.sql(MARKED_ROWS[edit])
    world.publish(delivery)
    line = versions.read(_version(world, delivery)).data["disclosure_line"]
    for item in Feed(world.settings).items("maya"):
        assert item.caption.split("\n")[0] == line == item.disclosure_line
    assert len(world.ledger) <= 1


WEAKENED = """
[[rule]]
id = "agency.less"
law = "Nothing, please"
begins = 2020-01-01
marks = ["label"]
wording.label = { "*" = [] }
height_thousandths = 0
source = "nobody"
checked = 2026-11-22
"""


@pytest.mark.parametrize("pack", [WEAKENED, "", "[[rule]]\n", "not = TOML ="])
def test_an_operators_pack_written_over_never_asks_for_less(world: World, pack: str) -> None:
    """A film without the hidden mark, frozen and approved as by a release that did not ask for it."""
    bare = replace(world.film, evidence=[e for e in world.film.evidence if e["mark"] != "watermark"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "unproven", lambda *_, **__: [])
        version = world.version(world.post(), bare)
        world.watch(version)
        world.approve(version)
    folder = world.settings.data / "rules"
    folder.mkdir(exist_ok=True)
    (folder / "agency.toml").write_text(pack)
    assert world.publish(world.delivery(version)).state is not DeliveryState.published
    assert world.ledger == []


class TestThePublicFeed:
    def shown(self, world: World) -> int:
        with world.read() as session:
            return len(public.feed(session, world.settings, "maya").items)

    def test_it_shows_what_was_approved(self, world: World) -> None:
        world.publish(world.approved())
        assert self.shown(world) == 1

    @pytest.mark.parametrize("field", ["caption", "disclosure_line", "title", "media_sha256", "creator"])
    def test_an_edited_item_is_not_shown(self, world: World, field: str) -> None:
        world.publish(world.approved())
        [path] = (world.settings.feed / "items" / "maya").glob("*.json")
        path.write_text(json.dumps({**json.loads(path.read_text()), field: "0" * 64}))
        assert self.shown(world) == 0

    def test_an_item_made_by_hand_is_not_shown(self, world: World) -> None:
        world.publish(world.approved())
        [path] = (world.settings.feed / "items" / "maya").glob("*.json")
        path.with_name(f"{'a' * 32}.json").write_text(path.read_text().replace(path.stem, "a" * 32))
        assert self.shown(world) == 1

    def test_a_damaged_item_does_not_hide_the_others(self, world: World) -> None:
        world.publish(world.approved())
        (world.settings.feed / "items" / "maya" / f"{'b' * 32}.json").write_text("{bad")
        assert self.shown(world) == 1

    def test_a_changed_file_is_not_served(self, world: World) -> None:
        world.publish(world.approved())
        [item] = Feed(world.settings).items("maya")
        path = Feed(world.settings).blobs.path(item.media_sha256)
        with world.read() as session:
            assert media.public_blob(session, world.settings, "maya", item.media_sha256).path == path
        data = bytearray(path.read_bytes())
        data[100] ^= 1
        path.write_bytes(data)
        with pytest.raises(NotFound), world.read() as session:
            media.public_blob(session, world.settings, "maya", item.media_sha256)


FORGED_ENTRIES = {
    "another audience": ("creator.audience", "creator", '{"audience": "[]"}'),
    "another performer": ("avatar.added", "avatar", '{"performer": "human"}'),
    "another kind of yes": ("approval.approved", "approval", '{"grade": "passkey"}'),
    "taken back, and given again": ("approval.undone", "approval", "{}"),
    "another person": ("creator.person", "creator", '{"member": "mallory"}'),
}
ONLY_LOOKED_FOR = ("another performer", "another kind of yes")
"""Nothing asks for them once a version is frozen and the real yes is known; the look over the log names them."""


@pytest.mark.parametrize("what", FORGED_ENTRIES)
def test_a_perfectly_chained_entry_of_somebody_without_the_key(world: World, what: str) -> None:
    """Computed by an insider with all of the database: every hash and link fits, and nothing believes it."""
    delivery = world.approved("reply")
    action, noun, data = FORGED_ENTRIES[what]
    with world.write() as session:
        approval = session.exec(select(Approval)).one()
        post = session.get_one(Post, delivery.post_id)
        noun_id = {"creator": post.creator_id, "avatar": post.avatar_id, "approval": approval.id}[noun]
        last = session.exec(select(Audit).order_by(col(Audit.seq).desc()).limit(1)).one()
        mine = select(Audit).where(Audit.organization_id == post.organization_id)
        own = session.exec(mine.order_by(col(Audit.number).desc()).limit(1)).one()
        entry = Entry(last.seq + 1, world.now, post.organization_id, approval.by, action, noun, noun_id, data,
                      last.hash, own.number + 1, own.hash)  # fmt: skip
        row = {**entry._asdict(), "organization_id": entry.organization}
        del row["organization"]
        session.add(Audit(**row, hash=entry.hash(), mac=seal(b"k" * 32, entry.hash())))
    if what in ONLY_LOOKED_FOR:
        dispatch.verify_log(world.settings)
    assert world.publish(delivery).state is not DeliveryState.published
    assert world.ledger == []
    with world.read() as session:
        problem = audits.check(session, None).problem
    assert problem == f"Entry {entry.seq} ({action}) was not written by this installation."
