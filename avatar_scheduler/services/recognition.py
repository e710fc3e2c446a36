"""Whether a file is ours: what in it leads back to something we signed, and what of that the public may know.

Whatever leads there only leads there. What is said about a post comes from our own records, after their signatures
were checked, and never from the file; and only of posts that are out.
"""

import json
import logging
import math
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_
from sqlmodel import Session, col, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.db.tables import Asset, Delivery, Render, Signing, Version
from avatar_scheduler.domain import staging
from avatar_scheduler.domain.errors import SchedulerError
from avatar_scheduler.marks import alike, signers, timestamps
from avatar_scheduler.renderers import stills
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.services import public, sight, vouching
from avatar_scheduler.services.cards import Proof
from avatar_scheduler.services.sight import Sight
from avatar_scheduler.storage import Blobs
from avatar_scheduler.uploads.incoming import Incoming
from avatar_scheduler.uploads.kinds import MB

log = logging.getLogger(__name__)
MOST_BYTES = 100 * MB
SAME, CREDENTIALS, WATERMARK, LOOKS = "same", "credentials", "watermark", "looks"
"""How a file was recognised, the surest first."""
LABEL_THERE, LABEL_GONE = 800, 400
"""Match in thousandths. In copies down to a third of the size at crf 32 the label stays above 900."""
_LENGTH_MS = 300
"""Encoders round; more was cut off or added."""
_SHAPE = 0.01
"""Two shapes nearer than this are the same."""


class Change(NamedTuple):
    """What became of the file since it was signed; pages have a sentence for each."""

    what: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Recognition:
    how: str
    delivery_id: str
    proof: Proof
    """What the public already knows of the post."""
    signing: Signing
    signed_by: str
    """Of the stored manifest, whose signature was checked just now."""
    signed_at: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Answer:
    sha256: str
    found: Recognition | None
    borrowed: bool = False
    """It carries Content Credentials of ours that belong to another file."""


def recognise(settings: Settings, incoming: Incoming) -> Answer:
    """Raises Invalid for a file that cannot be opened, Refused where none can be opened safely or others are first."""
    if led := _published(settings, Signing.sha256 == incoming.sha256):
        return Answer(incoming.sha256, _found(settings, SAME, led, (Change("nothing"),)))
    with sight.opened(settings, incoming) as seen:
        how, led = _trace(settings, seen)
        if led is None:
            claimed = seen.claimed_mark and _published(settings, Signing.mark_id == seen.claimed_mark)
            return Answer(incoming.sha256, None, borrowed=bool(claimed))
        return Answer(incoming.sha256, _found(settings, how, led, _changes(settings, led.row, seen)))


class _Led(NamedTuple):
    row: Signing
    delivery_id: str
    proof: Proof


def _trace(settings: Settings, seen: Sight) -> tuple[str, _Led | None]:
    """The surest way that leads to something published."""
    if seen.claimed == "trusted" and (led := _published(settings, Signing.mark_id == seen.claimed_mark, seen)):
        return CREDENTIALS, led
    organization, mark_id = sight.watermark(settings, seen)
    same = and_(col(Signing.mark_id) == mark_id, col(Signing.organization_id) == organization)
    if mark_id and (led := _published(settings, same, seen)):
        return WATERMARK, led
    return LOOKS, _published(settings, col(Signing.kind).startswith(seen.kind), seen, farthest=alike.NEAR)


def _published(
    settings: Settings, which: ColumnElement[bool] | bool, seen: Sight | None = None, farthest: float = alike.APART
) -> _Led | None:
    """Of the signed files whose post is out, the one that looks most like what was seen."""
    with read_scope(settings) as session:
        rows = [(_distance(row, seen), row) for row in session.exec(select(Signing).where(which))]
        for distance, row in sorted(rows, key=lambda pair: pair[0]):
            if distance > farthest:
                return None
            if proven := _proof(session, settings, row):
                return _Led(row, *proven)
    return None


