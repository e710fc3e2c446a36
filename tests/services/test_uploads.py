"""Files of a creator: who may bring and remove them, what is kept, and what still needs them."""

import io
from pathlib import Path

import pytest
from sqlmodel import select

from avatar_scheduler.db import audits, moves
from avatar_scheduler.db.tables import Audit, Avatar, Delivery, Upload
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from avatar_scheduler.services import origins, posts, uploads
from avatar_scheduler.services.people import Person
from avatar_scheduler.storage import Blobs, file_sha256
from avatar_scheduler.uploads import sandbox
from tests.services.cast import creator_of, outsider, person
from tests.uploads import good
from tests.world import World


def given(tmp_path: Path, data: bytes = b"", name: str = "market stall.png") -> Path:
    path = tmp_path / name
    path.write_bytes(data or good.picture("PNG"))
    return path


def bring(world: World, path: Path, name: str = "", kind: str = "image", who: Person | None = None) -> Upload:
    new = uploads.New(kind, name, path.name)
    return uploads.add_file(world.settings, who or world.ada, world.maya, new, path, world.now)


def stored(world: World) -> list[Path]:
    """Everything of uploads that lies on the disk."""
    data = world.settings.data
    folders = (world.settings.blobs, data / "thumbnails", data / "incoming")
    return [path for folder in folders if folder.is_dir() for path in folder.rglob("*") if path.is_file()]


