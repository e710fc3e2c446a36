"""The public pages show what was approved, and nothing that merely lies in the feed's folder."""

import functools
import logging
from pathlib import Path

from sqlmodel import Session

from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Approval, Delivery, Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import NotFound, SchedulerError
from avatar_scheduler.publishers.own_feed import Item, Picture
from avatar_scheduler.services import approvals, versions
from avatar_scheduler.services.versions import Manifest
from avatar_scheduler.storage import Blobs, file_sha256

log = logging.getLogger(__name__)
OUT = (DeliveryState.accepted, DeliveryState.published)


def sent(session: Session, settings: Settings, delivery_id: str) -> tuple[Delivery, Manifest, list[Approval]]:
    """A delivery that went out, with its manifest and signed approvals, oldest first. Raises NotFound or Refused."""
    row = session.get(Delivery, delivery_id)
    if row is None or row.state not in OUT:
        raise NotFound("There is no published item here.")
    manifest = versions.read(session.get_one(Version, row.version_id))
    given = approvals.given(session, row.version_id)
    if not given or any(approval.version_sha256 != manifest.sha256 for approval in given):
        raise NotFound("There is no published item here.")
    for approval in given:
        approvals.check_signature(settings, approval)
    return row, manifest, given


def is_ours(session: Session, settings: Settings, item: Item) -> bool:
    """The item says exactly what was approved for it. Anything else is logged and not shown."""
    try:
        _, manifest, _ = sent(session, settings, item.id)
    except SchedulerError as error:
        log.warning("feed item %s is not shown: %s", item.id, error.message)
        return False
    data, target = manifest.data, manifest.target(item.id)
    wanted = {
        "title": data["title"],
        "caption": data["caption"],
        "disclosure_line": data["disclosure_line"],
        "creator": data["creator"]["name"],
        "slug": target["address"] if target else "",
        "manifest_sha256": manifest.sha256,
        **_files(manifest),
    }
    same = all(getattr(item, name) == value for name, value in wanted.items())
    if not same:
        log.error("feed item %s was changed after it was published; it is not shown", item.id)
    return same


def _files(manifest: Manifest) -> dict[str, object]:
    data, pictures = manifest.data, manifest.pictures()
    if not pictures:
        media = data["media"]
        names = {"media_sha256": "video", "poster_sha256": "poster", "captions_sha256": "captions"}
        return {name: media[kind]["sha256"] for name, kind in names.items()} | {"pictures": ()}
    line = data["disclosure_line"]
    shown = tuple(
        Picture(p["sha256"], p["size"], p["mime"], p["width"], p["height"], f"{line} {p['alt']}") for p in pictures
    )
    return {"media_sha256": shown[0].sha256, "poster_sha256": "", "captions_sha256": "", "pictures": shown}


def intact(blobs: Blobs, sha256: str) -> Path:
    """The file when its bytes still have their hash; NotFound otherwise. Hashed again only when it was touched."""
    path = blobs.path(sha256)
    try:
        stat = path.stat()
    except OSError:
        raise NotFound("There is no such file.") from None
    if _hashed(path, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) != sha256:
        log.error("stored file %s was changed; it is not served", sha256)
        raise NotFound("There is no such file.")
    return path


@functools.lru_cache(maxsize=4096)
def _hashed(path: Path, inode: int, size: int, modified: int, changed: int) -> str:
    return file_sha256(path)
