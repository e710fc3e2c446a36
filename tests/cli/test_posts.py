from pathlib import Path

import pytest

from avatar_scheduler.domain.post import PostState
from tests.cli.command import Cli, Result
from tests.world import World

DESCRIBED = """{#
title = "Tip of the day"
language = "en"
kind = "tip"

[variables.tip]
type = "text"
#}
"""
NOW = "--no-wait"


def new(cli: Cli, words: str, *more: str) -> Result:
    return cli("post", "new", cli.script(words), NOW, *more)


@pytest.fixture
def post(cli: Cli) -> str:
    return str(new(cli, DESCRIBED + "Here it is. {{ tip }}.", "--var", "tip=Salt the water", "--json").json["post_id"])


class TestNew:
    def test_the_script_decides_title_and_kind(self, cli: Cli, post: str) -> None:
        shown = cli("post", "show", post, "--json").json
        assert shown["progress"]["title"] == "Tip of the day"
        assert (shown["kind"], shown["core"], shown["creator"]) == ("tip", False, "Maya")
        assert shown["progress"]["state"] == PostState.rendering
        assert cli.rows("SELECT script FROM post") == [("Here it is. Salt the water.",)]

    def test_a_script_without_a_kind_needs_a_person(self, cli: Cli) -> None:
        made = new(cli, "Good morning.", "--json").json
        assert cli("post", "show", made["post_id"], "--json").json["core"] is True

    def test_a_starter_needs_no_file(self, cli: Cli) -> None:
        first = next(s for s in cli("post", "starters", "--json").json if s["starter"] == "tip_of_the_day.en")
        assert {"starter", "title", "kind", "variables"} == set(first)
        values = [f"--var={name}=something good" for name in first["variables"]]
        made = cli("post", "new", "--starter", first["starter"], NOW, "--json", *values)
        assert made.code == 0, made

    def test_without_workers_the_row_is_queued_and_nothing_is_said_on_standard_error(self, cli: Cli) -> None:
        made = new(cli, "Good morning.")
        assert (made.code, made.err) == (0, "")
        assert cli.rows("SELECT state FROM render") == [("queued",)]

    def test_a_script_through_a_pipe(self, cli: Cli) -> None:
        made = cli("post", "new", "/dev/stdin", NOW, "--title", "Piped", stdin="Good morning.")
        assert made.code == 0, made


class TestShowAndList:
    def test_the_first_characters_of_the_id_are_enough(self, cli: Cli, post: str) -> None:
        listed = cli("post", "list").out
        assert post[:12] in listed
        assert "Tip of the day" in cli("post", "show", post[:12]).out

    def test_each_read_is_valid_json(self, cli: Cli, post: str) -> None:
        reads = [["post", "list"], ["post", "show", post], ["post", "starters"], ["creator", "list"]]
        reads += [["channel", "list"], ["queue"], ["review"], ["audit", "verify"], ["doctor"]]
        for argv in reads:
            result = cli(*argv, "--json")
            assert result.code == 0, (argv, result)
            assert isinstance(result.json, list | dict), argv

    def test_what_a_title_holds_does_not_act_on_the_terminal(self, cli: Cli) -> None:
        new(cli, "Good morning.", "--title", "[/bold][red]a\x1b[2Jb\u202ec")
        for result in (cli("post", "list"), cli("post", "show", cli("post", "list", "--json").json[0]["post_id"])):
            assert result.code == 0, result
            assert "[/bold][red]a\\u001b[2Jb\\u202ec" in result.out
            assert "\x1b" not in result.out

    def test_an_unknown_post(self, cli: Cli, post: str) -> None:
        cli("post", "show", "f" * 32).refused(4, "f" * 32, "post list")
        cli("post", "show", post[:5]).refused(4)


class TestEditAndCancel:
    def test_an_edit_renders_again(self, cli: Cli, post: str) -> None:
        assert cli("post", "edit", post, "--var", "tip=Warm the plates", NOW).code == 0
        assert cli.rows("SELECT script FROM post") == [("Here it is. Warm the plates.",)]
        assert sorted(cli.rows("SELECT state FROM render")) == [("cancelled",), ("queued",)]

    def test_an_edit_that_is_wrong_changes_nothing(self, cli: Cli, post: str) -> None:
        before = cli.rows("SELECT * FROM post"), cli.rows("SELECT * FROM render")
        script = cli.script("Here. {{ tipp }}", "other.txt")
        cli("post", "edit", post, "--at", "2020-01-01 10:00", NOW).refused(2, "past")
        cli("post", "edit", post, "--script", str(script), NOW).refused(2, "tipp")
        cli("post", "edit", post, "--title", "x" * 121, NOW).refused(2, "120")
        cli("post", "edit", post, "--caption", "x" * 2201, NOW).refused(2, "2200")
        assert (cli.rows("SELECT * FROM post"), cli.rows("SELECT * FROM render")) == before

    def test_cancelled_is_the_end(self, cli: Cli, post: str) -> None:
        assert "Cancelled “Tip of the day”" in cli("post", "cancel", post).out
        cli("post", "cancel", post).refused(5, "cancelled")
        cli("post", "edit", post, "--title", "Again", NOW).refused(5, "Make a new one")
        assert cli.rows("SELECT state FROM render") == [("cancelled",)]


