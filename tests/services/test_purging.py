"""T32: what was made under a consent is gone after it was withdrawn, but for what went out. Looked for in the store."""

import json
from pathlib import Path

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Asset, Audit, Version
from avatar_scheduler.services import purging, withdrawal
from avatar_scheduler.services.comparing import frames_of
from avatar_scheduler.storage import Blobs
from tests.services.cast import creator_of
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
