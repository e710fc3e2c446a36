"""Posts of pictures: each picture marked, looked at, sent and shown, as one post."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Delivery, Post, Version, View
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.disclosure import Mark
from avatar_scheduler.domain.errors import Invalid, NotFound, Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.version import canonical, sha256
from avatar_scheduler.publishers.own_feed import Feed
from avatar_scheduler.services import looked, pages, public, review, seen, verification, versions
from avatar_scheduler.storage import Blobs
from tests.services.cast import person
from tests.world import STILLS, Film, World

LINE = "AI-generated avatar image."
ALTS = ["Maya in her kitchen, a pan in hand.", "“Keep the heat low.” — Grandma", "Avatar of Maya. 3 onion myths"]
MEASURED = [Mark.label, Mark.xmp, Mark.aigc, Mark.credentials, Mark.watermark]
on_one_database = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def post(world: World, kind: str = "reply") -> Post:
    return world.post(kind, template=STILLS, form="stills")


def subject(stills: Film, number: int) -> str:
    labels = [e["subject"] for e in stills.evidence if e["mark"] == Mark.label]
    made: str = labels[number - 1]
    return made


@pytest.fixture
def version(world: World, stills: Film) -> Version:
    return world.version(post(world), stills)


@on_one_database
class TestFreezing:
    def test_the_manifest_has_every_picture_with_its_words(self, version: Version) -> None:
        manifest = versions.read(version)
        assert manifest.form == "stills"
        assert set(manifest.data["media"]) == {"image1", "image2", "image3"}
        assert [p["alt"] for p in manifest.pictures()] == ALTS
        assert {(p["width"], p["height"], p["mime"]) for p in manifest.pictures()} == {(1080, 1350, "image/jpeg")}

    @pytest.mark.parametrize("mark", MEASURED)
    @pytest.mark.parametrize("number", [1, 3])
    def test_one_picture_that_lacks_one_mark_stops_the_post(
        self, world: World, stills: Film, mark: Mark, number: int
    ) -> None:
        def bad(e: dict[str, object]) -> bool:
            return (e["mark"], e["subject"]) == (mark, subject(stills, number))

        unmeasured = replace(stills, evidence=[e for e in stills.evidence if not bad(e)])
        failed = replace(
            stills, evidence=[{**e, "ok": False, "summary": "gone"} if bad(e) else e for e in stills.evidence]
        )
        for film, reason in ((unmeasured, "not measured on this file. Render it again."), (failed, "gone")):
            made = post(world)
            assert world.freeze(made, film) is None
            row = world.again(made)
            assert (row.state, row.reason) == (PostState.blocked, f"picture {number}, {mark}: {reason}")

    def test_a_good_measurement_does_not_outweigh_a_bad_one(self, world: World, stills: Film) -> None:
        bad = {**stills.evidence[1], "ok": False, "summary": "gone"}
        assert world.freeze(post(world), replace(stills, evidence=[bad, *stills.evidence])) is None

    def test_a_picture_too_few_is_refused(self, world: World, stills: Film) -> None:
        fewer = replace(stills, made={"pictures": stills.made["pictures"][:2]})
        with pytest.raises(Refused, match="3 slides and 2 pictures"):
            world.freeze(post(world), fewer)

    def test_a_form_nobody_thought_about_is_refused(self, world: World, stills: Film) -> None:
        with pytest.raises(Refused, match="changed while it was rendered: form"):
            world.freeze(post(world), stills, form="hologram")


class TestLooking:
    def fetch(self, world: World, version: Version, *numbers: int) -> None:
        with world.write() as session:
            for number in numbers:
                review.fetch_picture(session, world.ada, version.id, number, world.now)

    def show(self, world: World, version: Version, *numbers: int) -> tuple[list[int], bool]:
        with world.write() as session:
            return review.record_looked(session, world.ada, version.id, list(numbers), world.now)

    def test_a_picture_counts_once_fetched_and_shown(self, world: World, version: Version) -> None:
        self.show(world, version)
        world.later(seconds=10)
        assert self.show(world, version, 1) == ([], False)
        self.fetch(world, version, 1, 2)
        assert self.show(world, version) == ([1], False)
        assert self.show(world, version, 2, 3) == ([1, 2], False)
        self.fetch(world, version, 3)
        assert self.show(world, version) == ([1, 2, 3], True)

    def test_nobody_looks_that_fast(self, world: World, version: Version) -> None:
        self.fetch(world, version, 1, 2, 3)
        world.later(milliseconds=3 * looked.SHORTEST_MS - 1)
        with pytest.raises(Invalid) as fast:
            self.show(world, version, 1, 2, 3)
        assert fast.value.code == "too_fast"
        world.later(milliseconds=1)
        assert self.show(world, version, 1, 2, 3) == ([1, 2, 3], True)

    def test_a_core_post_waits_for_every_picture(self, world: World, version: Version) -> None:
        self.fetch(world, version, 1, 2, 3)
        world.later(seconds=10)
        self.show(world, version, 1, 2)
        with pytest.raises(Invalid, match="Look at every picture") as unseen:
            world.approve(version)
        assert unseen.value.code == "not_seen"
        self.show(world, version, 3)
        assert world.approve(version)

    @on_one_database
    def test_a_secondary_post_does_not(self, world: World, stills: Film) -> None:
        assert world.approve(world.version(post(world, "tip"), stills))

    def test_one_persons_look_is_not_anothers(self, world: World, version: Version) -> None:
        world.look(version)
        other = person(world, "manager")
        with world.write() as session:
            assert seen.view_of(session, version.id, other.member_id) is None
            review.fetch_picture(session, other, version.id, 1, world.now)
            world.later(seconds=5)
            assert review.record_looked(session, other, version.id, [], world.now) == ([], False)

    @on_one_database
    def test_no_terminal_shows_pictures(self, world: World, version: Version) -> None:
        with world.write() as session:
            row = session.get_one(Version, version.id)
            assert seen.read_to_end(session, row, world.ada.member_id, world.now).completed_at is None

    @on_one_database
    def test_there_is_nothing_to_watch(self, world: World, version: Version) -> None:
        with world.write() as session, pytest.raises(Invalid, match="no video"):
            review.record_seen(session, world.ada, version.id, [(0, 1000)], world.now)

    @on_one_database
    @pytest.mark.parametrize("number", [0, 4, -1])
    def test_a_picture_that_is_not_there(self, world: World, version: Version, number: int) -> None:
        with world.write() as session, pytest.raises(NotFound):
            review.fetch_picture(session, world.ada, version.id, number, world.now)

    def test_films_have_no_pictures(self, world: World) -> None:
        film = world.version(world.post("reply"))
        with world.write() as session:
            with pytest.raises(NotFound):
                review.fetch_picture(session, world.ada, film.id, 1, world.now)
            world.later(seconds=10)
            review.record_looked(session, world.ada, film.id, [1], world.now)
            view = session.exec(select(View)).one()
            assert view.completed_at is None

    def test_the_card_says_what_was_seen(self, world: World, version: Version) -> None:
        self.fetch(world, version, 2)
        world.later(seconds=5)
        self.show(world, version, 2)
        with world.read() as session:
            card = pages.card(session, world.settings, world.ada, version.id, world.now)
        assert (card.looked_at, card.seen_complete, card.video_url, card.duration_ms) == ((2,), False, "", 0)
        assert [p.url for p in card.pictures] == [f"/review/{version.id}/pictures/{n}" for n in (1, 2, 3)]
        assert [p.alt for p in card.pictures] == ALTS
        assert {layer.mark for layer in card.layers if layer.state == "ready"} == {*MEASURED, Mark.caption_line}
        assert {layer.mark for layer in card.layers if layer.state != "ready"} == {Mark.platform_flag}  # none there


class TestGoingOut:
    @pytest.fixture
    def delivery(self, world: World, version: Version) -> Delivery:
        world.look(version)
        world.approve(version)
        return world.delivery(version)

    def test_it_is_one_item_with_every_picture_once(self, world: World, delivery: Delivery) -> None:
        assert world.publish(delivery).state is DeliveryState.published
        world.publish(delivery)
        [line] = world.ledger
        [item] = Feed(world.settings).items("maya")
        manifest = self.manifest(world)
        assert line["pictures"] == [p.sha256 for p in item.pictures] == [p["sha256"] for p in manifest.pictures()]
        assert [p.alt for p in item.pictures] == [f"{LINE} {alt}" for alt in ALTS]
        assert item.caption.startswith(LINE)

    def manifest(self, world: World) -> versions.Manifest:
        with world.read() as session:
            return versions.read(session.exec(select(Version)).one())

    def test_a_swapped_picture_keeps_it_back(self, world: World, delivery: Delivery) -> None:
        manifest = self.manifest(world)
        one, two = (Blobs(world.settings.blobs).path(p["sha256"]) for p in manifest.pictures()[:2])
        shutil.copy(one, two)
        kept = world.publish(delivery)
        assert (kept.state, world.ledger) == (DeliveryState.kept_back, [])
        assert "was changed" in kept.reason

    @on_one_database
    def test_the_gate_asks_for_every_picture(self, world: World, delivery: Delivery) -> None:
        manifest = self.manifest(world)
        asked = (world.settings, "own_feed", (), world.now)
        manifest.check_marks(*asked)
        third = manifest.pictures()[2]["sha256"]
        for mark in MEASURED:
            fewer = [e for e in manifest.data["evidence"] if (e["mark"], e["subject"]) != (mark, third)]
            with pytest.raises(Refused, match=f"picture 3, {mark}: not measured"):
                versions.Manifest("", {**manifest.data, "evidence": fewer}).check_marks(*asked)
        with pytest.raises(Refused, match="no rules for a post of the form"):
            versions.Manifest("", {**manifest.data, "form": "poem"}).check_marks(*asked)
        with pytest.raises(Refused, match="nothing to send"):
            versions.Manifest("", {**manifest.data, "media": {}}).check_marks(*asked)

    def test_the_public_pages_show_it(self, world: World, delivery: Delivery) -> None:
        world.publish(delivery)
        with world.read() as session:
            [item] = public.feed(session, world.settings, "maya").items
            proof = public.proof(session, world.settings, delivery.id)
        assert [p.sha256 for p in item.pictures] == list(proof.pictures)
        assert (item.video_url, proof.voice) == ("", "")
        assert item.poster_url.endswith(item.pictures[0].sha256)
        assert {mark.mark for mark in proof.marks if mark.state == "ready"} == {
            "label", "caption_line", "xmp", "aigc", "credentials", "watermark"
        }  # fmt: skip

    @on_one_database
    @pytest.mark.parametrize("change", ["alt", "order"])
    def test_an_item_changed_in_the_folder_is_not_shown(self, world: World, delivery: Delivery, change: str) -> None:
        world.publish(delivery)
        [path] = Feed(world.settings).folder.glob("items/maya/*.json")
        item = json.loads(path.read_text())
        if change == "alt":
            item["pictures"][1]["alt"] = "A photograph."
        else:
            item["pictures"].reverse()
        path.write_text(json.dumps(item))
        with world.read() as session:
            assert public.feed(session, world.settings, "maya").items == ()

    @on_one_database
    def test_a_downloaded_picture_verifies(self, world: World, delivery: Delivery, tmp_path: Path) -> None:
        world.publish(delivery)
        root = (world.settings.keys / "credentials" / "root.pem").read_text()
        [item] = Feed(world.settings).items("maya")
        copy = tmp_path / "download.jpg"
        shutil.copy(Feed(world.settings).blobs.path(item.pictures[1].sha256), copy)
        report = verification.verify(world.settings, copy, root)
        assert report.ok
        assert {mark.mark for mark in report.marks} == {*MEASURED, Mark.caption_line}
        data = bytearray(copy.read_bytes())
        data[-100] ^= 1
        copy.write_bytes(data)
        assert not verification.verify(world.settings, copy, root).ok


@on_one_database
def test_a_manifest_from_before_there_were_forms_is_a_film_and_does_not_go_out(world: World) -> None:
    version = world.version(world.post())
    data = json.loads(version.manifest)
    del data["form"], data["sponsored"]
    text = canonical(data)
    old = versions.Manifest(sha256(text), data)
    assert (old.form, old.pictures()) == ("video", [])
    with pytest.raises(Refused, match="sponsored"):  # who pays was never asked
        old.check_marks(world.settings, "own_feed", (), world.now)
