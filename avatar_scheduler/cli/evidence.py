"""`evidence POST OUT.zip` and `evidence verify PACK.zip`: one post's proof, to take elsewhere."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from avatar_scheduler.cli.common import Json, console, emit, operator, settings, shown
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.domain.errors import Invalid, NotFound

VERIFY = "verify"


def register(app: typer.Typer) -> None:
    app.command()(evidence)


def evidence(
    post: Annotated[str, typer.Argument(metavar="POST|verify", help="A post, or the word verify.")],
    pack: Annotated[Path, typer.Argument(metavar="PACK.zip", help="Where it is written, or what is verified.")],
    root: Annotated[
        Path | None, typer.Option(help="With verify: the studio's root certificate, to be sure that it is theirs.")
    ] = None,
    json: Json = False,
) -> None:
    """Write everything that proves a post into one zip, or verify such a zip offline. Exit code 3 when it is broken."""
    if post == VERIFY:
        _verify(pack, root, as_json=json)
        return
    from avatar_scheduler.services import evidence_pack

    if pack.exists():
        raise Invalid(f"{pack} is there already. Name another file.", code="exists")
    config = settings()
    with read_scope(config) as session:
        content = evidence_pack.pack(session, config, operator(), post)
    try:
        pack.write_bytes(content)
    except OSError as error:
        raise Invalid(f"{pack} cannot be written: {error.strerror}.", code="target") from None
    console.print(
        f"Wrote {shown(str(pack))}. To check it anywhere: avatar-scheduler evidence verify {shown(pack.name)}"
    )


def _verify(pack: Path, root: Path | None, *, as_json: bool) -> None:
    from avatar_scheduler.services import evidence_check

    if not pack.is_file():
        raise NotFound(f"There is no file {pack}.")
    try:
        pem = root.read_text() if root else ""
    except (OSError, UnicodeDecodeError):
        raise Invalid(f"{root} is not a certificate.", code="root") from None
    checked = evidence_check.verify(pack, pem)
    if as_json:
        emit(asdict(checked))
        return
    console.print(f"“{shown(checked.title)}”, version {checked.version_sha256}", soft_wrap=True)
    for line in checked.lines:
        console.print(f"ok      {shown(line)}", soft_wrap=True)
    for mark in checked.marks:
        console.print(f"{'ok' if mark.ok else 'MISSING':<8}{mark.mark:<14}{shown(mark.summary)}", soft_wrap=True)
    console.print(f"Root certificate: {checked.root_fingerprint}", soft_wrap=True)
    if not checked.pinned:
        console.print("Compare it with the one on the studio's proof pages, or name it with --root.")
