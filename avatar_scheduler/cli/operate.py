"""Day-to-day: the queue, the kill switch, the audit log."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from avatar_scheduler.audit import Verdict
from avatar_scheduler.cli.common import Json, console, emit, now, operator, settings, shown, when
from avatar_scheduler.db import audits
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.domain.errors import Invalid, NotFound, Refused
from avatar_scheduler.services import audit_export, checkpoints, history, holds, installation, pages


def register(app: typer.Typer) -> None:
    app.command()(queue)
    hold = typer.Typer(no_args_is_help=True, help="Stop everything from going out, and start again.")
    hold.command("on")(hold_on)
    hold.command("off")(hold_off)
    app.add_typer(hold, name="hold")
    audit = typer.Typer(no_args_is_help=True, help="The log of who did what.")
    audit.command("verify")(audit_verify)
    audit.command("export")(audit_export_to)
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


def audit_verify(
    checkpoint: Annotated[
        Path | None, typer.Option(help="Checkpoints kept elsewhere: a file of them, or a saved letter.")
    ] = None,
    export: Annotated[Path | None, typer.Option(help="Check this exported log instead; needs no database.")] = None,
    json: Json = False,
) -> None:
    """Check that no entry of the log was changed, removed, reordered or written by somebody else."""
    verdict = _of_export(export) if export else _of_database(checkpoint)
    if json:
        emit(verdict)
    if not verdict.ok:
        raise Refused(f"The audit log is broken. {verdict.problem}", code="audit")
    if not json:
        console.print(f"Intact: {verdict.entries} entries, head {verdict.head[:16]}.")
        if export:
            console.print("The seals were not checked: that needs the key of the installation it came from.")


def _of_database(path: Path | None) -> Verdict:
    config = settings()
    known = checkpoints.read_file(config, path) if path else None
    with read_scope(config) as session:
        verdict = audits.check(session, history.head(config), known)
    history.watch(config, history.head(config), whole=True)
    return verdict


def _of_export(path: Path) -> Verdict:
    try:
        with path.open(encoding="utf-8") as file:
            return audit_export.check(file)
    except (OSError, UnicodeDecodeError) as why:
        raise Invalid(f"{path} cannot be read as an exported log.", code="export") from why


def audit_export_to(
    path: Annotated[Path, typer.Argument(help="Where to; a file that is there is not replaced.")],
    organization: Annotated[str, typer.Option(help="Its id. Not needed while there is only one.")] = "",
    table: Annotated[bool, typer.Option("--csv", help="For a spreadsheet; cannot be verified.")] = False,
) -> None:
    """Write an organization's part of the log, with its checkpoints, into a file that can be checked anywhere."""
    who, config = operator(), settings()
    if organization and organization != who.organization_id:
        raise NotFound("There is no organization of that id that you own.", code="organization")
    try:
        with path.open("x", encoding="utf-8") as file, read_scope(config) as session:
            lines = audit_export.table(session, who) if table else audit_export.lines(session, config, who)
            count = sum(file.write(f"{line}\n") > 0 for line in lines)
    except OSError as why:
        raise Invalid(f"{path} cannot be written: {why.strerror}.", code="export_file") from why
    console.print(f"Wrote {count} lines to {shown(str(path))}.")
