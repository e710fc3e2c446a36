"""Every command, every option and every argument, with every kind of value: nothing unmarked leaves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from avatar_scheduler.cli import posts
from avatar_scheduler.cli.main import app
from avatar_scheduler.db.tables import Creator, Post
from avatar_scheduler.domain.disclosure import SPONSORED
from avatar_scheduler.domain.errors import SchedulerError
from tests.acceptance.doors.house import House, building, say
from tests.acceptance.doors.values import ANY
from tests.world import Film

LEFT_OUT = {
    "up": "starts the other processes; it has no options",
    "demo": "runs `up`; its one option is the folder, tried with the settings",
    "voices install": "downloads; no options",
    "look photo-setup": "downloads; no options",
    "voices say": "speaks into a sound file, without a picture: there is no avatar in it",
}
KNOWN: dict[str, tuple[str, ...]] = {
    "form": ("video", "stills", "audio"),
    "sponsored": SPONSORED,
    "audience": ("eu", "us", "cn", "kr"),
    "takedown": ("ask", "auto"),
    "language": ("en", "fr", "zz"),
    "kind": ("tip", "reply", "sponsored"),
    "at": ("+1m", "-1m"),
    "performer": ("digital_twin", "fictional", "human", "none"),
    "renderer": ("builtin", "heygen", "none"),
}


@pytest.fixture(scope="module")
def house(film: Film, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from building(film, sqlite_template, tmp_path_factory.mktemp("house"))


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, list[Any]]]:
    command = command or typer.main.get_command(app)
    if hasattr(command, "commands"):
        for name, under in command.commands.items():
            yield from commands(under, (*path, name))
    else:
        yield " ".join(path), [p for p in command.params if p.name != "help"]


def usual(house: House, name: str) -> str:
    """For an argument or option that must be there, so that the others are reached."""
    folder = house.world.settings.data.parent
    script = folder / "script.txt"
    script.write_text("Keep the heat low.")
    known = {"script": str(script), "post_id": house.post_id, "post": house.post_id, "platform": "own_feed",
             "email": "ada@example.org", "days": "30", "kinds": "tip", "creator": "maya", "language": "en",
             "lang": "en", "out": str(folder / "out.mp4"), "pack": str(folder / "pack.zip"), "kind": "image",
             "file": str(script), "monthly": "5"}  # fmt: skip
    return known.get(name, "maya")


def calls(house: House, name: str, params: list[Any], share: int) -> Iterator[list[str]]:
    """The command as it stands, then each of its parameters with each value it knows and a share of the hostile ones,
    the others as usual."""
    must = [p for p in params if p.required]

    def line(one: Any = None, value: str = "") -> list[str]:
        said = [*name.split()]
        for p in [*must, *([one] if one is not None and one not in must else [])]:
            word = value if p is one else usual(house, p.name)
            said += [word] if p.param_type_name == "argument" else [p.opts[0], word]
        return said

    yield line()
    for number, p in enumerate(params):
        if getattr(p, "is_flag", False):
            for flag in [*p.opts, *p.secondary_opts]:
                yield [*line(), flag]
        else:
            for value in (usual(house, p.name), *KNOWN.get(p.name, ()), *ANY[number % share :: share]):
                yield line(p, value)


def test_what_is_left_out_is_there() -> None:
    assert set(LEFT_OUT) <= {name for name, _ in commands()}


@pytest.mark.parametrize("share", [3, pytest.param(1, marks=(pytest.mark.slow, pytest.mark.timeout(1800)))])
def test_no_flag_lets_anything_out_unmarked(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], share: int
) -> None:
    """The quick run tries a third of the hostile values on each flag, the slow one all."""
    monkeypatch.setenv("AVATAR_SCHEDULER_DATA", str(house.world.settings.data))
    monkeypatch.setattr(
        posts, "watch", lambda *_, **__: iter(())
    )  # it only shows what a worker would be doing meanwhile
    runner, count, shown = CliRunner(), 0, 0
    bare: list[str] = []
    jammed: set[str] = set()
    for turn, (name, params) in enumerate(commands()):
        if name in LEFT_OUT:
            continue
        house.restore()
        for argv in calls(house, name, params, share):
            count += 1
            error = runner.invoke(app, argv, catch_exceptions=True).exception
            if error is not None and not isinstance(error, SystemExit | SchedulerError | OSError):
                jammed.add(f"{name}: {error!r:.100}")
        house.work(house.world.settings, turn)
        found, unmarked = house.out()
        shown += found
        bare += [f"{name}: {line}" for line in unmarked]
    say(
        capsys,
        f"doors: {count} flags; marked items in the feed: {shown}, unmarked: {len(bare)}; jammed: {sorted(jammed)}",
    )
    assert not bare, bare[:5]
    assert shown, "the marked film goes out"
    assert not jammed


@pytest.mark.parametrize("narrowed", [["eu"], ["us"], []])
def test_no_narrower_audience_lets_an_approved_film_out_unmarked(house: House, narrowed: list[str]) -> None:
    house.restore()
    with house.world.write() as session:
        session.get_one(Creator, house.world.maya.id).audience = str(narrowed).replace("'", '"')
    house.work(house.world.settings, 0)
    assert house.out()[1] == []


@pytest.mark.parametrize("edit", [{"sponsored": "paid"}, {"sponsored": "no"}, {"sponsored": ""}])
def test_no_other_sponsor_lets_an_approved_film_out_unmarked(house: House, edit: dict[str, str]) -> None:
    house.restore()
    with house.world.write() as session:
        session.get_one(Post, house.post_id).sponsored = edit["sponsored"]
    house.work(house.world.settings, 0)
    assert house.out()[1] == []
