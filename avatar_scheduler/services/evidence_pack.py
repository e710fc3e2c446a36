"""Everything that proves one post, in one zip that verifies without us. Two packs of the same post are the same bytes.

Nothing in it is secret: no key but public ones, no credential, no attempt's intent, no other post's log entry.
"""

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session, SQLModel, col, select

from avatar_scheduler import __version__, signing
from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Approval, Attempt, Audit, Delivery, Member, Receipt, Render, Signing, Version
from avatar_scheduler.domain.approval import PURPOSE
from avatar_scheduler.domain.disclosure import Blocked
from avatar_scheduler.domain.errors import NotFound
from avatar_scheduler.domain.version import canonical
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.services import disclosing, posts, versions
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.versions import Manifest
from avatar_scheduler.storage import Blobs

EVIDENCE = "evidence"
"""Purpose of the key that signs packs."""
INDEX, SIGNATURE, README = "pack.json", "pack.sig", "README.txt"
ROOT, TIME_ROOTS = "credentials/root.pem", "credentials/timestamp-roots.pem"
EPOCH = (2020, 1, 1, 0, 0, 0)
"""Of every member: when a pack was made is not part of it."""
ENDINGS = {"video/mp4": "mp4", "image/jpeg": "jpg", "image/png": "png", "text/vtt": "vtt"}
SHOWN = (0.0, 0.5, 1.0)
"""Of a film's length."""
READ_ME = """Evidence of one post, made by Avatar Scheduler {version}.

To check all of it, on any machine and without a network:

    pip install avatar-scheduler
    avatar-scheduler evidence verify PACK.zip

It names the first thing that does not hold. Add --root FILE with the studio's root certificate (its fingerprint is on
the studio's proof pages) to be sure that the pack is theirs: without it, everything is checked against the keys in the
pack itself.

version/      what was frozen and approved, and its seal
media/        the files as they were published
credentials/  their Content Credentials (C2PA), kept apart, and the root they are signed under
frames/       pictures at the start, the middle and the end of a film
rules/        the rules that applied, with law and source
records/      approvals, deliveries, attempts, receipts, signings
log/          entries of the hash-chained log about this post; of others in between only the hashes
keys/         public keys of the signatures
"""


def pack(session: Session, settings: Settings, who: Person, post_id: str) -> bytes:
    """The zip. Raises NotFound for a post that was never rendered, Refused for one that was tampered with."""
    post = posts.get(session, who, post_id)
    version = session.get(Version, post.version_id) if post.version_id else None
    if version is None:
        raise NotFound("This post has no version yet: there is nothing to prove. Render it first.", code="no_version")
    versions.check_seal(settings, version)
    manifest = versions.read(version)
    members = dict(_members(session, settings, version, manifest))
    members[README] = READ_ME.format(version=__version__).encode()
    for purpose in (PURPOSE, versions.SEAL):
        members[f"keys/{purpose}.public.pem"] = signing.public_pem(settings.keys, purpose).encode()
    members[f"keys/{EVIDENCE}.public.pem"] = signing.make_signing_key(settings.keys, EVIDENCE).encode()
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    index = {"format": 1, "software": f"avatar-scheduler {__version__}", "post": post.id, "files": hashes}
    members[INDEX] = canonical(index).encode()
    members[SIGNATURE] = signing.sign(settings.keys, EVIDENCE, members[INDEX]).encode()
    return _zipped(members)


def _members(session: Session, settings: Settings, version: Version, manifest: Manifest) -> Iterable[tuple[str, bytes]]:
    render, signings = _render(session, version, manifest)
    blobs = Blobs(settings.blobs)
    yield "version/manifest.json", version.manifest.encode()
    frozen = {"id": version.id, "post": version.post_id, "number": version.number, "sha256": version.sha256}
    yield "version/version.json", _json({**frozen, "seal": version.seal, "created_at": version.created_at})
    # What the vendor knows the avatar by is nobody's business, and nothing is measured by it.
    yield "version/order.json", _json(asdict(replace(Order.read(json.loads(render.order)), vendor="{}")))
    for kind, about in manifest.data["media"].items():
        path = blobs.verified(about["sha256"])
        yield f"media/{kind}.{ENDINGS[about['mime']]}", path.read_bytes()
        if kind == "video":
            yield from _frames(path)
    yield from _roots(settings, version.organization_id)
    for row in signings:
        yield f"credentials/{row.kind}.c2pa", blobs.verified(row.manifest_sha256).read_bytes()
    yield "rules/rules.json", _json(_rules(settings, manifest))
    records = _records(session, version, signings)
    for name, rows in records.items():
        yield f"records/{name}.json", _json(rows)
    yield from _log(session, version, render, records)


def _render(session: Session, version: Version, manifest: Manifest) -> tuple[Render, list[Signing]]:
    files = versions.marked_files(manifest.form, manifest.data["media"])
    query = select(Signing).where(col(Signing.sha256).in_(files), Signing.organization_id == version.organization_id)
    renders = {render.id: render for render in session.exec(select(Render).where(Render.post_id == version.post_id))}
    rows = [row for row in session.exec(query.order_by(col(Signing.kind))) if row.render_id in renders]
    if not rows:
        raise NotFound("There is no record of how this version was signed. Render it again.", code="no_signing")
    return renders[rows[0].render_id], [row for row in rows if row.render_id == rows[0].render_id]


