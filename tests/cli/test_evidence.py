"""One post's proof, written here and verified where nothing is set up."""

import json
from pathlib import Path

import pytest

from avatar_scheduler.db.tables import Delivery, Version
from tests import copies
from tests.cli.command import Cli
from tests.world import World


@pytest.fixture
def published(world: World) -> Delivery:
    delivery = world.approved()
    with world.read() as session:
        copies.signed(world, session.get_one(Version, delivery.version_id), world.film)
    return world.publish(delivery)


def test_written_here_and_verified_on_a_machine_without_anything(
    studio: Cli, world: World, published: Delivery, tmp_path: Path
) -> None:
    written = studio("evidence", published.post_id[:12], "out.zip")
    assert (written.code, written.err) == (0, "")
    assert "avatar-scheduler evidence verify out.zip" in written.out
    elsewhere = {"AVATAR_SCHEDULER_DATA": str(tmp_path / "nothing")}
    result = studio("evidence", "verify", "out.zip", env=elsewhere)
    assert (result.code, result.err) == (0, "")
    assert "approved by Ada" in result.out
    assert "Compare it with the one on the studio’s proof pages".replace("’", "'") in result.out
    assert not (tmp_path / "nothing").exists()
    root = world.settings.keys / "credentials" / "root.pem"
    told = studio("evidence", "verify", "out.zip", "--root", root, "--json", env=elsewhere)
    assert json.loads(told.out)["pinned"] is True


def test_what_is_wrong_is_said(studio: Cli, published: Delivery, tmp_path: Path) -> None:
    studio("evidence", "abcdefabcdef", "out.zip").refused(4, "There is no post")
    studio("evidence", "verify", "out.zip").refused(4, "There is no file out.zip")
    (tmp_path / "out.zip").write_bytes(b"no zip")
    studio("evidence", "verify", "out.zip").refused(2, "is no evidence pack")
    studio("evidence", published.post_id, "out.zip").refused(2, "is there already")
    studio("evidence", published.post_id, "no/such/folder.zip").refused(2, "cannot be written")
