import shutil
from pathlib import Path

import pytest

from avatar_scheduler.domain.disclosure import VIDEO_MARKS
from tests.cli.command import Cli
from tests.world import World


@pytest.fixture
def video(world: World, tmp_path: Path) -> Path:
    """The file somebody downloaded, with a name of their own."""
    world.version(world.post())
    return Path(shutil.copy(world.film.folder / world.film.made["video"], tmp_path / "download.mp4"))


def test_all_four_marks_are_there_and_the_signer_is_trusted(studio: Cli, video: Path) -> None:
    result = studio("verify", video)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert len([line for line in lines if line.startswith("ok ")]) == len(VIDEO_MARKS) == 4
    assert "MISSING" not in result.out
    assert any(line.split() == ["state", "trusted"] for line in lines)
    assert "“Onions”, version 1" in result.out


def test_as_json(studio: Cli, video: Path) -> None:
    report = studio("verify", video, "--json").json
    assert report["ok"] is True
    assert {mark["mark"] for mark in report["marks"]} == set(VIDEO_MARKS)
    assert all(mark["ok"] for mark in report["marks"])
    assert report["credentials"]["state"] == "trusted"


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
