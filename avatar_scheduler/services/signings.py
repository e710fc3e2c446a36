"""The log of everything signed: what a file that lost its metadata is recognised by, and never shortened."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Asset, Render, Signing
from avatar_scheduler.storage import Blobs

ACTOR = "render"


def settings_of(settings: Settings) -> str:
    """What the process that signs must know of them, as it finds it in SIGNING."""
    return json.dumps({"timestamp_authority": settings.timestamp_authority, "allow_hosts": settings.allow_hosts})


def keep(blobs: Blobs, folder: Path, signed: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Stores the C2PA manifest of each signed file by its hash, outside the transaction that records it."""
    return [{**said, "manifest": blobs.put(folder / said["manifest"])} for said in signed]


def record(
    session: Session,
    render: Render,
    assets: Sequence[Asset],
    signed: Sequence[Mapping[str, str]],
    prints: Mapping[str, list[str]],
    now: datetime,
) -> None:
    """One row and one entry of the chained log for each signed file."""
    files = {asset.kind: asset.sha256 for asset in assets}
    for said in signed:
        row = Signing(
            organization_id=render.organization_id,
            render_id=render.id,
            kind=said["kind"],
            sha256=files[said["kind"]],
            mark_id=render.mark_id,
            manifest_sha256=said["manifest"],
            certificate=said["certificate"],
            timestamped_by=said["timestamped_by"],
            prints=json.dumps(prints.get(said["kind"], [])),
            signed_at=now,
        )
        session.add(row)
        note(session, row.sha256, render.organization_id, render.mark_id, said, now)


def note(
    session: Session, sha256: str, organization: str, mark_id: str, said: Mapping[str, str], now: datetime
) -> None:
    audits.append(
        session,
        at=now,
        organization=organization,
        actor=ACTOR,
        action="media.signed",
        noun="media",
        noun_id=sha256,
        data={
            "mark_id": mark_id,
            "manifest": said["manifest"],
            "certificate": said["certificate"],
            "timestamped_by": said["timestamped_by"],
        },
    )
