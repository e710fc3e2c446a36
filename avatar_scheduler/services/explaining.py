"""Why a post must carry what it carries: each mark with its law or platform rule, and how it was measured."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from avatar_scheduler import rules
from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Channel, Creator, Post, Version
from avatar_scheduler.domain.disclosure import (
    IN_CAPTION,
    ON_REQUEST,
    Blocked,
    Evidence,
    Mark,
    Place,
    RequiredMark,
    unproven,
)
from avatar_scheduler.domain.rulebook import decide
from avatar_scheduler.domain.version import sha256
from avatar_scheduler.services import disclosing, posts, versions
from avatar_scheduler.services.people import Person

ON_THE_REQUEST = "on the request, just before it leaves"
NOT_YET = "not measured yet"
ORDER = tuple(Mark)


@dataclass(frozen=True)
class Explained:
    """One mark one rule asks for."""

    required: RequiredMark
    how: str
    """In words, where there is no measurement."""
    measured: tuple[Evidence, ...]


@dataclass(frozen=True)
class Where:
    platform: str
    surface: str
    address: str
    due_at: str
    audience: tuple[str, ...]
    """Empty: nobody knows, so every rule holds."""
    blocked: Blocked | None
    marks: tuple[Explained, ...]
    lacking: tuple[str, ...] = ()
    """What keeps a rendered version back."""


@dataclass(frozen=True)
class Explanation:
    post_id: str
    title: str
    version: int
    """0: not rendered yet."""
    frozen_under: str
    """Version of the rule packs when it was frozen."""
    rules: str
    """Version of the rule packs now, by which it is judged."""
    places: tuple[Where, ...]


def explain(session: Session, settings: Settings, who: Person, post_id: str, now: datetime) -> Explanation:
    """Raises NotFound, and Refused for a version that was changed after it was frozen."""
    post = posts.get(session, who, post_id)
    version = session.get(Version, post.version_id) if post.version_id else None
    data = versions.read(version).data if version else {}
    places = _of_version(session, settings, post, data, now) if version else _of_draft(session, settings, post, now)
    book = disclosing.book(settings).version
    number = version.number if version else 0
    return Explanation(post.id, post.title, number, data.get("rules", ""), book, tuple(places))


def _of_version(session: Session, settings: Settings, post: Post, data: dict[str, Any], now: datetime) -> list[Where]:
    files, caption = versions.marked_files(data.get("form", disclosing.VIDEO), data["media"]), sha256(data["caption"])
    evidence = [one for each in data["evidence"] if (one := versions.evidence_of(each)).subject in {*files, caption}]
    creator = session.get_one(Creator, post.creator_id)
    audience = disclosing.widest(data.get("audience", ()), disclosing.audience_of(session, creator))
    media, found = disclosing.content_of(data).media, []
    for target in data["targets"]:
        at = max(now, datetime.fromisoformat(target["due_at"]))
        said = disclosing.required_for(settings, data, target["platform"], audience, at)
        where = _where(target["platform"], media, target["address"], target["due_at"], audience, said, evidence)
        lacking = [] if isinstance(said, Blocked) else unproven(said, evidence, media=files, caption=caption)
        lacking += versions.leads_elsewhere(evidence, data.get("mark_id", ""))
        found.append(replace(where, lacking=tuple(lacking)))
    return found


def _of_draft(session: Session, settings: Settings, post: Post, now: datetime) -> list[Where]:
    creator, content = session.get_one(Creator, post.creator_id), disclosing.content_of_draft(session, post)
    audience, media, found = disclosing.audience_of(session, creator), content.media, []
    for target in json.loads(post.targets):
        channel = session.get_one(Channel, target["channel"])
        place = Place(channel.platform, rules.surface(channel.platform, media))
        at = max(now, datetime.fromisoformat(target["due_at"]))
        said = decide(content, place, audience, at, disclosing.book(settings))
        found.append(_where(channel.platform, media, channel.address, target["due_at"], audience, said, []))
    return found


def _where(
    platform: str,
    media: str,
    address: str,
    due_at: str,
    audience: Iterable[str],
    said: list[RequiredMark] | Blocked,
    evidence: list[Evidence],
) -> Where:
    blocked, required = (said, []) if isinstance(said, Blocked) else (None, said)
    marks = tuple(_explained(one, evidence) for one in sorted(required, key=lambda one: ORDER.index(one.mark)))
    return Where(platform, rules.surface(platform, media), address, due_at, tuple(sorted(audience)), blocked, marks)


def _explained(required: RequiredMark, evidence: list[Evidence]) -> Explained:
    if required.mark in ON_REQUEST:
        return Explained(required, ON_THE_REQUEST, ())
    measured = tuple(one for one in evidence if one.mark is required.mark)
    where = "in the caption" if required.mark in IN_CAPTION else "on the file"
    return Explained(required, where if measured else NOT_YET, measured)
