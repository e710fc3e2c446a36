"""`look ...` and `avatar ...`: what a creator's avatar looks like, and which avatars there are."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from avatar_scheduler.cli.common import Json, console, emit, now, operator, settings, shown
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.rules.renderers import BUILTIN
from avatar_scheduler.rules.renderers import vendors as known_vendors
from avatar_scheduler.services import avatars, installation, uploads
from avatar_scheduler.studio.job import PACKS, scenes
from avatar_scheduler.studio.job import avatars as built_in

Slug = Annotated[str, typer.Option("--creator", help="Short name of the creator; the first one when left out.")]
SHEET_SCENES = ("kitchen", "city")


def register(app: typer.Typer) -> None:
    looks: dict[str, Callable[..., None]] = {
        "list": look_list,
        "check": look_check,
        "sheet": look_sheet,
        "photo-setup": photo_setup,
        "from-photo": from_photo,
    }
    avatar: dict[str, Callable[..., None]] = {"add": avatar_add, "list": avatar_list}
    for name, text, commands in (
        ("look", "What an avatar looks like.", looks),
        ("avatar", "A creator's avatars.", avatar),
    ):
        group = typer.Typer(no_args_is_help=True, help=text)
        for verb, command in commands.items():
            group.command(verb)(command)
        app.add_typer(group, name=name)


def look_list(json: Json = False) -> None:
    """List the built-in looks and the uploaded ones."""
    with read_scope(settings()) as session:
        mine = [row for row in uploads.listing(session, operator()) if row.kind == "pack"]
    rows = [{"look": name, "creator": ""} for name in built_in()]
    rows += [{"look": row.name, "creator": row.slug} for row in mine]
    if json:
        emit(rows)
        return
    table = Table("look", "of")
    for found in rows:
        table.add_row(shown(found["look"]), shown(found["creator"]) or "built in")
    console.print(table)


def look_check(
    look: Annotated[Path, typer.Argument(help="A folder or a zip: an avatar pack, or PNGTuber pictures.")],
    out: Annotated[Path | None, typer.Option(help="Also write it as the one zip it is kept as.")] = None,
    json: Json = False,
) -> None:
    """Say whether a look would be taken, with every problem at once."""
    from avatar_scheduler.studio.avatar import pack_zip

    with tempfile.TemporaryDirectory(prefix="look-") as room:
        made = Path(room) / "look.zip"
        warnings = pack_zip.canonical(_there(look), made)
        size, digest = made.stat().st_size, hashlib.sha256(made.read_bytes()).hexdigest()
        if out:
            shutil.copyfile(made, out)
    if json:
        emit({"sha256": digest, "size": size, "warnings": warnings})
        return
    for warning in warnings:
        console.print(f"Warning: {shown(warning)}")
    console.print(f"This look can be used. It takes {size // 1000} kB.")
    if zipped := out or (look if look.is_file() else None):
        console.print(f"Add it: avatar-scheduler upload add {shown(str(zipped))} --kind pack", soft_wrap=True)


def look_sheet(
    parts: Annotated[list[Path], typer.Argument(metavar="[LOOK]... OUT.jpg", help="Built-in looks when left out.")],
) -> None:
    """Draw looks with five mouths in two scenes, side by side."""
    from avatar_scheduler.studio.avatar import pack, pack_zip, sheet

    *looks, target = parts
    if target.suffix.lower() not in (".jpg", ".jpeg", ".png"):
        raise Invalid(f"“{target}” is no picture's name. Name the sheet last: look sheet maya OUT.jpg")
    with tempfile.TemporaryDirectory(prefix="look-") as room:
        packs = {}
        for number, look in enumerate(looks or map(Path, built_in())):
            folder = Path(room) / str(number)
            if str(look) in built_in():
                folder = PACKS / look
            else:
                pack_zip.canonical(_there(look), made := Path(room) / f"{number}.zip")
                pack_zip.extract(made, folder)
            packs[look.stem.title()] = pack.load(folder)
        sheet.draw(packs, SHEET_SCENES, target)
    console.print(f"Drawn: {shown(str(target))}")


def photo_setup() -> None:
    """Set up photo looks on this machine: an environment of its own in the data folder, checked by hash."""
    from avatar_scheduler.studio.photo import environment

    environment.set_up(settings().data, lambda text: console.print(shown(text), soft_wrap=True))
    console.print("Photo looks are ready. Next: avatar-scheduler look from-photo PHOTO")


def from_photo(
    photo: Annotated[Path, typer.Argument(help="A portrait: one person, mouth closed, head and shoulders.")],
    creator: Slug = "",
    name: Annotated[str, typer.Option(help="How the look is called; made from the file's name when left out.")] = "",
    json: Json = False,
) -> None:
    """Make a look from a creator's portrait. Needs their consent, and photo-setup once."""
    config, who = settings(), operator()
    with read_scope(config) as session:
        owner = installation.creator_by_slug(session, who, creator)
    row = avatars.look_from_photo(config, who, owner, _there(photo), name, now())
    if json:
        emit({"upload": row.id, "name": row.name, "sha256": row.sha256})
        return
    console.print(f"Made the look “{shown(row.name)}” of {shown(owner.name)}. Use it:")
    console.print(f"avatar-scheduler avatar add --creator {owner.slug} --name NAME --look {row.name}", soft_wrap=True)


def _there(path: Path) -> Path:
    if not path.exists():
        raise Invalid(f"There is no file or folder “{path}”.", code="no_file")
    return path


def avatar_add(
    creator: Slug = "",
    name: Annotated[str, typer.Option(help="How posts call it; the creator's name when left out.")] = "",
    look: Annotated[str, typer.Option(help=f"{', '.join(built_in())}, or an uploaded look's name.")] = "",
    scene: Annotated[str, typer.Option(help=f"One of: {', '.join(scenes())}.")] = "",
    voice: Annotated[str, typer.Option(help="See `voices list`; the language's own when left out.")] = "",
    performer: Annotated[str, typer.Option(help="digital_twin, fictional or third_party_likeness")] = "",
    renderer: Annotated[str, typer.Option(help=f"{BUILTIN}, {', '.join(known_vendors())}")] = BUILTIN,
    vendor_avatar: Annotated[str, typer.Option(help="What the vendor calls the avatar.")] = "",
    vendor_voice: Annotated[str, typer.Option(help="What the vendor calls its voice.")] = "",
) -> None:
    """Add an avatar to a creator who consents. What is left out is as for the creator's first avatar."""
    config = settings()
    new = avatars.New(name, look, scene, voice, performer, renderer, vendor_avatar, vendor_voice)
    with write_scope(config) as session:
        who = operator()
        owner = installation.creator_by_slug(session, who, creator)
        row = avatars.add(session, config, who, owner, new, now())
    console.print(f"Added the avatar “{shown(row.name)}” of {shown(owner.name)}.")


def avatar_list(creator: Slug = "", json: Json = False) -> None:
    """List avatars. Of each creator the first is the one meant when a post names none."""
    who = operator()
    with read_scope(settings()) as session:
        owner = installation.creator_by_slug(session, who, creator) if creator else None
        rows = avatars.listing(session, who, owner)
    if json:
        emit(rows)
        return
    table = Table("creator", "avatar", "look", "scene", "kind", "renderer", "known as")
    for row in rows:
        ids = ", ".join(f"{key} {value}" for key, value in row.known_as.items())
        table.add_row(
            shown(row.creator), shown(row.name), shown(row.look), row.scene, row.performer.replace("_", " "),
            row.renderer, shown(ids),
        )  # fmt: skip
    console.print(table if rows else "No avatars yet. Run: avatar-scheduler creator add NAME")
