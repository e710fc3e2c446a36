import os
from pathlib import Path

from tests.cli.command import Cli
from tests.uploads import good


def given(folder: Path, name: str, data: bytes) -> str:
    (folder / name).write_bytes(data)
    return str(folder / name)


def test_a_file_is_added_listed_and_removed(cli: Cli, tmp_path: Path) -> None:
    added = cli("upload", "add", given(tmp_path, "stall.jpg", good.turned()), "--kind", "photo", "--json").json
    assert (added["name"], added["kind"], added["mime"]) == ("stall", "photo", "image/jpeg")
    listed = cli("upload", "list", "--json").json
    assert [(row["name"], row["width"], row["height"]) for row in listed] == [("stall", 240, 320)]
    assert "stall" in cli("upload", "list", "--creator", "maya").out
    assert "Removed “stall” of Maya." in cli("upload", "remove", "stall").out
    assert "No files yet." in cli("upload", "list").out


def test_what_is_no_file_is_refused_at_once(cli: Cli, tmp_path: Path) -> None:
    real = Path(given(tmp_path, "real.png", good.picture("PNG")))
    (tmp_path / "link.png").symlink_to(real)
    os.mkfifo(tmp_path / "pipe.png")
    for path, words in (
        (tmp_path / "link.png", "is a link"),
        (tmp_path / "pipe.png", "not a file but a pipe"),
        (tmp_path, "not a file but a folder"),
        (Path("/dev/zero"), "not a file but a device"),
    ):
        cli("upload", "add", str(path), "--kind", "image", "--name", "a").refused(2, words)
    cli("upload", "add", ".", "--kind", "image").refused(2, "not a file but a folder")
    cli("upload", "add", str(tmp_path / "none.png"), "--kind", "image").refused(4, "There is no file")
    assert cli("upload", "list", "--json").json == []


def test_a_refusal_says_what_to_bring(cli: Cli, tmp_path: Path) -> None:
    path = given(tmp_path, "a.png", b"%PDF-1.7")
    cli("upload", "add", path, "--kind", "image").refused(2, "a PDF document", "bring a JPEG, PNG or WebP picture")
    cli("upload", "add", path, "--kind", "film").refused(2, "“film” is not a kind of upload", "photo, image, audio")
    cli("upload", "add", path, "--kind", "image", "--name", "../x").refused(2, "letters a-z")
    cli("upload", "remove", "none").refused(4, "There are none yet")
