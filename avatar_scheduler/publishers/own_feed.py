"""The creator's own public feed: a real channel that needs no account.

An item is one JSON object created with exclusive create, under a key taken from the delivery, so a repeated call finds
it there. The feed keeps its own ledger: one object for every call it accepted, whether it changed something or not.
"""

import contextlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import NotFound, OutcomeUnknown, Refused
from avatar_scheduler.publishers.base import (
    Absent,
    Account,
    Answer,
    Beat,
    Cleared,
    Found,
    Intent,
    Parcel,
    Request,
    unmarked,
)
from avatar_scheduler.rules.fits import media_problems
from avatar_scheduler.rules.platforms import platform
from avatar_scheduler.storage import Blobs

RULES = platform("own_feed")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Picture:
    sha256: str
    size: int
    mime: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class Item:
    """What the public sees of one delivery; everything in it comes from the approved manifest."""

    id: str
    slug: str
    creator: str
    title: str
    caption: str
    disclosure_line: str
    language: str
    created_at: str
    media_sha256: str
    """The film, or the first picture."""
    media_size: int
    mime: str
    width: int
    height: int
    duration_ms: int
    alt: str
    poster_sha256: str
    captions_sha256: str
    manifest_sha256: str
    proof_url: str
    pictures: tuple[Picture, ...] = ()
    """All of them, in their order; none for a film."""

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 -> type of everything the public may fetch."""
        known = {self.media_sha256: self.mime, self.poster_sha256: "image/jpeg", self.captions_sha256: "text/vtt"}
        known |= {picture.sha256: picture.mime for picture in self.pictures}
        return {sha256: mime for sha256, mime in known.items() if sha256}

    @property
    def shown(self) -> list[str]:
        """SHA-256 of the film, or of each picture."""
        return [picture.sha256 for picture in self.pictures] or [self.media_sha256]


def _item_of(body: bytes) -> Item:
    """Raises ValueError when it is no item."""
    try:
        values = json.loads(body)
        pictures = tuple(Picture(**picture) for picture in values.pop("pictures", []))
        return Item(**values, pictures=pictures)
    except (TypeError, AttributeError):
        raise ValueError("this is not an item of this feed") from None


def _load(path: Path) -> Item:
    """Raises ValueError when the file is no item."""
    try:
        return _item_of(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None


def _write(path: Path, body: bytes) -> None:
    """On the disk, not only on its way there: what the feed answered yes to must outlive a power cut."""
    with path.open("xb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


class Feed:
    """Items and ledger in a folder. Used by the publisher to write and by the public pages to read."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.feed
        self.blobs = Blobs(settings.feed / "media")

    def _slug_folder(self, slug: str) -> Path:
        if not slug or not all(c.isalnum() or c == "-" for c in slug):
            raise NotFound("There is no such feed.")
        return self.folder / "items" / slug

    def item(self, slug: str, key: str) -> Item | None:
        if not key.isalnum():
            return None
        path = self._slug_folder(slug) / f"{key}.json"
        try:
            return _load(path)
        except FileNotFoundError:
            return None

    def items(self, slug: str) -> list[Item]:
        """Newest first."""
        found = []
        for path in self._slug_folder(slug).glob("*.json"):
            try:
                found.append(_load(path))
            except (OSError, ValueError) as error:  # one damaged item is not the whole feed's trouble
                log.error("feed item %s cannot be read: %s", path.name, error)
        return sorted(found, key=lambda item: (item.created_at, item.id), reverse=True)

    def create(self, body: bytes) -> Item:
        """The item that is there now: this one, or an equal one from before.

        Raises ValueError for bytes that are no item, Refused when a different one has the key.
        """
        item = _item_of(body)
        path = self._slug_folder(item.slug) / f"{item.id}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.{uuid4().hex[:8]}.part")
        try:
            _write(part, body)
            os.link(part, path)  # atomic, and fails if the key is taken: the one irreversible step
            created = True
        except FileExistsError:
            created = False
        finally:
            part.unlink(missing_ok=True)
        self._write_ledger(item.slug, item.id, item, created=created)
        if not created and self.item(item.slug, item.id) != item:
            raise Refused("The feed has a different item under this key.", code="key_taken")
        return item

    def remove(self, slug: str, key: str) -> bool:
        """False when nothing was there any more. The files stay: other items may show them."""
        if not key.isalnum():
            raise NotFound("There is no such item.")
        path = self._slug_folder(slug) / f"{key}.json"
        try:
            path.unlink()
            removed = True
        except FileNotFoundError:
            removed = False
        self._write_ledger(slug, key, None, removed=removed)
        return removed

    def _write_ledger(
        self, slug: str, key: str, item: Item | None, *, created: bool = False, removed: bool = False
    ) -> None:
        folder = self.folder / "ledger"
        folder.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)  # the feed is the other side: its ledger keeps its own time
        line = {
            "at": now.isoformat(),
            "item": key,
            "slug": slug,
            "media": item.media_sha256 if item else "",
            "pictures": [picture.sha256 for picture in item.pictures] if item else [],
            "created": created,
            "removed": removed,
        }
        path = folder / f"{now:%Y%m%dT%H%M%S%f}-{uuid4().hex[:8]}.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps(line))
        part.replace(path)  # whoever reads the ledger meanwhile sees whole lines

    def ledger(self) -> list[dict[str, object]]:
        """Every call the feed ever accepted, oldest first."""
        return [json.loads(path.read_text()) for path in sorted((self.folder / "ledger").glob("*.json"))]


