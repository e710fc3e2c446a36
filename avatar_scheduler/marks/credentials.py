"""Content Credentials (C2PA): the signed statement inside the file that this was made by AI, and by whom."""

import json
import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import c2pa

from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.marks import containers, signers, statement, timestamps
from avatar_scheduler.marks.chain import make_chain
from avatar_scheduler.marks.reading import CredentialsReport, first_line, measure, report, report_manifest, settings
from avatar_scheduler.marks.signers import Signer, read_root
from avatar_scheduler.marks.statement import Ingredient
from avatar_scheduler.outbound import Outbound

__all__ = [
    "CredentialsReport",
    "Ingredient",
    "Signed",
    "make_chain",
    "manifest_of",
    "measure",
    "read_root",
    "report",
    "report_manifest",
    "sign",
]

ALGORITHMS = {"ES256": c2pa.C2paSigningAlg.ES256, "ES384": c2pa.C2paSigningAlg.ES384}


@dataclass(frozen=True)
class Signed:
    manifest: bytes
    """The C2PA manifest store as it stands in the file: what remains when the file is stripped."""
    certificate: str
    """Serial number of the leaf, in hex."""
    timestamped_by: str
    """Who countersigned the time; empty when nobody was asked."""


def sign(
    source: Path,
    target: Path,
    *,
    folder: Path,
    title: str,
    software: str,
    when: datetime,
    ingredient: Ingredient | None = None,
    placed: Sequence[Ingredient] = (),
    mark_id: str = "",
    organization: str = "",
    timestamp_authority: str = "",
    outbound: Outbound | None = None,
) -> Signed:
    """Writes a signed copy; nothing may touch the file after. `software` is this program's version.

    With an `ingredient` the manifest says that it was opened and edited, otherwise that the file was created here;
    `placed` went into the picture. `mark_id` is the watermark's, `organization` the id whose own signer goes first.
    With a `timestamp_authority` (the address of an RFC 3161 service, called through `outbound`) nothing is signed
    without its stamp. Raises Refused when nobody can sign or stamp, Invalid when the media cannot be signed.
    """
    signer = signers.open_signer(folder, when, organization)
    roots = timestamps.demand_roots(folder) if timestamp_authority else ""
    labels = [f"placed-{number}" for number in range(1, len(placed) + 1)]
    said = statement.manifest(
        title, software, when,
        provider=signer.provider, mark_id=mark_id, opened=ingredient is not None, placed=labels,
    )  # fmt: skip
    parents = [] if ingredient is None else [("parentOf", statement.OPENED, ingredient)]
    parts = [("componentOf", label, part) for label, part in zip(labels, placed, strict=True)]
    partial = target.with_name(f"{target.stem}.signing{target.suffix}")
    stamps = timestamps.relay(timestamp_authority, outbound or Outbound()) if timestamp_authority else nullcontext()
    try:
        with stamps as relay:
            manifest = _sign(source, partial, said, [*parents, *parts], signer, relay)
        by = _stamped_by(manifest, signer.root_pem, roots) if roots else ""
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return Signed(manifest, signer.serial, by)


def _sign(
    source: Path,
    partial: Path,
    said: dict[str, Any],
    ingredients: list[tuple[str, str, Ingredient]],
    signer: Signer,
    relay: timestamps.Relay | None,
) -> bytes:
    refused: list[Refused] = []
    try:
        builder = c2pa.Builder(said, context=_context(signer, refused, relay))
        for relationship, label, ingredient in ingredients:
            named = {"title": ingredient.title, "relationship": relationship, "label": label}
            with ingredient.path.open("rb") as file:
                builder.add_ingredient(json.dumps(named), ingredient.media_type, file)
        manifest: bytes = builder.sign_file(source, partial)
    except c2pa.C2paError as problem:
        if relay and relay.refused:
            refused.append(relay.refused)
        answered = relay is not None and relay.answered
        raise (refused[0] if refused else _plain(problem, source, partial, answered)) from problem
    return manifest


def _plain(problem: Exception, source: Path, partial: Path, stamped: bool) -> Refused | Invalid:
    if shutil.disk_usage(partial.parent).free < 2 * source.stat().st_size:
        return Refused("The disk is full. Free some space, then render it again; nothing was kept.", code="disk_full")
    if stamped:
        return timestamps.failed("what it sent is no stamp for this signature")
    return Invalid(f"{source.name} cannot be signed: {first_line(problem)}. Render it again.")


def _stamped_by(manifest: bytes, root_pem: str, roots: str) -> str:
    """c2pa keeps a stamp that nobody vouches for, and counts it for nothing when the certificate has ended."""
    said = report_manifest(None, manifest, root_pem, time_roots=roots)
    if not said.stamped_by:
        raise timestamps.failed(f"its certificate does not lead to those in {timestamps.ROOTS}")
    return said.stamped_by


def _context(signer: Signer, refused: list[Refused], relay: timestamps.Relay | None = None) -> c2pa.Context:
    """For one signature: 0.6 ms, and what the signer said when it would not ends up in `refused`."""

    def call(data: bytes) -> bytes:
        try:
            return signer.sign(data)
        except Refused as why:
            refused.append(why)
            return b""  # to c2pa: failed

    url = relay.url if relay else None
    callback = c2pa.Signer.from_callback(call, ALGORITHMS[signer.algorithm], signer.chain_pem, url)
    return c2pa.Context(settings=c2pa.Settings.from_dict(settings(signer.root_pem)), signer=callback)


def manifest_of(media: Path) -> bytes:
    """The C2PA manifest store in an MP4, JPEG or PNG; empty when it has none. Raises Invalid when it is damaged."""
    return containers.of(media).manifest(media)
