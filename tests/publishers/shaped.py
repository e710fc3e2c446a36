"""Requests as each platform's own documents shape them, still without any flag: {platform surface: how to write one}.

Sources: the `source` of the same row in rules/surfaces.toml.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from avatar_scheduler.domain.disclosure import RequiredMark

BOUNDARY = "7d2f1b"


@dataclass(frozen=True)
class Sent:
    body: bytes
    content_type: str
    query: str = ""


@dataclass(frozen=True)
class Shape:
    fields: Mapping[str, Any]
    write: Callable[[Mapping[str, Any]], Sent]
    plain: bool = False
    """A form or a query: every value is a word."""

    def flagged(self, flags: list[RequiredMark]) -> dict[str, Any]:
        """The fields with each flag where its row says it stands: in the list that is there, or as a value."""
        filled: dict[str, Any] = json.loads(json.dumps(dict(self.fields)))
        for flag in flags:
            *path, last = flag.field.split(".")
            inner = filled
            for name in path:
                inner = inner.setdefault(name, {})
            value = json.loads(flag.value)
            if isinstance(inner.get(last), list):
                inner[last].append(value)
            else:
                inner[last] = value
        return filled


def as_json(fields: Mapping[str, Any], query: str = "") -> Sent:
    return Sent(json.dumps(fields, separators=(",", ":")).encode(), "application/json; charset=UTF-8", query)


def word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def as_form(fields: Mapping[str, Any]) -> Sent:
    return Sent(urlencode({k: word(v) for k, v in fields.items()}).encode(), "application/x-www-form-urlencoded")


def as_query(fields: Mapping[str, Any]) -> Sent:
    return Sent(b"", "", urlencode({k: word(v) for k, v in fields.items()}))


def as_parts(fields: Mapping[str, Any]) -> Sent:
    parts = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{word(value)}\r\n'
        for name, value in fields.items()
    )
    return Sent(f"{parts}--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}")


def _youtube(fields: Mapping[str, Any]) -> Sent:
    return as_json(fields, "uploadType=resumable&part=snippet%2Cstatus%2CpaidProductPlacementDetails")


_TIKTOK = {"post_info": {"title": "Onions", "privacy_level": "SELF_ONLY", "disable_duet": False}}
_BUSINESS = {"business_id": "b", "post_info": {"caption": "Onions", "disable_comment": False}}
_TUBE = {"snippet": {"title": "Onions"}, "status": {"privacyStatus": "private", "selfDeclaredMadeForKids": False}}
_RECORD = {
    "text": "Onions",
    "tags": ["onions"],
    "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "bot"}]},
}

SHAPES = {
    "tiktok direct_video": Shape({**_TIKTOK, "source_info": {"source": "FILE_UPLOAD", "video_size": 9}}, as_json),
    "tiktok photo": Shape({**_TIKTOK, "media_type": "PHOTO", "post_mode": "DIRECT_POST"}, as_json),
    "tiktok_business video": Shape({**_BUSINESS, "video_url": "https://example.org/v.mp4"}, as_json),
    "tiktok_business photo": Shape({**_BUSINESS, "photo_images": ["https://example.org/1.jpg"]}, as_json),
    "youtube video": Shape(_TUBE, _youtube),
    "youtube live": Shape({"id": "abc", **_TUBE}, _youtube),
    "instagram reel": Shape({"media_type": "REELS", "video_url": "https://example.org/v.mp4"}, as_form, plain=True),
    "instagram image": Shape({"image_url": "https://example.org/1.jpg", "caption": "Onions"}, as_query, plain=True),
    "instagram carousel": Shape({"media_type": "CAROUSEL", "children": "1,2", "caption": "Onions"}, as_json),
    "instagram story": Shape({"media_type": "STORIES", "image_url": "https://example.org/1.jpg"}, as_form, plain=True),
    "facebook video": Shape({"description": "Onions", "upload_phase": "finish"}, as_parts, plain=True),
    "facebook reel": Shape({"video_id": "1", "video_state": "PUBLISHED"}, as_form, plain=True),
    "facebook story": Shape({"video_id": "1", "upload_phase": "finish"}, as_query, plain=True),
    "x post": Shape({"text": "Onions", "media": {"media_ids": ["1"]}}, as_json),
    "pinterest pin": Shape({"board_id": "1", "title": "Onions", "ai_disclosures": []}, as_json),
    "bluesky post": Shape({"repo": "did:plc:a", "collection": "app.bsky.feed.post", "record": _RECORD}, as_json),
    "twitch live": Shape({"title": "[AI avatar] Onions", "tags": ["English"]}, as_json),
}
