"""T32: what was made under a consent is gone after it was withdrawn, but for what went out. Looked for in the store."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from avatar_scheduler.crash import VARIABLE
from avatar_scheduler.db.tables import Asset, Audit, Upload, Version
from avatar_scheduler.publishers.own_feed import Feed
from avatar_scheduler.services import comparing, purging, uploads, withdrawal
from avatar_scheduler.services.comparing import frames_of
from avatar_scheduler.storage import Blobs
from tests.services.cast import creator_of
from tests.uploads import good
from tests.world import World


def withdraw(world: World) -> None:
    with world.write() as session:
        withdrawal.withdraw(session, world.ada, world.maya, world.now)


def hashes(version: Version) -> set[str]:
    return {file["sha256"] for file in json.loads(version.manifest)["media"].values()}


def stored(world: World, version: Version) -> list[bool]:
    return [Blobs(world.settings.blobs).path(sha256).exists() for sha256 in sorted(hashes(version))]


def made_differently(world: World, version: Version) -> Version:
    """The same film again would be the same files: these are its own, byte for byte."""
    manifest = json.loads(version.manifest)
    blobs = Blobs(world.settings.blobs)
    for kind, file in manifest["media"].items():
        other = world.settings.data / f"{version.id}-{kind}"
        other.write_bytes(blobs.path(file["sha256"]).read_bytes() + version.id.encode())
        was, file["sha256"] = file["sha256"], blobs.put(other)
        world.sql("UPDATE asset SET sha256 = :new WHERE sha256 = :was AND render_id = (SELECT render_id FROM post "
                  "WHERE id = :post)", new=file["sha256"], was=was, post=version.post_id)  # fmt: skip
    world.sql("UPDATE version SET manifest = :m WHERE id = :id", m=json.dumps(manifest), id=version.id)
    with world.read() as session:
        return session.get_one(Version, version.id)


def entries(world: World) -> list[Audit]:
    with world.read() as session:
        return list(session.exec(select(Audit).where(Audit.action == purging.PURGED)))


def test_what_never_went_out_is_removed_and_what_did_is_kept(world: World) -> None:
    out = world.approved()
    world.publish(out)
    with world.read() as session:
        published = session.get_one(Version, out.version_id)
    waits = made_differently(world, world.version(world.post("reply")))
    [frame, *_] = frames_of(world.settings, min(hashes(waits)))
    frame.parent.mkdir(parents=True)
    frame.write_bytes(b"a picture of her")
    assert purging.purge(world.settings, world.now) == 0, "nothing was withdrawn yet"
    withdraw(world)
    assert purging.purge(world.settings, world.now) == len(hashes(waits))
    assert not any(stored(world, waits))
    assert not frame.exists()
    assert all(stored(world, published))
    with world.read() as session:  # the evidence: which files there were
        assert hashes(waits) <= set(session.exec(select(Asset.sha256)))
    assert [json.loads(entry.data)["files"] for entry in entries(world)] == [str(len(hashes(waits)))]
    assert purging.purge(world.settings, world.now) == 0
    assert len(entries(world)) == 1


def test_stopped_half_way_it_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = made_differently(world, world.version(world.post("reply")))
    withdraw(world)
    unlink, left = Path.unlink, [2]

    def dies(self: Path, missing_ok: bool = False) -> None:
        if left[0] == 0 and self.exists():
            raise SystemExit
        left[0] -= self.exists()
        unlink(self, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", dies)
        with pytest.raises(SystemExit):
            purging.purge(world.settings, world.now)
    assert sorted(set(stored(world, waits))) == [False, True]
    purging.purge(world.settings, world.now)
    assert not any(stored(world, waits))
    assert entries(world), "said before the first file went"


def test_a_file_somebody_else_needs_stays(world: World) -> None:
    """The same bytes under another creator's consent, and what is made under a new one of the same person."""
    waits = world.version(world.post("reply"))
    other = creator_of(world, world.ada, "leo")
    again = world.version(world.post("reply"))
    world.sql("UPDATE post SET creator_id = :leo WHERE id = :id", leo=other.id, id=again.post_id)
    withdraw(world)
    purging.purge(world.settings, world.now)
    assert all(stored(world, waits))
    world.sql("UPDATE post SET creator_id = :maya WHERE id = :id", maya=world.maya.id, id=again.post_id)
    world.sql("UPDATE render SET created_at = :later WHERE post_id = :id", later=world.later(days=1), id=again.post_id)
    purging.purge(world.settings, world.now)
    assert all(stored(world, waits))


def voice(world: World, folder: Path, name: str = "hello") -> Upload:
    path = folder / f"{name}.wav"
    path.write_bytes(good.sound("wav", "pcm_s16le"))
    return uploads.add_file(
        world.settings, world.ada, world.maya, uploads.New("audio", name, path.name), path, world.now
    )


