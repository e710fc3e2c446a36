"""What anybody may see: a creator's feed, one item, and the proof behind it."""

import json
from datetime import datetime

from sqlmodel import Session, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Approval, Audit, Creator, Member
from avatar_scheduler.domain.errors import NotFound
from avatar_scheduler.publishers.own_feed import Feed, Item
from avatar_scheduler.services import layers, pages, vouching
from avatar_scheduler.services.cards import FeedItem, FeedPage, FeedPicture, Given, Proof
from avatar_scheduler.services.versions import Manifest
from avatar_scheduler.studio import voices

BUILTIN = "builtin"


def feed(session: Session, settings: Settings, slug: str) -> FeedPage:
    """Read from the feed's own store: our tables say who, the feed says what."""
    creator = session.exec(select(Creator).where(Creator.slug == slug)).first()
    if creator is None:
        raise NotFound("There is no such feed.")
    base = f"{settings.base_url}/f/{slug}"
    items = tuple(
        _shown(settings, item) for item in Feed(settings).items(slug) if vouching.is_ours(session, settings, item)
    )
    return FeedPage(creator.name, slug, base, f"{base}/atom.xml", f"{base}/feed.json", items)


def feed_item(session: Session, settings: Settings, slug: str, item_id: str) -> FeedItem:
    try:
        item = Feed(settings).item(slug, item_id)
    except ValueError:
        item = None
    if item is None or not vouching.is_ours(session, settings, item):
        raise NotFound("There is no such item in this feed.")
    return _shown(settings, item)


def _shown(settings: Settings, item: Item) -> FeedItem:
    base = f"{settings.base_url}/f/{item.slug}"
    media = f"{base}/media"
    return FeedItem(
        id=item.id,
        title=item.title,
        caption=item.caption,
        disclosure_line=item.disclosure_line,
        language=item.language,
        published_at=datetime.fromisoformat(item.created_at),
        video_url="" if item.pictures else f"{media}/{item.media_sha256}",
        video_size=item.media_size,
        video_sha256=item.media_sha256,
        poster_url=f"{media}/{item.media_sha256 if item.pictures else item.poster_sha256}",
        captions_url=f"{media}/{item.captions_sha256}" if item.captions_sha256 else "",
        width=item.width,
        height=item.height,
        duration_ms=item.duration_ms,
        url=f"{base}/{item.id}",
        proof_url=item.proof_url,
        pictures=tuple(
            FeedPicture(f"{media}/{p.sha256}", p.alt, p.width, p.height, p.mime, p.size, p.sha256)
            for p in item.pictures
        ),
    )


def proof(session: Session, settings: Settings, delivery_id: str) -> Proof:
    """Shown once the delivery was sent; before that there is nothing to prove to strangers."""
    row, manifest, given = vouching.sent(session, settings, delivery_id)
    approval = given[-1]
    data, pictures = manifest.data, tuple(picture["sha256"] for picture in manifest.pictures())
    return Proof(
        title=data["title"],
        creator=data["creator"]["name"],
        creator_slug=data["creator"]["slug"],
        approved_by=_name(session, approval),
        approved_how="standing" if approval.parent_id else "person",
        approved_at=approval.decided_at,
        published_at=row.published_at,
        version_hash=manifest.sha256,
        media_hash=pictures[0] if pictures else data["media"]["video"]["sha256"],
        engine=data["engine"],
        voice="" if pictures else _voice(manifest),
        marks=layers.of_version(session, settings, manifest, [row], approval.decided_at).layers,
        targets=pages.targets(session, [row]),
        audit_hash=_entry(session, approval.id),
        item_url=next((t.url for t in pages.targets(session, [row])), ""),
        root_fingerprint=_fingerprint(settings),
        yeses=tuple(
            Given(yes.stage, _name(session, yes), yes.acted_as, yes.grade, yes.decided_at)
            for yes in sorted(given, key=lambda yes: (yes.stage, yes.decided_at))
        ),
        pictures=pictures,
        sponsored=data.get("sponsored", ""),
    )


def _voice(manifest: Manifest) -> str:
    """Who is heard: a synthetic voice by its name, a vendor's, or a person's recording."""
    staging = json.loads(manifest.data.get("staging", "{}"))
    if staging.get("recording"):
        return "a person, recorded"
    if (renderer := manifest.data.get("renderer", BUILTIN)) != BUILTIN:
        return str(renderer)
    language: str = manifest.data["language"]
    voice = voices.choose(language, staging.get("voice", ""))
    return f"{voice.name}, {voice.engine}"


def _name(session: Session, approval: Approval) -> str:
    member = session.get(Member, approval.by)
    return member.name if member else "somebody who left"


def _entry(session: Session, approval_id: str) -> str:
    row = session.exec(select(Audit).where(Audit.noun == "approval", Audit.noun_id == approval_id)).first()
    return row.hash if row else ""


def _fingerprint(settings: Settings) -> str:
    """SHA-256 of the root certificate that `verify` trusts."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    pem = (settings.keys / "credentials" / "root.pem").read_bytes()
    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()
