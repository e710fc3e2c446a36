"""Published items that are no longer what was approved."""

from typing import Annotated

import typer
from rich.table import Table

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
    table = Table("incident", "found (UTC)", "creator", "title", "channel", "what", "state", "where")
    for row in rows:
        table.add_row(
            row.id[:12], when(row.found_at), shown(row.creator), shown(row.title), row.platform, row.what,
            row.state.replace("_", " "), shown(row.url),
        )  # fmt: skip
    console.print(table if rows else "No incidents.")


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
