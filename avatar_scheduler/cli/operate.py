"""Day-to-day: the queue, the kill switch, the audit log."""

from typing import Annotated

import typer
from rich.table import Table

from avatar_scheduler.cli.common import Json, console, emit, now, operator, settings, shown, when
from avatar_scheduler.db import audits
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.services import history, holds, installation, pages


def register(app: typer.Typer) -> None:
    app.command()(queue)
    hold = typer.Typer(no_args_is_help=True, help="Stop everything from going out, and start again.")
    hold.command("on")(hold_on)
    hold.command("off")(hold_off)
    app.add_typer(hold, name="hold")
    audit = typer.Typer(no_args_is_help=True, help="The log of who did what.")
    audit.command("verify")(audit_verify)
    app.add_typer(audit, name="audit")


def queue(json: Json = False) -> None:
    """What goes out next, and what is on its way."""
    who = operator()
    with read_scope(settings()) as session:
        rows = pages.going_out(session, who)
        held = holds.active(session, who)
    if json:
        emit({"holds": [h.model_dump() for h in held], "deliveries": rows})
        return
    for h in held:
        console.print(
            f"[bold]On hold[/bold] since {when(h.since)} UTC ({h.scope}): {shown(h.reason) or 'no reason given'}"
        )
    table = Table("goes out", "zone", "title", "channel", "state", "reason")
    for row in rows:
        channel = f"{row.target.platform}:{row.target.address}"
        t = row.target
        table.add_row(
            when(t.due_at, t.zone), t.zone, shown(row.title), channel, t.state.replace("_", " "), shown(t.reason)
        )
    console.print(table if rows else "Nothing is queued.")


def hold_on(
    reason: Annotated[str, typer.Argument(help="Why; shown to everybody.")] = "",
    creator: Annotated[str, typer.Option(help="Only this creator.")] = "",
    everything: Annotated[bool, typer.Option("--everything", help="Every tenant on this machine.")] = False,
) -> None:
    """Nothing leaves from now on. What is due waits, at most until its latest start."""
    with write_scope(settings()) as session:
        who = operator()
        scope, target = "everything" if everything else "organization", ""
        if creator and not everything:
            scope, target = "creator", installation.creator_by_slug(session, who, creator).id
        holds.put(session, who, scope, target, reason, now())
    console.print("Hold is on. Nothing goes out.")


def hold_off() -> None:
    """Lift every hold. What is still within its time goes out now."""
    with write_scope(settings()) as session:
        count = holds.lift(session, operator(), now())
    console.print(f"Lifted {count}.")


def audit_verify(json: Json = False) -> None:
    """Check that no entry of the log was changed, removed or reordered."""
    config = settings()
    with read_scope(config) as session:
        verdict = audits.check(session, history.head(config))
    if json:
        emit(verdict)
    history.watch(config, history.head(config), whole=True)
    if not verdict.ok:
        raise Refused(f"The audit log is broken. {verdict.problem}", code="audit")
    if not json:
        console.print(f"Intact: {verdict.entries} entries, head {verdict.head[:16]}.")
