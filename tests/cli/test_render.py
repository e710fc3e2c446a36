"""A film from a script, without a post: as marked as any other."""

import json

import pytest

from tests.cli.command import Cli
from tests.world import Film

WORDS = '{#\ntitle = "Salt"\nlanguage = "en"\nkind = "tip"\n\n[variables.how]\ntype = "text"\n#}\nSalt it {{ how }}.'
ALL = {"label", "caption_line", "xmp", "credentials"}


def test_the_file_is_labelled_signed_and_measured(cli: Cli) -> None:
    script, out = cli.script(WORDS), cli.folder / "out.mp4"
    made = cli("render", "--script", script, "--var", "how=early", "--look", "leo", "--format", "1:1", out)
    assert made.code == 0, made
    for mark in ALL:
        assert mark in made.out
    assert out.with_suffix(".vtt").read_text().startswith("WEBVTT")
    assert out.with_suffix(".jpg").read_bytes()[:2] == b"\xff\xd8"
    verified = cli("verify", out, "--json")
    found = {mark["mark"]: mark["ok"] for mark in json.loads(verified.out)["marks"]}
    assert found == {"credentials": True, "xmp": True}  # the label's words are known of posts only
    cli("render", "--script", script, "--var", "how=early", out).refused(3, "--force")


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (["out.mp4", "--var", "how=x", "--look", "bob"], 2, ["bob", "leo, maya, noa"]),
        (["out.mp4", "--var", "how=x", "--scene", "moon"], 2, ["moon", "kitchen"]),
        (["out.mp4"], 2, ["'how' is missing"]),
        (["out.mp4", "--var", "how=x", "--lang", "xx"], 2, ["xx"]),
        (["out.mp4", "--var", "how=[show cake]"], 2, ["cake"]),
        (["out.mp4", "--var", "how=x", "--material", "cake=nowhere.jpg"], 4, ["nowhere.jpg"]),
        (["out.avi", "--var", "how=x"], 2, [".mp4"]),
        (["nowhere/out.mp4", "--var", "how=x"], 2, ["nowhere"]),
    ],
)
def test_what_is_wrong_is_one_line_and_writes_nothing(cli: Cli, more: list[str], code: int, told: list[str]) -> None:
    cli("render", "--script", cli.script(WORDS), *more).refused(code, *told)
    assert not [path for path in cli.folder.rglob("out.*") if path.suffix]


def test_where_nothing_can_be_written_is_said_before_the_work(cli: Cli) -> None:
    (cli.folder / "out.mp4").mkdir()
    script = cli.script("Hello.")
    cli("render", "--script", script, "--force", "out.mp4").refused(3, "out.mp4 is a folder")
    there = cli("render", "--script", script, "/proc/out.mp4")
    there.refused(3, "/proc/out.mp4 cannot be written")
    assert ".part" not in there.err


def test_a_film_made_by_ai_is_not_a_persons_own(cli: Cli, film: Film) -> None:
    video = film.folder / film.made["video"]
    script = cli.script("Hello. [clip cropped] There.")
    made = cli("render", "--script", script, "--material", f"cropped={video}", "out.mp4")
    made.refused(2, "“cropped” says itself that AI made it", "[show cropped]")


def test_without_keys_nothing_is_made(bare: Cli) -> None:
    bare("render", "--script", bare.script("Hello."), "out.mp4").refused(3, "avatar-scheduler init")
