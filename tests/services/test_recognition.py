"""A file somebody found: what leads back to a post of ours, and what strangers are told of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from avatar_scheduler.db.tables import Version
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import containers, label
from avatar_scheduler.services import recognition, sight
from avatar_scheduler.services.recognition import CREDENTIALS, LOOKS, SAME, WATERMARK, Answer
from avatar_scheduler.storage import Blobs
from avatar_scheduler.uploads import incoming
from tests import copies
from tests.uploads import good
from tests.world import Film, World

Recognise = Callable[[Path], Answer]
pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
"""The queries are plain; what takes time is looking at films."""


@pytest.fixture
def published(world: World, film: Film) -> World:
    delivery = world.approved()
    with world.read() as session:
        copies.signed(world, session.get_one(Version, delivery.version_id), film)
    world.publish(delivery)
    return world


@pytest.fixture
def recognise(world: World) -> Recognise:
    def ask(path: Path) -> Answer:
        with incoming.from_path(path, world.settings.data / "incoming", recognition.MOST_BYTES) as file:
            return recognition.recognise(world.settings, file)

    return ask


@pytest.fixture(scope="session")
def copy(film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copies.of_film(film.folder / film.made["video"], tmp_path_factory.mktemp("copy") / "copy.mp4")


def said(answer: Answer) -> set[str]:
    assert answer.found is not None
    return {change.what for change in answer.found.changes}


class TestOurs:
    def test_the_very_file(self, published: World, film: Film, recognise: Recognise) -> None:
        answer = recognise(film.folder / film.made["video"])
        assert answer.found is not None
        assert (answer.found.how, answer.found.proof.approved_by) == (SAME, "Ada")
        assert said(answer) == {"nothing"}

    def test_a_stripped_and_smaller_copy_by_its_watermark(
        self, published: World, copy: Path, recognise: Recognise
    ) -> None:
        answer = recognise(copy)
        assert answer.found is not None
        assert answer.found.how == WATERMARK
        assert answer.found.proof.title == "Onions"
        assert answer.found.signed_by == "Test Studio"
        assert said(answer) == {
            "rewritten", "credentials_gone", "source_type_gone", "size", "label_there", "caption_unknown",
        }  # fmt: skip

    def test_without_the_watermark_it_only_looks_like_ours(
        self, published: World, copy: Path, recognise: Recognise, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sight, "watermark", lambda *_: ("", ""))
        answer = recognise(copy)
        assert answer.found is not None
        assert answer.found.how == LOOKS

    def test_something_appended_leaves_the_credentials_whole(
        self, published: World, film: Film, recognise: Recognise, tmp_path: Path
    ) -> None:
        """A box behind the film is outside of what a manifest binds."""
        longer = tmp_path / "longer.mp4"
        longer.write_bytes((film.folder / film.made["video"]).read_bytes() + b"\0\0\0\x08free")
        answer = recognise(longer)
        assert answer.found is not None
        assert answer.found.how in (CREDENTIALS, WATERMARK)
        assert "label_there" in said(answer)

    def test_a_covered_label_is_told(self, published: World, film: Film, recognise: Recognise, tmp_path: Path) -> None:
        art = label.draw(film.order["label_sign"], film.order["label_words"], (1080, 1920))
        box = (art.x, art.y, art.width, art.height)
        covered = copies.of_film(film.folder / film.made["video"], tmp_path / "covered.mp4", cover=box)
        assert "label_gone" in said(recognise(covered))

    def test_a_picture(self, world: World, stills: Film, recognise: Recognise, tmp_path: Path) -> None:
        version = world.version(world.post(form="stills", template=stills.order["text"]), stills)
        copies.signed(world, version, stills)
        world.look(version)
        world.approve(version)
        world.publish(world.delivery(version))
        for picture in stills.made["pictures"]:
            copied = copies.of_picture(stills.folder / picture["file"], tmp_path / "copy.jpg")
            answer = recognise(copied)
            assert answer.found is not None
            assert (answer.found.how, "label_there" in said(answer)) == (WATERMARK, True)


class TestNotOurs:
    def test_a_strangers_film(self, published: World, recognise: Recognise, tmp_path: Path) -> None:
        answer = recognise(copies.stranger(tmp_path / "stranger.mp4"))
        assert (answer.found, answer.borrowed) == (None, False)

    def test_of_a_post_that_is_not_out_nobody_hears(
        self, world: World, film: Film, copy: Path, recognise: Recognise
    ) -> None:
        delivery = world.approved()
        with world.read() as session:
            copies.signed(world, session.get_one(Version, delivery.version_id), film)
        for path in (copy, film.folder / film.made["video"]):
            assert recognise(path).found is None

    def test_a_manifest_rewritten_in_the_database_is_not_believed(
        self, published: World, copy: Path, recognise: Recognise
    ) -> None:
        published.sql("UPDATE version SET manifest = replace(manifest, 'Onions', 'Garlic')")
        assert recognise(copy).found is None

    def test_a_stored_manifest_of_another_file_is_not_believed(
        self, published: World, stills: Film, copy: Path, recognise: Recognise
    ) -> None:
        other = Blobs(published.settings.blobs).put(stills.folder / stills.made["signed"][0]["manifest"])
        published.sql("UPDATE signing SET manifest_sha256 = :other", other=other)
        assert recognise(copy).found is None

    def test_a_row_pointed_at_another_watermark_is_not_believed(
        self, published: World, copy: Path, recognise: Recognise
    ) -> None:
        published.sql("UPDATE signing SET mark_id = 'ffffffff'")  # it still looks like ours
        assert recognise(copy).found is None

    def test_a_damaged_row_is_like_nothing_and_stops_nobody(
        self, published: World, recognise: Recognise, copy: Path, tmp_path: Path
    ) -> None:
        published.sql("UPDATE signing SET prints = 'rubbish'")
        assert recognise(copies.stranger(tmp_path / "stranger.mp4")).found is None
        assert recognise(copy).found is None

    def test_our_manifest_on_a_strangers_picture_is_told(
        self, world: World, stills: Film, recognise: Recognise, tmp_path: Path
    ) -> None:
        version = world.version(world.post(form="stills", template=stills.order["text"]), stills)
        copies.signed(world, version, stills)
        world.look(version)
        world.approve(version)
        world.publish(world.delivery(version))
        ours = stills.folder / stills.made["pictures"][0]["file"]
        segments, _ = containers.Jpeg()._split(ours.read_bytes())
        manifest = b"".join(segment for segment in segments if segment[1] == 0xEB)
        theirs = good.picture("JPEG", good.scene(800, 1000))
        forged = tmp_path / "forged.jpg"
        forged.write_bytes(theirs[:2] + manifest + theirs[2:])
        answer = recognise(forged)
        assert (answer.found, answer.borrowed) == (None, True)

    @pytest.mark.parametrize("content", [b"", b"no film at all", b"%PDF-1.7 page", b"\xff\xd8\xff\xe0 cut off"])
    def test_what_is_no_film_or_picture(
        self, world: World, recognise: Recognise, tmp_path: Path, content: bytes
    ) -> None:
        file = tmp_path / "file.mp4"
        file.write_bytes(content)
        with pytest.raises(Invalid):
            recognise(file)


def test_nothing_of_the_file_stays(world: World, recognise: Recognise, tmp_path: Path) -> None:
    recognise(copies.stranger(tmp_path / "stranger.mp4", 0.5))
    assert list((world.settings.data / "incoming").iterdir()) == []
