"""`verify FILE`: every mark on a file, measured now."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from avatar_scheduler.cli.common import Json, console, emit, settings, shown
from avatar_scheduler.domain.errors import Invalid, NotFound, Refused
from avatar_scheduler.services import verification


def register(app: typer.Typer) -> None:
    app.command()(verify)


def verify(
    file: Annotated[Path, typer.Argument(help="A downloaded video or picture.")],
    root: Annotated[
        Path | None, typer.Option(help="Root certificate to trust; this installation's when left out.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure the label, the credentials, the XMP and the caption line of a file. Exit code 3 when one is missing."""
    if not file.is_file():
        raise NotFound(f"There is no file {file}.")
    config = settings()
    root = root or config.keys / "credentials" / "root.pem"
    try:
        pem = root.read_text()
    except (OSError, UnicodeDecodeError):
        raise Invalid(f"{root} is not a certificate. Name one with --root.", code="root") from None
    report = verification.verify(config, file, pem)
    if json:
        emit(asdict(report))
    else:
        _print(report)
    if not report.ok:
        raise Refused("Not every mark is there.", code="mark_missing")


def _print(report: verification.Report) -> None:
    console.print(f"file         sha256 {report.sha256}", soft_wrap=True)
    console.print(f"             {shown(report.origin)}", soft_wrap=True)
    for mark in report.marks:
        console.print(f"{'ok' if mark.ok else 'MISSING':<8}{mark.mark:<14}{shown(mark.summary)}", soft_wrap=True)
        if mark.measured:
            console.print(
                "        " + "  ".join(f"{k}={shown(str(v))}" for k, v in mark.measured.items()),
                soft_wrap=True,
                style="dim",
            )
    for name, value in report.credentials.items():
        console.print(f"        {name:<14}{shown(value)}", soft_wrap=True)
