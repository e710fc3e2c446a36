"""The feed as a platform: an item is created once, and the feed's own ledger says so."""

import dataclasses
import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import NotFound, OutcomeUnknown, Refused
from avatar_scheduler.publishers import base, own_feed
from avatar_scheduler.publishers.base import Absent, Account, Found, MediaPart, Parcel
from avatar_scheduler.publishers.own_feed import Feed, Item, OwnFeed, make
from avatar_scheduler.storage import Blobs
from tests.publishers.ruled import required

LINE = "Made with AI."
ACCOUNT = Account("channel", "own_feed", "maya", "", {})
SHA = "0" * 64


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data")


@pytest.fixture
def publisher(settings: Settings) -> OwnFeed:
    return make(settings)


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    blobs, paths = Blobs(tmp_path / "blobs"), {}
    for name in ("video", "captions", "poster"):
        source = tmp_path / name
        source.write_bytes(name.encode() * 100)
        paths[name] = blobs.path(blobs.put(source))
    video = paths["video"]
    part = MediaPart("video", video.name, video, "video/mp4", 500, 1080, 1920, 1000, "A pan")
    return Parcel(
        delivery_id="d" * 32, attempt_id="a1", manifest_sha256=SHA, creator_name="Maya", creator_slug="maya",
        title="Onions", caption=f"{LINE}\n\nHello", disclosure_line=LINE, language="en", media=(part,),
        captions_vtt=paths["captions"], poster=paths["poster"], created_at=datetime(2026, 11, 22, tzinfo=UTC),
        proof_url="http://x/proof/d", required=required("own_feed", "video"),
    )  # fmt: skip


def upload(publisher: OwnFeed, parcel: Parcel) -> dict[str, str]:
    intent = publisher.intent(parcel, ACCOUNT)
    return dict(publisher.upload(parcel, ACCOUNT, intent, lambda: None))


def commit(publisher: OwnFeed, parcel: Parcel) -> None:
    send(publisher, parcel, upload(publisher, parcel))


def send(publisher: OwnFeed, parcel: Parcel, uploaded: dict[str, str]) -> None:
    base.commit(publisher, parcel, ACCOUNT, publisher.intent(parcel, ACCOUNT), uploaded, lambda: 5)


def look(publisher: OwnFeed, parcel: Parcel) -> Found | Absent:
    return publisher.read_back(parcel, ACCOUNT, publisher.intent(parcel, ACCOUNT))


class TestCreating:
    def test_it_is_there_as_described(self, publisher: OwnFeed, parcel: Parcel) -> None:
        assert isinstance(look(publisher, parcel), Absent)
        commit(publisher, parcel)
        found = look(publisher, parcel)
        assert isinstance(found, Found)
        assert (found.same, found.marked, found.object_id) == (True, True, parcel.delivery_id)
        [item] = publisher.feed.items("maya")
        assert publisher.feed.blobs.verified(item.media_sha256).read_bytes() == b"video" * 100

    def test_sixteen_calls_at_once_create_one(self, publisher: OwnFeed, parcel: Parcel) -> None:
        with ThreadPoolExecutor(16) as pool:
            for call in [pool.submit(commit, publisher, parcel) for _ in range(16)]:
                call.result()
        assert len(publisher.feed.items("maya")) == 1
        assert sorted(bool(line["created"]) for line in publisher.feed.ledger()) == [False] * 15 + [True]

    def test_another_item_under_the_key_is_refused_and_the_first_stays(
        self, publisher: OwnFeed, parcel: Parcel
    ) -> None:
        commit(publisher, parcel)
        other = dataclasses.replace(parcel, title="Other")
        with pytest.raises(Refused) as refused:
            commit(publisher, other)
        assert refused.value.code == "key_taken"
        assert [item.title for item in publisher.feed.items("maya")] == ["Onions"]
        assert len(publisher.feed.ledger()) == 2

    def test_two_deliveries_are_two_items_newest_first(self, publisher: OwnFeed, parcel: Parcel) -> None:
        commit(publisher, parcel)
        later = parcel.created_at.replace(hour=5)
        commit(publisher, dataclasses.replace(parcel, delivery_id="e" * 32, created_at=later))
        assert [item.id[0] for item in publisher.feed.items("maya")] == ["e", "d"]

    @pytest.mark.parametrize("caption", ["Hello", "", f" {LINE}", LINE.lower()])
    def test_without_its_line_it_is_refused(self, publisher: OwnFeed, parcel: Parcel, caption: str) -> None:
        uploaded = upload(publisher, parcel)
        bare = dataclasses.replace(parcel, caption=caption)
        for wrong in (bare, dataclasses.replace(bare, disclosure_line="")):
            with pytest.raises(Refused) as refused:
                send(publisher, wrong, uploaded)
            assert refused.value.code == "mark_missing"
        assert publisher.feed.ledger() == []