def _roots(settings: Settings, organization: str) -> Iterable[tuple[str, bytes]]:
    from avatar_scheduler.marks import signers, timestamps

    folder = settings.keys / "credentials"
    yield ROOT, signers.read_root(folder, organization).encode()
    if time_roots := timestamps.read_roots(folder):
        yield TIME_ROOTS, time_roots.encode()


def _frames(film: Path) -> Iterable[tuple[str, bytes]]:
    import av
    from PIL import Image

    from avatar_scheduler.marks import prints

    with av.open(film) as container:
        found = prints.moments(container, container.streams.video[0], SHOWN)
        for name, frame in zip(("start", "middle", "end"), found, strict=True):
            out = io.BytesIO()
            Image.fromarray(frame.to_ndarray(format="rgb24", threads=1)).save(out, "JPEG", quality=90)
            yield f"frames/{name}.jpg", out.getvalue()


def _rules(settings: Settings, manifest: Manifest) -> dict[str, Any]:
    """By the rules of today, at the time each target was due: the manifest says under which it was frozen."""
    data, rows = manifest.data, []
    for target in data["targets"]:
        at = datetime.fromisoformat(target["due_at"])
        said = disclosing.required_for(settings, data, target["platform"], data.get("audience", ()), at)
        demanded = [asdict(said)] if isinstance(said, Blocked) else [asdict(one) for one in said]
        rows.append({"target": target["delivery"], "platform": target["platform"], "required": demanded})
    return {"frozen_under": data.get("rules", ""), "shown_by": disclosing.book(settings).version, "targets": rows}


def _records(session: Session, version: Version, signings: list[Signing]) -> dict[str, list[dict[str, Any]]]:
    given = list(session.exec(select(Approval).where(Approval.version_id == version.id)))
    parents = {row.parent_id for row in given} - {""}
    given += session.exec(select(Approval).where(col(Approval.id).in_(parents)))
    deliveries = list(session.exec(select(Delivery).where(Delivery.version_id == version.id)))
    ids = [delivery.id for delivery in deliveries]
    attempts = session.exec(select(Attempt).where(col(Attempt.delivery_id).in_(ids)))
    receipts = session.exec(select(Receipt).where(col(Receipt.delivery_id).in_(ids)))
    return {
        "approvals": [{**_row(row), "name": _name(session, row.by)} for row in _sorted(given)],
        # A lease is about a worker of today, and an intent may hold what opens an upload.
        "deliveries": [_row(row, "owner", "lease_until", "look_at", "looks", "fence") for row in _sorted(deliveries)],
        "attempts": [_row(row, "intent", "fence", "deadline_at") for row in _sorted(attempts)],
        "receipts": [_row(row, "again_at") for row in _sorted(receipts)],
        "signings": [_row(row) for row in _sorted(signings)],
    }


def _log(
    session: Session, version: Version, render: Render, records: Mapping[str, list[dict[str, Any]]]
) -> Iterable[tuple[str, bytes]]:
    """From the first entry about this post to the last. Of what others did in between, only the hashes."""
    nouns = {version.post_id, version.id, render.id, *(row["id"] for rows in records.values() for row in rows)}
    nouns |= {row["sha256"] for row in records["signings"]}
    query = select(Audit).where(col(Audit.noun_id).in_(nouns), Audit.organization_id == version.organization_id)
    mine = {row.seq: row for row in session.exec(query)}
    if not mine:
        raise NotFound("The log has no entry about this post. Run: avatar-scheduler audit verify", code="no_entries")
    between = select(Audit.seq, Audit.hash).where(col(Audit.seq) >= min(mine), col(Audit.seq) <= max(mine))
    chain = [
        _row(mine[seq], "organization_id") | {"organization": mine[seq].organization_id}
        if seq in mine else {"seq": seq, "hash": found, "withheld": True}
        for seq, found in session.exec(between.order_by(col(Audit.seq)))
    ]  # fmt: skip
    yield "log/entries.json", _json(chain)
    yield "log/checkpoint.json", _json({"seq": chain[-1]["seq"], "hash": chain[-1]["hash"]})


def _row(row: SQLModel, *without: str) -> dict[str, Any]:
    return {name: value for name, value in row.model_dump().items() if name not in without}


def _sorted(rows: Iterable[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: row.id)


def _name(session: Session, member_id: str) -> str:
    member = session.get(Member, member_id)
    return member.name if member else ""


def _json(value: object) -> bytes:
    return (json.dumps(value, default=_plain, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return list(value) if isinstance(value, frozenset | set | tuple) else str(value)


def _zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(members):
            about = zipfile.ZipInfo(name, EPOCH)
            about.external_attr = 0o644 << 16
            about.create_system = 3
            archive.writestr(about, members[name])
    return out.getvalue()
