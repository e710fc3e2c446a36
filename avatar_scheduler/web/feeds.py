"""The own feed as Atom (RFC 4287) and JSON Feed 1.1. Both say in words and in a field that an AI made it."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from avatar_scheduler.services.cards import FeedItem, FeedPage, FeedPicture

ATOM = "http://www.w3.org/2005/Atom"
AI_TERM = "ai-generated"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_XML = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535))


def disclosed(item: FeedItem) -> str:
    """The caption with the disclosure line first, whatever the stored caption begins with."""
    starts = item.caption.startswith(item.disclosure_line)
    return item.caption if starts else f"{item.disclosure_line}\n{item.caption}"


def marked_title(item: FeedItem) -> str:
    return f"[AI] {item.title}"


def files(item: FeedItem) -> tuple[FeedPicture, ...]:
    """The pictures, or the film as if it were one."""
    film = FeedPicture(
        item.video_url, "", item.width, item.height, mime="video/mp4", size=item.video_size, sha256=item.video_sha256
    )
    return item.pictures or (film,)


def atom(feed: FeedPage, base_url: str) -> bytes:
    root = ET.Element("feed", xmlns=ATOM)
    newest = max((item.published_at for item in feed.items), default=_EPOCH)
    _add(root, "id", urljoin(base_url, feed.url))
    _add(root, "title", feed.creator)
    _add(root, "subtitle", f"Posts by the avatar of {feed.creator}, made with AI.")
    _add(root, "updated", newest.isoformat())
    _add(root, "author").append(_text("name", feed.creator))
    _add(root, "link", rel="self", type="application/atom+xml", href=urljoin(base_url, feed.atom_url))
    _add(root, "link", rel="alternate", type="text/html", href=urljoin(base_url, feed.url))
    _add(root, "generator", "Avatar Scheduler")
    for item in feed.items:
        root.append(_entry(item, base_url))
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _entry(item: FeedItem, base_url: str) -> ET.Element:
    entry = ET.Element("entry", {"xml:lang": item.language})
    _add(entry, "id", urljoin(base_url, item.url))
    _add(entry, "title", marked_title(item))
    _add(entry, "updated", item.published_at.isoformat())
    _add(entry, "published", item.published_at.isoformat())
    _add(entry, "link", rel="alternate", type="text/html", href=urljoin(base_url, item.url))
    _add(entry, "link", rel="related", type="text/html", href=urljoin(base_url, item.proof_url), title="Proof")
    for file in files(item):
        said = {"title": file.alt} if file.alt else {}
        _add(
            entry,
            "link",
            rel="enclosure",
            type=file.mime,
            href=urljoin(base_url, file.url),
            length=str(file.size),
            **said,
        )
    _add(entry, "category", term=AI_TERM, label=item.disclosure_line)
    _add(entry, "content", disclosed(item), type="text")
    return entry


def _text(name: str, text: str = "", **attributes: str) -> ET.Element:
    element = ET.Element(name, {key: value.translate(_NOT_XML) for key, value in attributes.items()})
    if text:
        element.text = text.translate(_NOT_XML)
    return element


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    element = _text(name, text, **attributes)
    parent.append(element)
    return element


def json_feed(feed: FeedPage, base_url: str) -> dict[str, Any]:
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.creator,
        "description": f"Posts by the avatar of {feed.creator}, made with AI.",
        "home_page_url": urljoin(base_url, feed.url),
        "feed_url": urljoin(base_url, feed.json_url),
        "authors": [{"name": feed.creator}],
        "items": [_json_item(item, base_url) for item in feed.items],
    }


def _json_item(item: FeedItem, base_url: str) -> dict[str, Any]:
    return {
        "id": urljoin(base_url, item.url),
        "url": urljoin(base_url, item.url),
        "title": marked_title(item),
        "content_text": disclosed(item),
        "summary": item.disclosure_line,
        **({"image": urljoin(base_url, item.poster_url)} if item.poster_url else {}),
        "date_published": item.published_at.isoformat(),
        "language": item.language,
        "tags": [AI_TERM],
        "attachments": [_attachment(item, file, base_url) for file in files(item)],
        "_ai": {
            "disclosure": item.disclosure_line,
            "digital_source_type": SOURCE_TYPE,
            **({} if item.pictures else {"video_sha256": item.video_sha256}),
            "sha256": [file.sha256 for file in files(item)],
            "proof_url": urljoin(base_url, item.proof_url),
        },
    }


def _attachment(item: FeedItem, file: FeedPicture, base_url: str) -> dict[str, Any]:
    return {
        "url": urljoin(base_url, file.url),
        "mime_type": file.mime,
        "size_in_bytes": file.size,
        **({"title": file.alt} if file.alt else {}),
        **({} if item.pictures else {"duration_in_seconds": round(item.duration_ms / 1000, 3)}),
    }
