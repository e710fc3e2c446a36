"""The command as a process of its own, and the exit codes it promises."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from avatar_scheduler import __version__
from avatar_scheduler.cli import main
from avatar_scheduler.domain import errors
from tests.cli.command import OWNER, ROOT, Cli, environment


def run(data: Path, *argv: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "avatar_scheduler", *argv]
    return subprocess.run(command, cwd=ROOT, env=environment(data), capture_output=True, text=True, check=False)


def test_a_fresh_process_sets_up_and_answers(tmp_path: Path) -> None:
    made = run(tmp_path / "data", *OWNER)
    assert (made.returncode, made.stderr) == (0, "")
    assert "/welcome/link_" in made.stdout
    again = run(tmp_path / "data", "post", "show", "0" * 32)
    assert (again.returncode, again.stdout) == (4, "")
    assert again.stderr == f"There is no post {'0' * 32}. See: avatar-scheduler post list\n"


def test_each_kind_of_error_has_an_exit_code_of_its_own() -> None:
    kinds = {
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SchedulerError)
    }
    assert set(main.EXIT_CODES) == kinds - {errors.SchedulerError}
    assert len(set(main.EXIT_CODES.values())) == len(main.EXIT_CODES)


def test_the_help_names_the_exit_codes(bare: Cli) -> None:
    shown = bare("--help")
    assert shown.code == 0
    told = re.search(r"Exit codes: (.*?)\.", " ".join(shown.out.split()))
    assert told is not None
    codes = {int(part.split()[0]) for part in told.group(1).split(", ")}
    assert codes == {0, *main.EXIT_CODES.values()}


def test_the_version_is_the_packages(bare: Cli) -> None:
    assert bare("--version").out == f"avatar-scheduler {__version__}\n"


@pytest.mark.parametrize("argv", [["nope"], ["post", "nope"], ["post", "list", "--nope"], ["post", "show"]])
def test_a_command_that_is_not_there_is_wrong_input(bare: Cli, argv: list[str]) -> None:
    result = bare(*argv)
    assert result.code == 2
    assert "Traceback" not in result.err


def test_data_names_the_folder(cli: Cli, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert cli("--data", elsewhere, *OWNER).code == 0
    assert cli("--data", elsewhere, "creator", "list", "--json").json == []
    assert len(cli("creator", "list", "--json").json) == 1


@pytest.mark.parametrize("argv", [["queue"], ["post", "list"], ["creator", "list"], ["link"], ["audit", "verify"]])
def test_before_init_each_command_says_how_to_begin(bare: Cli, argv: list[str]) -> None:
    bare(*argv).refused(3, "avatar-scheduler init")
    assert not bare.data.exists()


@pytest.mark.parametrize(
    ("name", "value", "code", "words"),
    [
        ("PORT", "many", 2, ["AVATAR_SCHEDULER_PORT", "integer"]),
        ("LEASE_SECONDS", "1", 2, ["AVATAR_SCHEDULER_LEASE_SECONDS", "5"]),
        ("ALLOW_HOSTS", "{", 2, ["AVATAR_SCHEDULER_ALLOW_HOSTS", "JSON"]),
        ("DATABASE", "mysql://x/y", 2, ["AVATAR_SCHEDULER_DATABASE", "postgresql://"]),
        ("DATABASE", "postgresql://x@127.0.0.1:1/y", 3, ["database", "refused"]),
        ("DATA", "/dev/null/x", 3, ["avatar-scheduler init"]),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(cli: Cli, name: str, value: str, code: int, words: list[str]) -> None:
    cli("queue", env={f"AVATAR_SCHEDULER_{name}": value}).refused(code, *words)


def test_a_folder_that_cannot_be_made_is_named(bare: Cli) -> None:
    bare(*OWNER, env={"AVATAR_SCHEDULER_DATA": "/dev/null/x"}).refused(3, "/dev/null/x", "Not a directory")
