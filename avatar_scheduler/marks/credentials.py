"""Content Credentials (C2PA): the signed statement inside the file that this was made by AI, and by whom."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import c2pa

from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.marks import containers, signers, statement
from avatar_scheduler.marks.chain import make_chain
from avatar_scheduler.marks.reading import CredentialsReport, first_line, measure, report, report_manifest, settings
from avatar_scheduler.marks.signers import Signer, read_root
from avatar_scheduler.marks.statement import Ingredient

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
) -> Signed:
    """Writes a signed copy; nothing may touch the file after. `software` is this program's version.

    With an `ingredient` the manifest says that it was opened and edited, otherwise that the file was created here;
    `placed` went into the picture. `mark_id` is the watermark's, `organization` the id whose own signer goes first.
    Raises Refused when nobody can sign or the time cannot be stamped, Invalid when the media cannot be signed.
    """
    if timestamp_authority:
        raise Refused("Time stamps are not there yet. Empty AVATAR_SCHEDULER_TIMESTAMP_AUTHORITY.", code="timestamp")
    signer = signers.open_signer(folder, when, organization)
    labels = [f"placed-{number}" for number in range(1, len(placed) + 1)]
    said = statement.manifest(
        title, software, when,
        provider=signer.provider, mark_id=mark_id, opened=ingredient is not None, placed=labels,
    )  # fmt: skip
    parents = [] if ingredient is None else [("parentOf", statement.OPENED, ingredient)]
    parts = [("componentOf", label, part) for label, part in zip(labels, placed, strict=True)]
    return Signed(_sign(source, target, said, [*parents, *parts], signer), signer.serial, "")


def _sign(
    source: Path, target: Path, said: dict[str, Any], ingredients: list[tuple[str, str, Ingredient]], signer: Signer
) -> bytes:
    refused: list[Refused] = []
    partial = target.with_name(f"{target.stem}.signing{target.suffix}")
    try:
        builder = c2pa.Builder(said, context=_context(signer, refused))
        for relationship, label, ingredient in ingredients:
            named = {"title": ingredient.title, "relationship": relationship, "label": label}
            with ingredient.path.open("rb") as file:
                builder.add_ingredient(json.dumps(named), ingredient.media_type, file)
        manifest: bytes = builder.sign_file(source, partial)
        partial.replace(target)
    except c2pa.C2paError as problem:
        raise _plain(problem, source, target, refused) from problem
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def _plain(problem: Exception, source: Path, target: Path, refused: list[Refused]) -> Refused | Invalid:
    if refused:
        return refused[0]
    if shutil.disk_usage(target.parent).free < 2 * source.stat().st_size:
        return Refused("The disk is full. Free some space, then render it again; nothing was kept.", code="disk_full")
    return Invalid(f"{source.name} cannot be signed: {first_line(problem)}. Render it again.")


def _context(signer: Signer, refused: list[Refused]) -> c2pa.Context:
    """For one signature: 0.6 ms, and what the signer said when it would not ends up in `refused`."""

    def call(data: bytes) -> bytes:
        try:
            return signer.sign(data)
        except Refused as why:
            refused.append(why)
            return b""  # to c2pa: failed

    callback = c2pa.Signer.from_callback(call, ALGORITHMS[signer.algorithm], signer.chain_pem, None)
    return c2pa.Context(settings=c2pa.Settings.from_dict(settings(signer.root_pem)), signer=callback)


def manifest_of(media: Path) -> bytes:
    """The C2PA manifest store in an MP4, JPEG or PNG; empty when it has none. Raises Invalid when it is damaged."""
    return containers.of(media).manifest(media)