def background(world: World, folder: Path) -> Upload:
    path = folder / "market.png"
    path.write_bytes(good.picture("PNG"))
    return uploads.add_file(world.settings, world.ada, world.maya, uploads.New("image", "", path.name), path, world.now)


def names(world: World) -> list[str]:
    with world.read() as session:
        return sorted(session.exec(select(Upload.name)))


def test_their_face_and_voice_go_and_their_kitchen_stays(world: World, tmp_path: Path) -> None:
    spoken, kitchen = voice(world, tmp_path), background(world, tmp_path)
    world.later(seconds=1)
    withdraw(world)
    assert purging.purge(world.settings, world.now) == 1
    blobs = Blobs(world.settings.blobs)
    assert (blobs.path(spoken.sha256).exists(), blobs.path(kitchen.sha256).exists()) == (False, True)
    assert names(world) == [kitchen.name]
    with world.read() as session:
        said = session.exec(
            select(Audit.data).where(Audit.noun_id == spoken.id, Audit.action == "upload.removed")
        ).one()
    assert spoken.sha256 in said
    assert purging.purge(world.settings, world.now) == 0


def test_a_row_whose_file_went_before_the_kill_goes_too(world: World, tmp_path: Path) -> None:
    spoken = voice(world, tmp_path)
    world.later(seconds=1)
    withdraw(world)
    Blobs(world.settings.blobs).path(spoken.sha256).unlink()
    purging.purge(world.settings, world.now)
    assert names(world) == []


def test_of_somebody_made_up_nothing_uploaded_goes(world: World, tmp_path: Path) -> None:
    voice(world, tmp_path)
    world.sql("UPDATE avatar SET performer = 'fictional'")
    world.later(seconds=1)
    withdraw(world)
    assert (purging.purge(world.settings, world.now), names(world)) == (0, ["hello"])


def test_the_feed_keeps_no_copy_of_what_it_never_showed(world: World) -> None:
    waits = world.version(world.post("reply"))
    feed = Feed(world.settings).blobs
    for sha256 in hashes(waits):
        feed.put(Blobs(world.settings.blobs).path(sha256))
    withdraw(world)
    purging.purge(world.settings, world.now)
    assert [path for path in feed.folder.rglob("*") if path.is_file()] == []


def test_what_was_spoken_before_is_forgotten_and_what_is_spoken_after_is_not(world: World) -> None:
    world.settings.sentences.mkdir()
    before, after = world.settings.sentences / "before.wav", world.settings.sentences / "after.wav"
    for path, seconds in ((before, -60), (after, 60)):
        path.write_bytes(b"sound")
        os.utime(path, (world.now.timestamp() + seconds,) * 2)
    purging.purge(world.settings, world.now)
    assert before.exists(), "nothing was withdrawn yet"
    withdraw(world)
    purging.purge(world.settings, world.now)
    assert (before.exists(), after.exists()) == (False, True)


def test_killed_in_the_middle_the_next_one_goes_on(world: World, tmp_path: Path) -> None:
    """A real process, which the system ends between two batches."""
    waits = made_differently(world, world.version(world.post("reply")))
    spoken = voice(world, tmp_path)
    world.later(seconds=1)
    withdraw(world)
    code = (
        "from datetime import datetime; from avatar_scheduler.config import Settings; "
        "from avatar_scheduler.services import purging; purging.BATCH = 1; "
        f"purging.purge(Settings(), datetime.fromisoformat('{world.now.isoformat()}'))"
    )
    environment = {
        **os.environ, VARIABLE: f"purge.removed={tmp_path / 'killed'}",
        "AVATAR_SCHEDULER_DATA": str(world.settings.data), "AVATAR_SCHEDULER_DATABASE": world.settings.database,
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False, timeout=100, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    wanted = [*sorted(hashes(waits)), spoken.sha256]
    left = [sha256 for sha256 in wanted if Blobs(world.settings.blobs).path(sha256).exists()]
    assert len(left) == len(wanted) - 1
    assert purging.purge(world.settings, world.now) == len(wanted) - 1
    assert not any(Blobs(world.settings.blobs).path(sha256).exists() for sha256 in wanted)
    assert names(world) == []


def test_pictures_cut_for_comparing_last_a_month(world: World) -> None:
    folder = world.settings.data / "frames"
    folder.mkdir()
    old, fresh, half = folder / "a-1.jpg", folder / "b-1.jpg", folder / "tmp123.part"
    for path, days in ((old, 31), (fresh, 29), (half, 31)):
        path.write_bytes(b"picture")
        os.utime(path, ((world.now - timedelta(days=days)).timestamp(),) * 2)
    assert comparing.sweep_frames(world.settings, world.now) == 2
    assert list(folder.iterdir()) == [fresh]
    assert comparing.sweep_frames(world.settings, world.now) == 0