class TestWrongInput:
    """One line, the right exit code, and nothing is made."""

    @pytest.mark.parametrize(
        ("words", "more", "told"),
        [
            (DESCRIBED + "Hi.\nIt is {{ tipp }}.", ["--var", "tip=x"], ["Line 10, column 10", "Did you mean 'tip'?"]),
            (DESCRIBED + "Hi {{ tip }}.", ["--var", "tipp=x"], ["'tipp'", "Did you mean 'tip'?"]),
            (DESCRIBED + "Hi {{ tip }}.", [], ["'tip' is missing"]),
            (DESCRIBED + "Hi {{ tip }}.", ["--var", "tip"], ["“tip”", "name=value"]),
            ("Hi.\nYou {% if %}", [], ["Line 2"]),
            ("Hi.\nYou {% include 'x' %}", [], ["Line 2, column 8", "include"]),
            ('{#\ntitle = "x\n#}\nHi', [], ["Line 2", "first comment"]),
            ("", [], ["empty"]),
            ("   \n", [], ["empty"]),
            ("🍝🎉", [], ["emoji"]),
            ("word " * 3990, [], ["longer than 10 minutes"]),
            ("a" * 20_001, [], ["larger than 20000 bytes"]),
        ],
    )
    def test_a_script_that_cannot_be_spoken(self, cli: Cli, words: str, more: list[str], told: list[str]) -> None:
        new(cli, words, *more).refused(2, *told)
        assert cli.rows("SELECT count(*) FROM post") == [(0,)]

    @pytest.mark.parametrize(
        ("more", "code", "told"),
        [
            (["--at", "2020-01-01 10:00"], 2, ["2020-01-01 10:00", "past"]),
            (["--at", "2027-03-28 02:30"], 2, ["does not exist in Europe/Paris", "03:30"]),
            (["--at", "tomorrow"], 2, ["“tomorrow”", "+10m"]),
            (["--at", "2999-01-01 10:00"], 2, ["two years"]),
            (["--zone", "Mars/Base"], 2, ["“Mars/Base”", "Europe/Paris"]),
            (["--kind", "joke"], 2, ["“joke”", "tip"]),
            (["--language", "xx"], 2, ["“xx”", "en"]),
            (["--lang", "xx"], 2, ["“xx”", "en"]),
            (["--title", "x" * 121], 2, ["120"]),
            (["--caption", "x" * 2201], 2, ["2201", "2200"]),
            (["--channel", "tiktok"], 4, ["“tiktok”", "own_feed:maya"]),
            (["--creator", "leo"], 4, ["“leo”", "maya"]),
        ],
    )
    def test_an_order_that_cannot_be(self, cli: Cli, more: list[str], code: int, told: list[str]) -> None:
        new(cli, "Good morning.", *more).refused(code, *told)
        assert cli.rows("SELECT count(*) FROM post") == [(0,)]
        assert cli.rows("SELECT count(*) FROM render") == [(0,)]

    def test_the_doubled_hour_is_the_first_one(self, cli: Cli) -> None:
        made = new(cli, "Good morning.", "--at", "2027-10-31 02:30", "--json")
        assert made.code == 0, made
        [(targets,)] = cli.rows("SELECT targets FROM post")
        assert "2027-10-31T00:30:00+00:00" in targets

    def test_a_file_that_cannot_be_read(self, cli: Cli) -> None:
        for path, told in (
            (cli.folder, "Is a directory"),
            (cli.folder / "nope.txt", "No such file"),
            (cli.script(b"caf\xe9", "latin.txt"), "not UTF-8 text (byte 3)"),
            (Path("/dev/zero"), "larger than 20000 bytes"),
        ):
            cli("post", "new", path, NOW).refused(2, str(path), told)
        cli("post", "new", NOW).refused(2, "--starter")
        cli("post", "new", "--starter", "nope.en", NOW).refused(4, "nope.en")

    def test_without_consent_nothing_begins(self, cli: Cli) -> None:
        cli.sql("UPDATE consent SET ends_at = starts_at")
        new(cli, "Good morning.").refused(3, "Maya's consent ended on", "renew")
        cli("consent", "revoke")
        new(cli, "Good morning.").refused(3, "Maya withdrew consent")
        assert cli.rows("SELECT count(*) FROM post") == [(0,)]


def test_follows_a_render_to_its_end(studio: Cli, world: World) -> None:
    post = world.post()
    world.version(post)
    assert studio("post", "show", post.id, "--json").json["progress"]["state"] == PostState.in_review
    edited = studio("post", "edit", post.id, "--title", "Onions again", NOW, "--json")
    assert edited.json["state"] == PostState.rendering
    assert world.again(post).version_id == ""