class TestAdding:
    def test_keeps_what_we_wrote_and_says_what_came(self, world: World, tmp_path: Path) -> None:
        path = given(tmp_path)
        row = bring(world, path)
        assert (row.name, row.kind, row.mime) == ("market-stall", "image", "image/png")
        assert (row.width, row.height, row.duration_ms) == (320, 240, 0)
        assert row.original_sha256 == file_sha256(path)
        kept = Blobs(world.settings.blobs).verified(row.sha256)
        assert kept.stat().st_size == row.size
        assert stored(world) == [kept, uploads.thumbnail(world.settings, row)]
        with world.read() as session:
            entry = audits.about(session, row.organization_id, [row.id])[0]
            assert (entry.action, entry.actor) == ("upload.added", world.ada.member_id)
            assert row.original_sha256 in entry.data

    def test_leaves_nothing_of_what_is_refused(self, world: World, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match="The file is a text"):
            bring(world, given(tmp_path, b"hello"))
        with pytest.raises(Invalid, match="damaged or cut off"):
            bring(world, given(tmp_path, good.picture("PNG")[:500]))
        assert stored(world) == []
        with world.read() as session:
            assert session.exec(select(Upload)).all() == []
            assert not session.exec(select(Audit).where(Audit.noun == "upload")).all()

    @pytest.mark.parametrize("name", ["../x", "a/b", "a\x00b", "Big", "é", "-a", "x" * 41, "a b", "a\n", "\u202ea"])
    def test_takes_plain_names_only(self, world: World, tmp_path: Path, name: str) -> None:
        with pytest.raises(Invalid, match="a name of up to 40 letters"):
            bring(world, given(tmp_path), name)

    @pytest.mark.parametrize(
        ("filename", "name"),
        [("../../Étal du marché.png", "tal-du-march"), ("a\x1b[2J.png", "a-2j"), ("a.b.png", "a-b")],
    )
    def test_makes_a_name_from_the_files_own(self, world: World, filename: str, name: str) -> None:
        new = uploads.New("image", "", filename)
        assert uploads.may_add(world.settings, world.ada, world.maya, new) == name

    def test_a_name_is_there_once(self, world: World, tmp_path: Path) -> None:
        first = bring(world, given(tmp_path))
        with pytest.raises(Conflict, match="has a file “market-stall” already"):
            bring(world, given(tmp_path))
        again = bring(world, given(tmp_path), "twin")
        assert again.sha256 == first.sha256

    def test_somebody_faster_leaves_the_first_one_whole(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Both passed the first look; while the second file was opened the first was stored."""
        path, once = given(tmp_path), sandbox.run
        late = given(tmp_path, good.picture("JPEG"), "b.jpg")

        def meanwhile(*args: object, **more: object) -> dict[str, object]:
            monkeypatch.setattr(sandbox, "run", once)
            bring(world, path, "stall")
            return once(*args, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(sandbox, "run", meanwhile)
        with pytest.raises(Conflict, match="already"):
            bring(world, late, "stall")
        assert len(stored(world)) == 2

    def test_nobody_waits_for_the_writer_while_a_file_is_opened(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert sandbox.available() == ""  # it opens a file of its own the first time
        once, wrote = sandbox.run, []

        def meanwhile(*args: object, **more: object) -> dict[str, object]:
            wrote.append(world.post().id)
            return once(*args, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(sandbox, "run", meanwhile)
        bring(world, given(tmp_path))
        assert len(wrote) == 1

    def test_has_a_limit_in_files_and_in_bytes(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = bring(world, given(tmp_path))
        monkeypatch.setattr(uploads, "MOST_BYTES", row.size + 10)
        with pytest.raises(Refused, match=r"is the most\. Remove one first\."):
            bring(world, given(tmp_path), "second")
        monkeypatch.setattr(uploads, "MOST_FILES", 1)
        with pytest.raises(Refused, match="Maya has 1 files, which is the most"):
            bring(world, given(tmp_path), "second")
        assert len(stored(world)) == 2

    def test_what_a_killed_process_left_is_swept(self, world: World, tmp_path: Path) -> None:
        place = uploads.folder(world.settings)
        (place / "pack-1").mkdir(parents=True)
        (place / "new-1").write_bytes(b"x")
        bring(world, given(tmp_path))
        assert {path.name for path in place.iterdir()} == {"pack-1", "new-1"}
        world.later(hours=7)
        bring(world, given(tmp_path), "second")
        assert list(place.iterdir()) == []


class TestMadeByAi:
    def test_a_film_that_says_so_is_not_a_persons_own(self, world: World, tmp_path: Path) -> None:
        video = world.film.folder / world.film.made["video"]
        row = bring(world, given(tmp_path, video.read_bytes(), "film.mp4"), "film", "clip")
        own = bring(world, given(tmp_path, good.clip(), "own.mp4"), "own", "clip")
        assert (row.made_by_ai, own.made_by_ai) == (True, False)
        staging = {"materials": {"cropped": "film", "own": "own"}}
        with pytest.raises(Invalid, match=r"“cropped” says itself that AI made it.* Use \[show cropped\]\."):
            world.post(template="Keep it low. [clip cropped]", staging=staging)
        world.post(template="Keep it low. [show cropped] [clip own]", staging=staging)
        background = {"kind": "video", "value": "cropped"}
        world.post(title="Behind", staging={**staging, "background": background})

    @pytest.mark.parametrize("word", ["trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"])
    def test_is_found_wherever_it_stands(self, word: str) -> None:
        for at in range((1 << 20) - len(word) - 1, (1 << 20) + 2):
            assert origins.made_by_ai(io.BytesIO(b"x" * at + word.encode() + b"y" * 9))

    def test_other_words_say_nothing(self) -> None:
        assert origins.made_by_ai(io.BytesIO(b"x" * 3_000_000 + b"/algorithmicMedia"))
        for said in (b"", b"digitalCapture", b"trainedAlgorithmic"):
            assert not origins.made_by_ai(io.BytesIO(said))


class TestPeople:
    @pytest.mark.parametrize("role", ["approver", "analyst", "client"])
    def test_only_writers_add_and_remove(self, world: World, tmp_path: Path, role: str) -> None:
        who, row = person(world, role), bring(world, given(tmp_path))
        with pytest.raises(Forbidden, match="may not add files"):
            bring(world, given(tmp_path), "second", who=who)
        with pytest.raises(Forbidden, match="may not remove files"):
            uploads.remove(world.settings, who, row.id, world.now)

    def test_another_organization_finds_nothing(self, world: World, tmp_path: Path) -> None:
        row, cy = bring(world, given(tmp_path)), outsider(world)
        with pytest.raises(NotFound):
            bring(world, given(tmp_path), "second", who=cy)
        with pytest.raises(NotFound):
            uploads.remove(world.settings, cy, row.id, world.now)
        with world.read() as session:
            assert uploads.listing(session, cy) == []
            for look in (
                lambda: uploads.by_name(session, cy, world.maya, row.name),
                lambda: uploads.by_id(session, cy, row.id),
                lambda: uploads.file(session, world.settings, cy, row.id),
                lambda: uploads.small(session, world.settings, cy, row.id),
                lambda: uploads.listing(session, cy, world.maya),
            ):
                with pytest.raises(NotFound):
                    look()

    def test_another_creators_file_is_not_taken_for_ones_own(self, world: World, tmp_path: Path) -> None:
        row, leo = bring(world, given(tmp_path)), creator_of(world, world.ada, "leo")
        with world.read() as session:
            for named in (row.name, row.id):
                with pytest.raises(NotFound, match="There are none yet"):
                    uploads.by_name(session, world.ada, leo, named)


class TestNaming:
    def test_by_name_or_id(self, world: World, tmp_path: Path) -> None:
        row = bring(world, given(tmp_path))
        with world.read() as session:
            for named in (row.name, row.id):
                assert uploads.by_name(session, world.ada, world.maya, named).id == row.id
            with pytest.raises(NotFound, match="There are: market-stall"):
                uploads.by_name(session, world.ada, world.maya, "none")

    def test_a_name_that_is_anothers_id_stays_a_name(self, world: World, tmp_path: Path) -> None:
        row = bring(world, given(tmp_path))
        other = bring(world, given(tmp_path, good.picture("JPEG"), "b.jpg"), row.id)
        with world.read() as session:
            assert uploads.by_name(session, world.ada, world.maya, row.id).id == other.id


class TestRemoving:
    def test_takes_the_bytes_with_it(self, world: World, tmp_path: Path) -> None:
        row = bring(world, given(tmp_path))
        uploads.remove(world.settings, world.ada, row.id, world.now)
        assert stored(world) == []
        with world.read() as session:
            assert audits.about(session, row.organization_id, [row.id])[0].action == "upload.removed"

    def test_leaves_them_to_a_twin(self, world: World, tmp_path: Path) -> None:
        row, twin = bring(world, given(tmp_path)), bring(world, given(tmp_path), "twin")
        uploads.remove(world.settings, world.ada, row.id, world.now)
        assert len(stored(world)) == 2
        uploads.remove(world.settings, world.ada, twin.id, world.now)
        assert stored(world) == []

    @pytest.mark.parametrize("by", ["name", "id"])
    def test_waits_for_a_post_that_names_it(self, world: World, tmp_path: Path, by: str) -> None:
        row = bring(world, given(tmp_path))
        post = world.post(staging={"materials": {"stall": getattr(row, by)}})
        with pytest.raises(Conflict, match="The post “Onions” needs it"):
            uploads.remove(world.settings, world.ada, row.id, world.now)
        assert len(stored(world)) == 2
        with world.write() as session:
            posts.cancel(session, world.ada, post.id, world.now)
        uploads.remove(world.settings, world.ada, row.id, world.now)
        assert stored(world) == []

    def test_waits_for_an_approved_post_until_it_is_out(self, world: World, tmp_path: Path) -> None:
        row = bring(world, given(tmp_path))
        delivery = world.approved(staging={"materials": {"stall": row.name}})
        with pytest.raises(Conflict, match="needs it"):
            uploads.remove(world.settings, world.ada, row.id, world.now)
        with world.write() as session:
            there = session.get_one(Delivery, delivery.id)
            moves.move(session, there, DeliveryState.kept_back, at=world.now, actor="clock", reason="too late")
        uploads.remove(world.settings, world.ada, row.id, world.now)

    def test_waits_for_a_look_made_of_it(self, world: World, tmp_path: Path) -> None:
        row = bring(world, given(tmp_path, good.pack(), "look.zip"), kind="pack")
        with world.write() as session:
            avatar = session.exec(select(Avatar).where(Avatar.creator_id == world.maya.id)).one()
            avatar.pack = row.sha256
        with pytest.raises(Conflict, match="looks like this"):
            uploads.remove(world.settings, world.ada, row.id, world.now)
