"""What is written to Bluesky: one record, the same for the same parcel, always."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.publishers import flags
from avatar_scheduler.publishers.base import Beat, Parcel, Request
from avatar_scheduler.rules.fits import media_problems, text_problems
from avatar_scheduler.rules.platforms import platform

RULES = platform("bluesky")
LABEL, TAG = RULES.word("ai_label"), RULES.word("ai_tag")
COLLECTION = "app.bsky.feed.post"
CHUNK = 1024 * 1024

LINK_OR_TAG = re.compile(r"https?://[^\s<>\"“”]+|(?<!\S)#[^\W\d]\w{0,62}")
TID_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Blob:
    path: Path
    sha256: str
    size: int
    mime: str

    @property
    def cid(self) -> str:
        """CIDv1, raw, SHA-256: the server must come to the same name for the same bytes."""
        return "b" + base64.b32encode(b"\x01\x55\x12\x20" + bytes.fromhex(self.sha256)).decode().lower().rstrip("=")

    def reference(self) -> dict[str, Any]:
        return {"$type": "blob", "ref": {"$link": self.cid}, "mimeType": self.mime, "size": self.size}

    def chunks(self, beat: Beat) -> Iterator[bytes]:
        """Holds the last chunk back until the hash of all of it is right, so that wrong bytes never arrive whole."""
        digest, size, held = hashlib.sha256(), 0, b""
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                if held:
                    yield held
                    beat()
                held = chunk
        if digest.hexdigest() != self.sha256 or size != self.size:
            raise Refused("The media changed after it was approved. Render the post again.", code="blob_changed")
        yield held


def record_key(delivery_id: str, created_at: datetime) -> str:
    """A TID (https://atproto.com/specs/tid): 53 bits of microseconds and 10 of clock in 13 sortable letters.

    Everything below the second comes from the delivery, so that deliveries of the same instant get different keys.
    """
    digest = int.from_bytes(hashlib.sha256(delivery_id.encode()).digest()[:8])
    microseconds = int(created_at.timestamp()) * 1_000_000 + (digest >> 10) % 1_000_000
    number = microseconds << 10 | digest & 0x3FF
    return "".join(TID_LETTERS[number >> shift & 31] for shift in range(60, -1, -5))


def timestamp(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def post_record(parcel: Parcel, created_at: str) -> dict[str, Any]:
    record: dict[str, Any] = {
        "$type": COLLECTION,
        "text": parcel.caption,
        "createdAt": created_at,
        "langs": [parcel.language],
        "tags": [TAG],
        "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": LABEL}]},
    }
    if facets := _facets(parcel.caption):
        record["facets"] = facets
    if parcel.media:
        record["embed"] = _embed(parcel)
    return record


def put_request(did: str, key: str, record: Mapping[str, Any]) -> bytes:
    request = {
        "repo": did,
        "collection": COLLECTION,
        "rkey": key,
        "validate": True,
        "swapRecord": None,  # only if nothing is there
        "record": record,
    }
    return json.dumps(request, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def delete_request(did: str, key: str, cid: str) -> bytes:
    """`cid` names the revision: one that was edited since is left alone."""
    request = {"repo": did, "collection": COLLECTION, "rkey": key, "swapRecord": cid}
    return json.dumps(request, sort_keys=True).encode()


def request_of(parcel: Parcel, did: str, key: str, created_at: str) -> Request:
    """Without an address: enough to be read before anybody signs in."""
    return Request(
        put_request(did, key, post_record(parcel, created_at)),
        "application/json",
        caption_at="record.text",
        object_id=f"at://{did}/{COLLECTION}/{key}",
    )


def is_marked(there: Mapping[str, Any], parcel: Parcel) -> bool:
    """What the server shows still has the flags and lines it was sent with."""
    text, whole = there.get("text"), json.dumps({"record": there}).encode()
    if not isinstance(text, str) or text.split("\n")[: len(parcel.lines)] != parcel.lines:
        return False
    return parcel.required != () and not flags.lacking(parcel.required, whole, "application/json")


def shows_media_of(there: Mapping[str, Any], parcel: Parcel) -> bool:
    """The same files under the same names, whatever else was edited."""
    return bool(parcel.media) and _files(there.get("embed")) == _files(_embed(parcel))


def _files(embed: Any) -> list[str]:
    """CIDs of the pictures, or of the video."""
    if not isinstance(embed, dict):
        return []
    images = embed.get("images")
    shown = [image.get("image") for image in images if isinstance(image, dict)] if isinstance(images, list) else []
    blobs = shown or [embed.get("video")]
    return [str(blob["ref"]["$link"]) for blob in blobs if isinstance(blob, dict) and "$link" in blob.get("ref", {})]


def problems(parcel: Parcel) -> Iterator[str]:
    yield from text_problems(RULES, parcel.caption)
    yield from media_problems(RULES, parcel.media)
    if any(part.kind == "video" and part.mime != "video/mp4" for part in parcel.media):
        yield "The video must be video/mp4."
    for captions in blobs_of(parcel)[len(parcel.media) :]:
        if captions.size > (most := RULES.number("captions_bytes")):
            yield f"The captions have {captions.size} bytes, {most} are allowed."


def blobs_of(parcel: Parcel) -> list[Blob]:
    """The media in their order, then the captions of a video."""
    blobs = [Blob(part.path, part.sha256, part.size, part.mime) for part in parcel.media]
    if parcel.captions_vtt and _is_video(parcel):
        data = parcel.captions_vtt.read_bytes()
        blobs.append(Blob(parcel.captions_vtt, hashlib.sha256(data).hexdigest(), len(data), "text/vtt"))
    return blobs


def _embed(parcel: Parcel) -> dict[str, Any]:
    references = [blob.reference() for blob in blobs_of(parcel)]
    shown = [{"alt": p.alt, "aspectRatio": {"width": p.width, "height": p.height}} for p in parcel.media]
    if not _is_video(parcel):
        images = [{"image": image, **words} for image, words in zip(references, shown, strict=True)]
        return {"$type": "app.bsky.embed.images", "images": images}
    embed = {"$type": "app.bsky.embed.video", "video": references[0], **shown[0]}
    captions = [{"lang": parcel.language, "file": file} for file in references[len(parcel.media) :]]
    return {**embed, "captions": captions} if captions else embed


def _is_video(parcel: Parcel) -> bool:
    return any(part.kind == "video" for part in parcel.media)


def _facets(text: str) -> list[dict[str, Any]]:
    """Bluesky shows a link or hashtag as one only when told where it is, in UTF-8 bytes."""
    found = []
    for match in LINK_OR_TAG.finditer(text):
        shown = match[0].rstrip(".,;:!?)’'")
        start = len(text[: match.start()].encode())
        kind = {"$type": "app.bsky.richtext.facet#link", "uri": shown}
        if shown.startswith("#"):
            kind = {"$type": "app.bsky.richtext.facet#tag", "tag": shown[1:]}
        found.append({"index": {"byteStart": start, "byteEnd": start + len(shown.encode())}, "features": [kind]})
    return found