def _distance(row: Signing, seen: Sight | None) -> float:
    """One row somebody damaged is like nothing; the others are looked at all the same."""
    try:
        return alike.distance(json.loads(row.prints), seen.prints) if seen else 0.0
    except (ValueError, TypeError) as problem:
        log.error("the prints of signing %s cannot be read: %s", row.id, problem)
        return math.inf


def _proof(session: Session, settings: Settings, row: Signing) -> tuple[str, Proof] | None:
    """What the public knows of the post, when it is out: every signature on the way is checked again."""
    for delivery in _deliveries(session, row):
        try:
            return delivery.id, public.proof(session, settings, delivery.id)
        except SchedulerError as error:
            log.info("signed file %s is not shown: %s", row.id, error.message)
    return None


def _deliveries(session: Session, row: Signing) -> list[Delivery]:
    render = session.get(Render, row.render_id)
    if render is None:
        return []
    query = select(Version.id).where(Version.post_id == render.post_id, col(Version.manifest).contains(row.sha256))
    mine = list(session.exec(query))
    out = select(Delivery).where(col(Delivery.version_id).in_(mine), col(Delivery.state).in_(vouching.OUT))
    return list(session.exec(out.order_by(col(Delivery.published_at), col(Delivery.id))))


def _found(settings: Settings, how: str, led: _Led, changes: tuple[Change, ...]) -> Recognition | None:
    """With the stored manifest checked against the stored file: what the file leads to must hold by itself."""
    from avatar_scheduler.marks import reading

    blobs, row, keys = Blobs(settings.blobs), led.row, settings.keys / "credentials"
    try:
        manifest = blobs.verified(row.manifest_sha256).read_bytes()
        root_pem, time_roots = signers.read_root(keys, row.organization_id), timestamps.read_roots(keys)
        said = reading.report_manifest(blobs.verified(row.sha256), manifest, root_pem, time_roots)
    except SchedulerError as error:
        log.error("signed file %s: its stored manifest cannot be checked: %s", row.id, error.message)
        return None
    if said.problem or said.mark_id != row.mark_id:
        log.error("signed file %s: its stored manifest does not hold: %s", row.id, said.problem or "another watermark")
        return None
    return Recognition(how, led.delivery_id, led.proof, row, said.signer, said.when, changes)


def _changes(settings: Settings, row: Signing, seen: Sight) -> tuple[Change, ...]:
    with read_scope(settings) as session:
        asset = session.exec(select(Asset).where(Asset.render_id == row.render_id, Asset.kind == row.kind)).one()
        order = Order.read(json.loads(session.get_one(Render, row.render_id).order))
    found = [Change("rewritten")]
    if seen.claimed != "trusted":
        found.append(Change("credentials_gone" if seen.claimed == "none" else "credentials_broken"))
    if not seen.source_type:
        found.append(Change("source_type_gone"))
    same_shape = abs(seen.width * asset.height / (seen.height * asset.width) - 1) < _SHAPE
    if (seen.width, seen.height) != (asset.width, asset.height):
        sizes = f"{asset.width}×{asset.height}", f"{seen.width}×{seen.height}"
        found.append(Change("size" if same_shape else "shape", *sizes))
    if asset.duration_ms and abs(seen.duration_ms - asset.duration_ms) > _LENGTH_MS:
        found.append(Change("length", f"{asset.duration_ms / 1000:.1f} s", f"{seen.duration_ms / 1000:.1f} s"))
    return (*found, Change(_label(order, seen) if same_shape else "label_unknown"), Change("caption_unknown"))


def _label(order: Order, seen: Sight) -> str:
    """In the first and the last frame kept: between them a person's own clip may stand."""
    from avatar_scheduler.marks import copies
    from avatar_scheduler.renderers import marking

    made = staging.read(json.loads((stills.staged(order) if order.form == "stills" else order).staging)).size
    art = marking.plate(order, made).plate
    match = min(copies.label_match(art, made, seen.frame(number), seen.size) for number in (0, -1))
    if match >= LABEL_THERE:
        return "label_there"
    return "label_gone" if match < LABEL_GONE else "label_unclear"
