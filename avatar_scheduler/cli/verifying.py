"""`verify FILE|URL`: every mark on a file, measured now, and the post it leads to."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from avatar_scheduler.cli.common import Json, console, emit, settings, shown
from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import Invalid, NotFound, Refused
from avatar_scheduler.services import verification

HOW = {
    "same": "exactly the file that was published",
    "credentials": "its Content Credentials are whole",
    "watermark": "a hidden mark leads there, which proves nothing by itself",
    "looks": "it only looks like that post",
}


def register(app: typer.Typer) -> None:
    app.command()(verify)


def verify(
    file: Annotated[str, typer.Argument(help="A video or picture: a file, or where to fetch it (https).")],
    root: Annotated[
        Path | None, typer.Option(help="Root certificate to trust; this installation's when left out.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure every mark of a file and say which post it leads to. Exit code 3 when a mark is missing."""
    config = settings()
    root = root or config.keys / "credentials" / "root.pem"
    try:
        pem = root.read_text()
    except (OSError, UnicodeDecodeError):
        raise Invalid(f"{root} is not a certificate. Name one with --root.", code="root") from None
    report = _fetched(config, file, pem) if "://" in file else _found(config, Path(file), pem)
    if json:
        emit(asdict(report))
    else:
        _print(report)
    if not report.ok:
        raise Refused("Not every mark is there.", code="mark_missing")


def _found(config: Settings, file: Path, pem: str) -> verification.Report:
    if not file.is_file():
        raise NotFound(f"There is no file {file}.")
    return verification.verify(config, file, pem)


def _fetched(config: Settings, url: str, pem: str) -> verification.Report:
    with tempfile.NamedTemporaryFile(prefix="avs-verify-") as file:
        verification.fetch(config, url, file)
        file.flush()
        return verification.verify(config, Path(file.name), pem)


def _print(report: verification.Report) -> None:
    console.print(f"file         sha256 {report.sha256}", soft_wrap=True)
    console.print(f"             {shown(report.origin)}", soft_wrap=True)
    _print_led(report)
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


def _print_led(report: verification.Report) -> None:
    if report.borrowed:
        console.print("             Its Content Credentials are ours and belong to another file: do not trust it.")
    if report.unread:
        console.print(f"             What leads back to a post was not looked for: {shown(report.unread)}")
    if led := report.led:
        console.print(f"             {HOW[led.how]}; the stored credentials were checked")
        if led.proof.item_url:
            console.print(f"             {shown(led.proof.item_url)}", soft_wrap=True)
        for change in led.changes:
            before = f": {change.before} became {change.after}" if change.before else ""
            console.print(f"             {change.what.replace('_', ' ')}{shown(before)}")
