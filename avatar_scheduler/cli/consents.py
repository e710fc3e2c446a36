"""Consents at the terminal: looking, renewing one's own, withdrawing, and taking the proof out."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from avatar_scheduler.cli.common import Json, console, emit, now, operator, settings, shown, when
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.domain.errors import Conflict, NotFound
from avatar_scheduler.services import consent_proofs, installation, ledger, withdrawal

Slug = Annotated[str, typer.Option("--creator", help="Short name of the creator; the first one when left out.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="A creator's permission.")
    for verb, command in (("show", show), ("renew", renew), ("revoke", revoke), ("proof", proof)):
        group.command(verb)(command)
    app.add_typer(group, name="consent")


def show(creator: Slug = "", as_json: Json = False) -> None:
    """Say what a creator consented to, who gave it, and what proves it."""
    config = settings()
    with read_scope(config) as session:
        who = operator()
        entry = ledger.of(session, who, installation.creator_by_slug(session, who, creator).slug, now())
    said = {"creator": entry.slug, "state": entry.state, **_scope(entry)}
    said["link"] = f"{config.base_url}/onboarding/{entry.slug}"
    if as_json:
        emit([said])
        return
    for name, value in said.items():
        console.print(f"{name.replace('_', ' ')}: {shown(value)}", soft_wrap=True)


def _scope(entry: ledger.Entry) -> dict[str, str]:
    grant = entry.grant
    if grant is None:
        return {}
    return {
        "rights": ", ".join(sorted(grant.rights)) or "none",
        "live": "yes" if grant.live else "no",
        "sponsored": "yes" if grant.sponsored else "no",
        "platforms": ", ".join(sorted(grant.platforms)) or "every one",
        "languages": ", ".join(sorted(grant.languages)) or "any",
        "brands_excluded": ", ".join(sorted(grant.brands_excluded)) or "none",
        "until": f"{when(grant.ends_at, entry.zone)} {entry.zone}",
        "given_by": entry.given_by + (" at the terminal" if entry.at_terminal else ""),
        "proof": f"a film, SHA-256 {entry.proof.sha256}" if entry.proof else "none: it is somebody's word",
    }


def renew(
    creator: Slug = "",
    days: Annotated[int, typer.Option(min=1, max=366, help="How long the consent given now lasts.")] = 365,
) -> None:
    """Record that a creator consents again, from now on. Posts made before are rendered and approved anew."""
    with write_scope(settings()) as session:
        who = operator()
        row = installation.creator_by_slug(session, who, creator)
        ends = installation.renew_consent(session, who, row, days, now()).ends_at
    console.print(f"{shown(row.name)} consents until {when(ends, row.zone)} {row.zone}.")


def revoke(creator: Slug = "") -> None:
    """Withdraw a creator's consent: from now on nothing of theirs goes out, and nothing is rendered."""
    with write_scope(settings()) as session:
        who = operator()
        row = installation.creator_by_slug(session, who, creator)
        gone = withdrawal.withdraw(session, who, row, now())
        public = withdrawal.still_public(session, who, row)
    console.print(
        f"Withdrew {gone.consents} consent for {shown(row.name)}. Kept back: {gone.kept_back}. Renders stopped: "
        f"{gone.renders}. Standing approvals ended: {gone.standing}.",
        soft_wrap=True,
    )
    if gone.leaving:
        console.print(f"On their way when you asked, and not to be called back: {gone.leaving}.")
    for one in public:
        console.print(f"Still public: {shown(one.title)} on {one.platform}, {shown(one.url)}", soft_wrap=True)
    if public:
        console.print(f"Take them down one by one: {settings().base_url}/creators/{row.slug}#public", soft_wrap=True)


def proof(
    to: Annotated[Path, typer.Argument(help="Where to write the film.")],
    creator: Slug = "",
) -> None:
    """Write out the film that proves a consent, and print the sentence to listen for."""
    config = settings()
    with read_scope(config) as session:
        who = operator()
        row = installation.creator_by_slug(session, who, creator)
        entry = ledger.of(session, who, row.slug, now())
        if entry.proof is None:
            raise NotFound(f"There is no recording of {row.name}'s consent.", code="no_proof")
        file, sha256 = consent_proofs.film(session, config, who, row.slug, entry.proof.id)
    if to.exists():
        raise Conflict(f"{to} is there already. Name another file.", code="file_there")
    shutil.copyfile(file.path, to)
    console.print(f"{to}: SHA-256 {sha256}. The sentence is: {shown(entry.proof.phrase)}", soft_wrap=True)
