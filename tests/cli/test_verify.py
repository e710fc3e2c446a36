import json
import shutil
from pathlib import Path

import pytest

from avatar_scheduler.db.tables import Version
from avatar_scheduler.domain.disclosure import Mark
from avatar_scheduler.publishers.own_feed import Feed
from avatar_scheduler.web.app import create_app
from tests import copies
from tests.cli.command import Cli
from tests.web import gallery
from tests.world import World

MARKS = {Mark.label, Mark.caption_line, Mark.xmp, Mark.aigc, Mark.credentials, Mark.watermark}


@pytest.fixture
def video(world: World, tmp_path: Path) -> Path:
    """The file somebody downloaded, with a name of their own."""
    world.version(world.post())
    return Path(shutil.copy(world.film.folder / world.film.made["video"], tmp_path / "download.mp4"))


def test_every_mark_is_there_and_the_signer_is_trusted(studio: Cli, video: Path) -> None:
    result = studio("verify", video)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert len([line for line in lines if line.startswith("ok ")]) == len(MARKS)
    assert "MISSING" not in result.out
    assert any(line.split() == ["state", "trusted"] for line in lines)
    assert "“Onions”, version 1" in result.out


def test_as_json(studio: Cli, video: Path) -> None:
    report = studio("verify", video, "--json").json
    assert report["ok"] is True
    assert {mark["mark"] for mark in report["marks"]} == MARKS
    assert all(mark["ok"] for mark in report["marks"])
    assert report["credentials"]["state"] == "trusted"


@pytest.fixture
def published(world: World) -> World:
    delivery = world.approved()
    with world.read() as session:
        copies.signed(world, session.get_one(Version, delivery.version_id), world.film)
    world.publish(delivery)
    return world


def test_a_copy_leads_to_its_post_and_its_marks_are_measured(studio: Cli, published: World, tmp_path: Path) -> None:
    copy = copies.of_film(published.film.folder / published.film.made["video"], tmp_path / "copy.mp4")
    result = studio("verify", copy)
    result.refused(3, "Not every mark is there")
    assert "A copy of “Onions” by Maya, approved by Ada." in result.out
    assert "a hidden mark leads there, which proves nothing by itself" in result.out
    assert "size: 1080×1920 became 540×960" in result.out
    assert "label there" in result.out
    told = {line.split()[1]: line.split()[0] for line in result.out.splitlines() if line.startswith(("ok ", "MISSING"))}
    assert (told["credentials"], told["xmp"], told["watermark"]) == ("MISSING", "MISSING", "ok")


def test_from_the_web(studio: Cli, published: World) -> None:
    opened = {"AVATAR_SCHEDULER_ALLOW_HOSTS": json.dumps({"127.0.0.1": ["127.0.0.1/32"]})}
    sha256 = Feed(published.settings).items("maya")[0].media_sha256
    with gallery.serving(lambda url: create_app(published.settings.model_copy(update={"base_url": url}))) as url:
        result = studio("verify", f"{url}/f/maya/media/{sha256}", env=opened)
        assert (result.code, "“Onions”, version 1" in result.out) == (0, True)
        studio("verify", f"{url}/f/maya/media/{'0' * 64}", env=opened).refused(4, "answered 404")
        studio("verify", f"{url}/", env=opened).refused(3, "leads to /sign-in")
        studio("verify", f"{url}/f/maya/media/{sha256}").refused(3, "must be reached over https")
    studio("verify", "file:///etc/passwd").refused(3)


def test_one_flipped_byte_is_found_and_said(studio: Cli, video: Path) -> None:
    data = bytearray(video.read_bytes())
    data[len(data) // 2] ^= 1
    video.write_bytes(data)
    result = studio("verify", video)
    result.refused(3, "Not every mark is there")
    assert "not made by this installation, or were changed since" in result.out
    told = next(line for line in result.out.splitlines() if line.startswith("MISSING credentials"))
    assert "changed" in told
    as_json = studio("verify", video, "--json")
    assert (as_json.code, as_json.json["ok"]) == (3, False)


def test_signed_by_somebody_else_is_not_trusted(studio: Cli, video: Path, installation: Path) -> None:
    result = studio("verify", video, "--root", installation / "keys" / "credentials" / "root.pem")
    result.refused(3)
    assert "MISSING credentials" in result.out


def test_on_a_machine_where_nothing_is_set_up(bare: Cli, world: World, video: Path) -> None:
    """Anybody with our root certificate can check the credentials, and is told what cannot be checked there."""
    root = world.settings.keys / "credentials" / "root.pem"
    elsewhere = {"AVATAR_SCHEDULER_DATA": str(bare.folder / "nothing")}
    result = bare("verify", video, "--root", root, env=elsewhere)
    assert "ok      credentials" in result.out
    assert "no file of a post here" in result.out
    assert result.code == 3
    bare("verify", video, env=elsewhere).refused(2, "root.pem", "--root")


@pytest.mark.parametrize(("words", "code"), [(b"", 2), (b"no film", 2)])
def test_a_file_that_is_no_film(studio: Cli, words: bytes, code: int) -> None:
    studio("verify", studio.script(words, "notes.txt")).refused(code)


def test_a_file_that_is_not_there(cli: Cli) -> None:
    cli("verify", "nope.mp4").refused(4, "nope.mp4")
    cli("verify", cli.folder).refused(4, str(cli.folder))
