"""The options that say how a post looks and sounds, for every command that has them."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from avatar_scheduler.domain.errors import Invalid

MAX_FILE = 20_000
Look = Annotated[str, typer.Option("--look", "--avatar", help="The creator's avatar by name; the first when left out.")]
Scene = Annotated[str, typer.Option(help="Background: a scene by name; the avatar's own when left out.")]
Voice = Annotated[str, typer.Option(help="A voice by id; the language's own when left out.")]
Format = Annotated[str, typer.Option("--format", help="9:16, 4:5, 1:1 or 16:9.")]
Captions = Annotated[str, typer.Option(help="karaoke, pop, plain or none.")]
Stage = Annotated[
    Path | None, typer.Option("--stage", help="A TOML file with every setting: music, cards, materials ...")
]
Material = Annotated[
    list[str] | None, typer.Option("--material", help="name=UPLOAD, for \\[show name] and \\[clip name] in the script.")
]


def staged(
    stage: Path | None, *, scene: str, voice: str, format_: str, captions: str, materials: Mapping[str, str]
) -> dict[str, Any]:
    """What the file says, and what the single options say on top of it."""
    values = stage_file(stage) if stage else {}
    if scene:
        values["background"] = {"kind": "scene", "value": scene}
    given = {"voice": voice, "format": format_, "captions": captions}
    values |= {name: value for name, value in given.items() if value}
    if materials and isinstance(values.setdefault("materials", {}), dict):
        values["materials"] |= materials
    return values


def stage_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{path} is not readable TOML: {error}.", code="staging") from None


def read_text(path: Path) -> str:
    """A small file of text. Raises Invalid saying why it is not one."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)  # a pipe or a device has no size to ask for
        if len(data) > MAX_FILE:
            raise Invalid(f"{path} is larger than {MAX_FILE} bytes. A script is text.", code="script_size")
        return data.decode()
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8 text (byte {error.start}).", code="script_text") from None
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.", code="script_file") from None


def pairs(items: list[str] | None) -> dict[str, str]:
    found = {}
    for item in items or []:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise Invalid(f"“{item}” is not name=value.", code="variable")
        found[name.strip()] = value
    return found
