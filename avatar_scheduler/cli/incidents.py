"""Published items that are no longer what was approved."""

from typing import Annotated

import typer

from avatar_scheduler.cli.common import Json, console, emit, now, operator, settings, shown, when
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.services import incidents

Id = Annotated[str, typer.Argument(help="As `incident list` prints it.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Published items that are no longer what was approved.")
    group.command("list")(list_)
    group.command("close")(close)
    group.command("takedown")(takedown)
    app.add_typer(group, name="incident")


def list_(
    closed: Annotated[bool, typer.Option("--all", help="Also those that were closed.")] = False, as_json: Json = False
) -> None:
    """List what was found changed or gone when it was read back."""
    with read_scope(settings()) as session:
        rows = incidents.listing(session, operator(), closed=closed)
    if as_json:
        emit(rows)
        return
    for row in rows:
        console.print(f"{row.id[:12]}  {when(row.found_at)} UTC  {row.state.replace('_', ' ')}")
        console.print(f"  {shown(row.creator)}, {shown(row.title)}, on {row.platform}: {row.what}", soft_wrap=True)
        console.print(f"  {shown(row.url)}", soft_wrap=True)
    if not rows:
        console.print("No incidents.")


def close(incident_id: Id) -> None:
    """Say that you have seen to it. A takedown that has not happened yet is called off."""
    with write_scope(settings()) as session:
        incidents.close(session, operator(), incident_id, now())
    console.print("Closed.")


def takedown(incident_id: Id) -> None:
    """Remove the item from its platform. The publish worker does it, and asks again until the platform answers."""
    with write_scope(settings()) as session:
        incidents.take_down(session, operator(), incident_id, now())
    console.print("It will be taken down. See: avatar-scheduler incident list")