class OwnFeed:
    platform = "own_feed"
    home = ""

    def __init__(self, feed: Feed, base_url: str) -> None:
        self.feed = feed
        self.base_url = base_url

    def check(self, parcel: Parcel) -> None:
        if reasons := list(media_problems(RULES, parcel.media)):
            raise Refused("The feed does not take this post. " + " ".join(reasons), code="does_not_fit")
        if not parcel.media:
            raise Refused("The feed takes a video or pictures; this post has none.", code="does_not_fit")
        files = {"poster": "", "captions": ""}
        files |= {f"media{number}": part.sha256 for number, part in enumerate(parcel.media, 1)}
        item = self._item(parcel, {"key": parcel.delivery_id, "slug": parcel.creator_slug}, files)
        if reasons := unmarked(_request(item), parcel):
            raise Refused("Kept back. " + " ".join(reasons), code="mark_missing")

    def connect(self, account: Account) -> tuple[str, str]:
        return account.address, account.address

    def intent(self, parcel: Parcel, account: Account) -> Intent:
        return {"key": parcel.delivery_id, "slug": account.address}

    def upload(self, parcel: Parcel, account: Account, intent: Intent, beat: Beat) -> Mapping[str, str]:
        stored = {}
        files = {"poster": parcel.poster, "captions": parcel.captions_vtt}
        files |= {f"media{number}": part.path for number, part in enumerate(parcel.media, 1)}
        for name, path in files.items():
            beat()
            stored[name] = self.feed.blobs.put(path) if path else ""
            if path and stored[name] != path.name:  # a stored file is named by its hash
                raise Refused("A file changed while it was copied. Render the post again.", code="blob_changed")
        return stored

    def compose(
        self, parcel: Parcel, account: Account, intent: Intent, uploaded: Mapping[str, str], seconds: float
    ) -> Request:
        self.check(parcel)
        return _request(self._item(parcel, intent, uploaded))

    def commit(self, cleared: Cleared, account: Account, seconds: float) -> Answer:
        body, parcel = cleared.request.body, cleared.parcel
        try:
            item = self.feed.create(body)
        except (OSError, ValueError) as error:
            with contextlib.suppress(OSError, ValueError):
                if self.feed.item(account.address, parcel.delivery_id) is None:
                    raise Refused(f"The feed could not be written: {error}.", code="not_sent") from None
            raise OutcomeUnknown("The feed answered with an error after writing.") from None
        return Answer(object_id=item.id, url=self._url(item), details={"media_sha256": item.media_sha256})

    def read_back(self, parcel: Parcel, account: Account, intent: Intent) -> Found | Absent:
        try:
            item = self._there(intent)
        except (OSError, ValueError) as error:
            raise OutcomeUnknown(f"The feed cannot be read: {error}.") from None
        if item is None:
            return Absent("The feed has no item under this key.")
        marked = bool(item.disclosure_line) and item.caption.split("\n")[: len(parcel.lines)] == parcel.lines
        ours = item.shown == [part.sha256 for part in parcel.media] and self._whole(item)
        same = ours and item.manifest_sha256 == parcel.manifest_sha256
        return Found(item.id, self._url(item), marked=marked, same=same, ours=ours)

    def take_down(self, parcel: Parcel, account: Account, intent: Intent) -> None:
        """Whatever became of the item: the key is ours alone, and nobody else writes into the feed's folder."""
        try:
            self.feed.remove(intent["slug"], intent["key"])
        except OSError as error:
            raise OutcomeUnknown(f"The feed cannot be written: {error}.") from None

    def _whole(self, item: Item) -> bool:
        try:
            return all(self.feed.blobs.verified(sha256) for sha256 in item.shown)
        except (Refused, OSError):
            return False

    def _there(self, intent: Intent) -> Item | None:
        return self.feed.item(intent["slug"], intent["key"])

    def _url(self, item: Item) -> str:
        return f"{self.base_url}/f/{item.slug}/{item.id}"

    def _item(self, parcel: Parcel, intent: Intent, uploaded: Mapping[str, str]) -> Item:
        media = parcel.media[0]
        return Item(
            id=intent["key"],
            slug=intent["slug"],
            creator=parcel.creator_name,
            title=parcel.title,
            caption=parcel.caption,
            disclosure_line=parcel.disclosure_line,
            language=parcel.language,
            created_at=parcel.created_at.isoformat(),
            media_sha256=uploaded["media1"],
            media_size=media.size,
            mime=media.mime,
            width=media.width,
            height=media.height,
            duration_ms=media.duration_ms,
            alt=media.alt,
            poster_sha256=uploaded["poster"],
            captions_sha256=uploaded["captions"],
            manifest_sha256=parcel.manifest_sha256,
            proof_url=parcel.proof_url,
            pictures=tuple(
                Picture(uploaded[f"media{number}"], part.size, part.mime, part.width, part.height, part.alt)
                for number, part in enumerate(parcel.media, 1)
                if part.kind == "image"
            ),
        )


def _request(item: Item) -> Request:
    """The item's own JSON: what is read is what is stored."""
    body = json.dumps(asdict(item), ensure_ascii=False, indent=1).encode()
    return Request(body, "application/json", caption_at="caption", object_id=item.id)


def make(settings: Settings) -> OwnFeed:
    return OwnFeed(Feed(settings), settings.base_url)
