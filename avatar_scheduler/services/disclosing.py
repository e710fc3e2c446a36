"""What the rules ask of a post: the same question when it is written, rendered, frozen, reviewed and sent."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from avatar_scheduler import rules
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Avatar, Channel, Creator, Post
from avatar_scheduler.domain import slides
from avatar_scheduler.domain.disclosure import SPONSORED, Blocked, Content, Mark, Place, RequiredMark
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.domain.rulebook import RuleBook, decide

VIDEO, STILLS = "video", "stills"


def book(settings: Settings) -> RuleBook:
    """The floor, and what the operator added to it. Raises Invalid for a pack that cannot be read."""
    return rules.book(settings.data / "rules")


def check_sponsored(value: str, kind: str) -> str:
    if value not in SPONSORED:
        raise Invalid(f"“{value}” does not say who pays. Use one of: {', '.join(SPONSORED)}.", code="sponsored")
    if kind == "sponsored" and value == "no":
        raise Invalid("A sponsored post says who pays: own (your brand) or paid (somebody else's).", code="sponsored")
    return value


def media_of(form: str, pictures: int) -> str:
    """The word of the rules for a film, one picture or several. Raises Refused for a form nobody thought about."""
    if form == VIDEO:
        return "video"
    if form != STILLS:
        raise Refused(f"There are no rules for a post of the form “{form}”. It stays here.", code="unknown_form")
    return "image" if pictures == 1 else "carousel"


def content_of(data: Mapping[str, Any]) -> Content:
    """What of a manifest the rules look at. A version from before there were sponsors is not known to have none."""
    pictures = sum(kind.startswith("image") for kind in data["media"])
    media = media_of(data.get("form", VIDEO), pictures)
    return Content(media, data["avatar"]["performer"], data.get("sponsored", ""), data["language"])


def content_of_draft(session: Session, post: Post) -> Content:
    """The same, of a post that has no version yet. Raises Invalid for slides that cannot be read."""
    pictures = len(slides.read(post.script)) if post.form == STILLS else 0
    performer = performer_of(session, session.get_one(Avatar, post.avatar_id))
    return Content(media_of(post.form, pictures), performer, post.sponsored, post.language)


def required_for(
    settings: Settings, data: Mapping[str, Any], platform: str, audience: Iterable[str], at: datetime
) -> list[RequiredMark] | Blocked:
    content = content_of(data)
    place = Place(platform, rules.surface(platform, content.media))
    return decide(content, place, frozenset(audience), at, book(settings))


def demanded(
    settings: Settings, data: Mapping[str, Any], platform: str, audience: Iterable[str], at: datetime
) -> list[RequiredMark]:
    """Raises Refused, with the rule and the way out, where nothing makes it allowed."""
    return _or_refuse(required_for(settings, data, platform, audience, at))


def of_draft(session: Session, settings: Settings, post: Post, at: datetime) -> list[RequiredMark]:
    """Everything its channels ask for, at `at` and at its own times: a rule may begin in between. Raises Refused."""
    creator, content = session.get_one(Creator, post.creator_id), content_of_draft(session, post)
    audience, found = audience_of(session, creator), dict[RequiredMark, None]()
    for target in json.loads(post.targets):
        platform = session.get_one(Channel, target["channel"]).platform
        place = Place(platform, rules.surface(platform, content.media))
        for instant in (at, max(at, datetime.fromisoformat(target["due_at"]))):
            found |= dict.fromkeys(_or_refuse(decide(content, place, audience, instant, book(settings))))
    return list(found)


def _or_refuse(said: list[RequiredMark] | Blocked) -> list[RequiredMark]:
    if isinstance(said, Blocked):
        raise Refused(f"{said.reason} ({said.rule}) {said.way_out}", code="blocked_by_rule")
    return said


def audience_of(session: Session, creator: Creator) -> frozenset[str]:
    """As somebody set it. Where the log says otherwise than the column nobody knows, and every rule holds."""
    said = audits.said(session, "creator", creator.id).get("audience")
    return frozenset(json.loads(said)) if said == creator.audience else frozenset()


def performer_of(session: Session, avatar: Avatar) -> str:
    """Raises Refused where the log says that the avatar is of another kind: laws differ by it."""
    said = audits.said(session, "avatar", avatar.id).get("performer", avatar.performer)
    if said != avatar.performer:
        raise Refused(f"{avatar.name} was added as {said}, and is {avatar.performer} now.", code="declared_changed")
    return said


def widest(approved: Iterable[str], now: frozenset[str]) -> frozenset[str]:
    """Both audiences. Unknown is wider than any list."""
    known = frozenset(approved)
    return known | now if known and now else frozenset()


def asks_for(required: Iterable[RequiredMark], mark: Mark) -> bool:
    return any(one.mark is mark for one in required)


def check_declared(session: Session, post: Post) -> None:
    """Raises Refused when kind or sponsor is not what the writer last said: the log outranks the columns."""
    said = audits.said(session, "post", post.id)
    if said.get("kind") != post.kind or said.get("sponsored", "no") != post.sponsored:
        raise Refused("What the post says of itself was changed behind the writer's back.", code="declared_changed")