class TestUploading:
    @pytest.mark.parametrize("kind", ["video", "captions", "poster"])
    def test_a_file_that_is_not_what_its_name_says_is_refused(
        self, publisher: OwnFeed, parcel: Parcel, kind: str
    ) -> None:
        path = {"video": parcel.media[0].path, "captions": parcel.captions_vtt, "poster": parcel.poster}[kind]
        assert path is not None
        path.write_bytes(b"swapped")
        with pytest.raises(Refused) as refused:
            upload(publisher, parcel)
        assert refused.value.code == "blob_changed"

    def test_it_may_be_repeated(self, publisher: OwnFeed, parcel: Parcel) -> None:
        assert upload(publisher, parcel) == upload(publisher, parcel)


class TestTrouble:
    def full(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        def fail(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, name, fail)

    def test_a_disk_full_before_the_item_means_nothing_was_sent(
        self, publisher: OwnFeed, parcel: Parcel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        uploaded = upload(publisher, parcel)
        self.full(monkeypatch, "fsync")
        with pytest.raises(Refused, match="No space left") as refused:
            send(publisher, parcel, uploaded)
        assert refused.value.code == "not_sent"
        assert publisher.feed.ledger() == []
        assert [path.name for path in publisher.feed.folder.rglob("*.part")] == []

    def test_an_error_after_the_item_is_a_doubt(
        self, publisher: OwnFeed, parcel: Parcel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(Feed, "_write_ledger", fail)
        with pytest.raises(OutcomeUnknown):
            commit(publisher, parcel)
        assert isinstance(look(publisher, parcel), Found)

    def test_a_folder_that_cannot_be_read_is_no_evidence(self, publisher: OwnFeed, parcel: Parcel) -> None:
        """Absent would allow a second call."""
        items = publisher.feed.folder / "items"
        items.parent.mkdir(parents=True)
        items.write_text("a file where the folder was")
        with pytest.raises(OutcomeUnknown):
            look(publisher, parcel)

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id": 1, "surprise": 2}', "null"])
    def test_a_damaged_item_is_a_doubt(self, publisher: OwnFeed, parcel: Parcel, text: str) -> None:
        commit(publisher, parcel)
        next((publisher.feed.folder / "items" / "maya").glob("*.json")).write_text(text)
        with pytest.raises(OutcomeUnknown):
            look(publisher, parcel)

    def test_a_stripped_line_and_swapped_bytes_show(self, publisher: OwnFeed, parcel: Parcel) -> None:
        commit(publisher, parcel)
        path = next((publisher.feed.folder / "items" / "maya").glob("*.json"))
        item = json.loads(path.read_text())
        path.write_text(json.dumps({**item, "caption": "Hello"}))
        found = look(publisher, parcel)
        assert isinstance(found, Found)
        assert (found.marked, found.same) == (False, True)
        path.write_text(json.dumps(item))
        publisher.feed.blobs.path(item["media_sha256"]).write_bytes(b"other")
        found = look(publisher, parcel)
        assert isinstance(found, Found)
        assert (found.marked, found.same) == (True, False)

    def test_another_manifest_is_not_the_same(self, publisher: OwnFeed, parcel: Parcel) -> None:
        commit(publisher, parcel)
        found = look(publisher, dataclasses.replace(parcel, manifest_sha256="1" * 64))
        assert isinstance(found, Found)
        assert not found.same


class TestTakingDown:
    def test_it_is_gone_and_the_ledger_says_so_once(self, publisher: OwnFeed, parcel: Parcel) -> None:
        commit(publisher, parcel)
        for _ in range(2):
            publisher.take_down(parcel, ACCOUNT, publisher.intent(parcel, ACCOUNT))
        assert isinstance(look(publisher, parcel), Absent)
        assert publisher.feed.items("maya") == []
        done = [(line["created"], line["removed"]) for line in publisher.feed.ledger()]
        assert done == [(True, False), (False, True), (False, False)]
        assert publisher.feed.blobs.verified(parcel.media[0].sha256)  # another item may show the same film

    def test_a_damaged_item_goes_too_and_others_stay(self, publisher: OwnFeed, parcel: Parcel) -> None:
        for key in ("d" * 32, "e" * 32):
            commit(publisher, dataclasses.replace(parcel, delivery_id=key))
        (publisher.feed.folder / "items" / "maya" / f"{'d' * 32}.json").write_text("{")
        publisher.take_down(parcel, ACCOUNT, publisher.intent(parcel, ACCOUNT))
        assert [item.id for item in publisher.feed.items("maya")] == ["e" * 32]

    def test_a_folder_that_cannot_be_written_leaves_the_question_open(
        self, publisher: OwnFeed, parcel: Parcel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise OSError(errno.EROFS, "Read-only file system")

        commit(publisher, parcel)
        monkeypatch.setattr(Path, "unlink", fail)
        with pytest.raises(OutcomeUnknown, match="Read-only"):
            publisher.take_down(parcel, ACCOUNT, publisher.intent(parcel, ACCOUNT))
        assert isinstance(look(publisher, parcel), Found)

    @pytest.mark.parametrize("key", ["", "..", "../../keys", "a/b"])
    def test_a_key_is_never_a_path(self, publisher: OwnFeed, parcel: Parcel, key: str) -> None:
        with pytest.raises(NotFound):
            publisher.feed.remove("maya", key)


class TestMutation:
    """The item's JSON is its request. The count is the feed's ledger."""

    @pytest.mark.parametrize(
        "change",
        [
            {"caption": "Hello"},
            {"caption": f"Hello\n{LINE}"},
            {"caption": f" {LINE}\n\nHello"},
            {"caption": f"{LINE}\n\nHello!"},
            {"caption": None},
            {"caption": [LINE]},
        ],
    )
    def test_mutation_of_the_caption_by_whoever_builds_the_item(
        self, publisher: OwnFeed, parcel: Parcel, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
    ) -> None:
        uploaded = upload(publisher, parcel)
        monkeypatch.setattr(own_feed, "asdict", lambda item: {**dataclasses.asdict(item), **change})
        with pytest.raises(Refused) as refused:
            send(publisher, parcel, uploaded)
        assert refused.value.code == "mark_missing"
        assert publisher.feed.ledger() == []

    def test_mutation_of_the_check_leaves_the_gate(
        self, publisher: OwnFeed, parcel: Parcel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A publisher that forgets to look at all is stopped by what stands behind it."""
        uploaded = upload(publisher, parcel)
        monkeypatch.setattr(OwnFeed, "check", lambda *_: None)
        with pytest.raises(Refused, match="Nobody asked the rules"):
            send(publisher, dataclasses.replace(parcel, required=()), uploaded)
        with pytest.raises(Refused, match="does not start with"):
            send(publisher, dataclasses.replace(parcel, caption="Hello"), uploaded)
        assert publisher.feed.ledger() == []

    def test_mutation_of_the_sponsor_line_shows_when_read_back(self, publisher: OwnFeed, parcel: Parcel) -> None:
        paid = dataclasses.replace(
            parcel, caption=f"{LINE}\nAd\n\nHello", required=required("own_feed", "video", "paid")
        )
        commit(publisher, paid)
        path = next((publisher.feed.folder / "items" / "maya").glob("*.json"))
        item = json.loads(path.read_text())
        path.write_text(json.dumps({**item, "caption": f"{LINE}\n\nHello"}))
        found = look(publisher, paid)
        assert isinstance(found, Found)
        assert (found.marked, found.ours) == (False, True)


class TestNames:
    @pytest.mark.parametrize("slug", ["", "..", "../x", "a/b", "a.b", "a\0b", "a b"])
    def test_a_slug_is_never_a_path(self, publisher: OwnFeed, slug: str) -> None:
        with pytest.raises(NotFound):
            publisher.feed.items(slug)

    @pytest.mark.parametrize("key", ["", "..", "../../keys", "a/b", "a.json"])
    def test_a_key_is_never_a_path(self, publisher: OwnFeed, key: str) -> None:
        assert publisher.feed.item("maya", key) is None

    def test_an_item_carries_no_secret(self) -> None:
        assert not {field.name for field in dataclasses.fields(Item)} & {"account", "secrets", "organization", "by"}
