"""Turning an approved manifest into the parcel a publisher sends, with every byte hashed again."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlmodel import Session

from avatar_scheduler import vault
from avatar_scheduler.config import Settings
from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.db.tables import Channel, Delivery, Version
from avatar_scheduler.domain.disclosure import RequiredMark
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.publishers import publisher
from avatar_scheduler.publishers.base import Account, MediaPart, Parcel, Publisher
from avatar_scheduler.services import disclosing
from avatar_scheduler.services.disclosing import VIDEO
from avatar_scheduler.services.versions import Manifest, read
from avatar_scheduler.storage import Blobs


def verify(settings: Settings, parcel: Parcel) -> None:
    """Hashes every file again. Raises Refused when one is gone or no longer hashes to its name."""
    blobs = Blobs(settings.blobs)
    for path in (*(part.path for part in parcel.media), parcel.captions_vtt, parcel.poster):
        if path is not None:
            blobs.verified(path.name)


def describe(
    settings: Settings, delivery: Delivery, attempt_id: str, manifest: Manifest, required: Iterable[RequiredMark]
) -> Parcel:
    """Reads the manifest, and no file."""
    data, blobs = manifest.data, Blobs(settings.blobs)
    film = data["media"] if manifest.form == VIDEO else None
    _target(manifest, delivery)
    return Parcel(
        delivery_id=delivery.id,
        attempt_id=attempt_id,
        manifest_sha256=manifest.sha256,
        creator_name=data["creator"]["name"],
        creator_slug=data["creator"]["slug"],
        title=data["title"],
        caption=data["caption"],
        disclosure_line=data["disclosure_line"],
        language=data["language"],
        media=tuple(_parts(blobs, manifest)),
        captions_vtt=blobs.path(film["captions"]["sha256"]) if film else None,
        poster=blobs.path(film["poster"]["sha256"]) if film else None,
        created_at=delivery.due_at,
        proof_url=f"{settings.base_url}/proof/{delivery.id}",
        required=tuple(required),
    )


def _target(manifest: Manifest, delivery: Delivery) -> dict[str, Any]:
    target = manifest.target(delivery.id)
    if target is None:
        raise Refused("The delivery is not in its version.", code="delivery_changed")
    return target


def as_ruled(settings: Settings, delivery: Delivery, attempt_id: str, manifest: Manifest, at: datetime) -> Parcel:
    """`describe` with what the rules asked for at `at`. Raises Refused for what they did not allow."""
    target, audience = _target(manifest, delivery), manifest.data.get("audience", ())
    required = disclosing.demanded(settings, manifest.data, target["platform"], audience, at)
    return describe(settings, delivery, attempt_id, manifest, required)


def _parts(blobs: Blobs, manifest: Manifest) -> Iterator[MediaPart]:
    """A film, or the pictures in their order. What is read out for them says AI first."""
    data = manifest.data
    shown = manifest.pictures() or [{**data["media"]["video"], "alt": data["title"]}]
    for media in shown:
        yield MediaPart(
            kind="video" if manifest.form == VIDEO else "image",
            sha256=media["sha256"],
            path=blobs.path(media["sha256"]),
            mime=media["mime"],
            size=media["size"],
            width=media["width"],
            height=media["height"],
            duration_ms=media["duration_ms"],
            alt=f"{data['disclosure_line']} {media['alt']}",
        )


def sent(settings: Settings, delivery_id: str) -> tuple[Parcel, Channel, dict[str, str]]:
    """What the last attempt sent, where, and its intent.

    Raises Refused when the version is no longer what was frozen: then only a person can tell what is out there.
    """
    with read_scope(settings) as session:
        row = session.get_one(Delivery, delivery_id)
        manifest = read(session.get_one(Version, row.version_id))
        attempt = rows.last_attempt(session, row.id)
        parcel = as_ruled(settings, row, attempt.id, manifest, attempt.started_at)
        return parcel, session.get_one(Channel, row.channel_id), json.loads(attempt.intent)


def check_fits(session: Session, settings: Settings, version: Version) -> None:
    """Raises Refused when a platform will not take this version: nobody should review what cannot go out."""
    manifest = read(version)
    for target in manifest.data["targets"]:
        delivery, due_at = session.get_one(Delivery, target["delivery"]), datetime.fromisoformat(target["due_at"])
        publisher(target["platform"], settings).check(as_ruled(settings, delivery, "", manifest, due_at))


def address(settings: Settings, channel: Channel) -> tuple[Publisher, Account]:
    """The publisher and the opened account. Only the publish worker holds the key that opens credentials."""
    secrets: dict[str, str] = {}
    if channel.sealed:
        opener = vault.Opener(settings.keys / "vault.private.pem")
        belongs = vault.Belongs(channel.organization_id, channel.id, "credentials")
        secrets = json.loads(opener.open(channel.sealed, belongs))
    account = Account(channel.id, channel.platform, channel.address, channel.endpoint, secrets)
    return publisher(channel.platform, settings), account
