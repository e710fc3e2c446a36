import json
from typing import Any

import pytest

from tests.cli.command import Cli, Result

STAGE = """
format = "1:1"
captions = "pop"
speed = 1.1
[background]
kind = "gradient"
value = "#1d3557 #457b9d"
"""


def new(cli: Cli, *more: Any) -> Result:
    return cli("post", "new", cli.script("Good morning."), "--no-wait", *more)


def staging(cli: Cli) -> dict[str, Any]:
    ((text,),) = cli.rows("SELECT staging FROM post")
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_post_without_settings_has_none(cli: Cli) -> None:
    assert new(cli).code == 0
    assert staging(cli) == {}


def test_options_stand_over_the_file(cli: Cli) -> None:
    stage = cli.script(STAGE, "stage.toml")
    made = new(cli, "--stage", stage, "--format", "9:16", "--scene", "city", "--look", "MAYA")
    assert made.code == 0, made
    found = staging(cli)
    assert (found["format"], found["captions"], found["speed"]) == ("9:16", "pop", 1.1)
    assert found["background"] == {"kind": "scene", "value": "city"}


def test_an_edit_changes_what_it_names_and_keeps_the_rest(cli: Cli) -> None:
    assert new(cli, "--captions", "plain").code == 0
    post = cli("post", "list", "--json").json[0]["post_id"]
    assert cli("post", "edit", post, "--format", "16:9", "--no-wait").code == 0
    assert (staging(cli)["captions"], staging(cli)["format"]) == ("plain", "16:9")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--format", "3:2"], ["format", "3:2", "9:16"]),
        (["--captions", "loud"], ["captions", "karaoke"]),
        (["--form", "opera"], ["opera", "stills"]),
        (["--material", "cake"], ["name=value"]),
        (["--material", "cake=lemon.jpg"], ["cake", "lemon.jpg"]),
        (["--stage", "nowhere.toml"], ["nowhere.toml", "cannot be read"]),
    ],
)
def test_what_is_wrong_is_one_line_and_makes_nothing(cli: Cli, more: list[str], told: list[str]) -> None:
    new(cli, *more).refused(2, *told)
    assert cli.rows("SELECT id FROM post") == []


def test_an_avatar_nobody_made_is_not_found(cli: Cli) -> None:
    new(cli, "--look", "leo").refused(4, "Maya", "avatar-scheduler avatar add --name Leo --look leo --creator maya")
    assert "avatar add" not in new(cli, "--look", "bob").err


@pytest.mark.parametrize(("words", "told"), [("format = ", "TOML"), ('colour = "red"', "colour"), ("speed = 3", "1.4")])
def test_a_stage_file_that_is_wrong_is_explained(cli: Cli, words: str, told: str) -> None:
    new(cli, "--stage", cli.script(words, "stage.toml")).refused(2, told)
