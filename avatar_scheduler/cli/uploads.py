"""`upload add|list|remove`: pictures, sounds, films and looks that posts are made with."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from avatar_scheduler.cli.common import Json, console, emit, now, operator, settings, shown
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.services import installation, uploads
from avatar_scheduler.uploads.kinds import KINDS, size

Slug = Annotated[str, typer.Option("--creator", help="Short name of the creator; the first one when left out.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Pictures, sounds, films and looks that posts are made with.")
    commands: dict[str, Callable[..., None]] = {"add": add, "list": list_uploads, "remove": remove}
    for name, command in commands.items():
        group.command(name)(command)
    app.add_typer(group, name="upload")


def add(
    file: Annotated[Path, typer.Argument(help="The file; it stays where it is.", show_default=False)],
    kind: Annotated[str, typer.Option(help=f"One of: {', '.join(KINDS)}.")],
    name: Annotated[str, typer.Option(help="What posts call it; made from the file's name when left out.")] = "",
    creator: Slug = "",
    json: Json = False,
) -> None:
    """Check a file, write it anew without metadata, and keep that."""
    if file.is_dir():
        raise Invalid(f"{file} is not a file but a folder. Name a file.", code="upload_no_file")
    config, who = settings(), operator()
    with read_scope(config) as session:
        owner = installation.creator_by_slug(session, who, creator)
    new = uploads.New(kind, name, file.name)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    with Progress(*columns, console=console, transient=True, disable=json or not console.is_terminal) as bar:
        task = bar.add_task("Checking", total=100)
        row = uploads.add_file(
            config, who, owner, new, file, now(), lambda percent: bar.update(task, completed=percent)
        )
    if json:
        emit({"upload": row.id, "name": row.name, "kind": row.kind, "mime": row.mime, "sha256": row.sha256})
    else:
        console.print(f"Added “{shown(row.name)}” for {shown(owner.name)}: {row.kind}, {size(row.size)}.")


def list_uploads(creator: Slug = "", json: Json = False) -> None:
    """List the files there are."""
    who = operator()
    with read_scope(settings()) as session:
        owner = installation.creator_by_slug(session, who, creator) if creator else None
        rows = uploads.listing(session, who, owner)
    if json:
        emit(rows)
        return
    if not rows:
        console.print("No files yet. Add one: avatar-scheduler upload add FILE --kind image")
        return
    table = Table("creator", "name", "kind", "size", "seconds")
    for row in rows:
        seconds = f"{row.duration_ms / 1000:.1f}" if row.duration_ms else ""
        table.add_row(shown(row.slug), shown(row.name), row.kind, size(row.size), seconds)
    console.print(table)


def remove(name: Annotated[str, typer.Argument(help="As `upload list` prints it.")], creator: Slug = "") -> None:
    """Remove a file. Refused while a post that is not finished names it."""
    config, who = settings(), operator()
    with read_scope(config) as session:
        owner = installation.creator_by_slug(session, who, creator)
        row = uploads.by_name(session, who, owner, name)
    uploads.remove(config, who, row.id, now())
    console.print(f"Removed “{shown(row.name)}” of {shown(owner.name)}.")
