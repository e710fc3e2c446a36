"""Which stored files a person, or the public, may fetch."""

from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Asset
from avatar_scheduler.domain.errors import NotFound
from avatar_scheduler.publishers.own_feed import Feed
from avatar_scheduler.services import vouching
from avatar_scheduler.services.people import Person
from avatar_scheduler.storage import Blobs


@dataclass(frozen=True)
class MediaFile:
    path: Path
    mime: str


def blob(session: Session, settings: Settings, who: Person, sha256: str) -> MediaFile:
    query = select(Asset).where(Asset.sha256 == sha256, Asset.organization_id == who.organization_id)
    asset = session.exec(query).first()
    if asset is None:
        raise NotFound("There is no such file.")
    return MediaFile(vouching.intact(Blobs(settings.blobs), sha256), asset.mime)


def public_blob(session: Session, settings: Settings, slug: str, sha256: str) -> MediaFile:
    """A file of a published item, from the feed's own store."""
    feed = Feed(settings)
    for item in feed.items(slug):
        if sha256 in item.files and vouching.is_ours(session, settings, item):
            return MediaFile(vouching.intact(feed.blobs, sha256), item.files[sha256])
    raise NotFound("There is no such file.")
