"""Saying yes to several secondary posts of one creator at once, each by its own approval."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Creator
from avatar_scheduler.domain.errors import Conflict, Invalid, NotFound
from avatar_scheduler.services import pages, review, roles
from avatar_scheduler.services.cards import Card
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import DECIDE, require

MOST = 20


@dataclass(frozen=True)
class Pair:
    version_id: str
    version_hash: str


def fits(card: Card) -> bool:
    """Whether one look at a thumbnail is enough: secondary, complete, and this person's to decide now."""
    ready = card.stopped is None and all(layer.state in ("ready", "at_posting", "not_offered") for layer in card.layers)
    in_time = card.seconds_left is not None and card.seconds_left >= 0
    return not card.core and ready and in_time and card.can_decide and card.asked and not card.human_ms


def _creator(session: Session, who: Person, slug: str) -> Creator:
    require(who, DECIDE, "decide")
    named = (Creator.organization_id == who.organization_id, Creator.slug == slug)
    creator = session.exec(select(Creator).where(*named)).first()
    if creator is None:
        raise NotFound("There is no such creator.")
    roles.own(who, creator)
    return creator


def offered(session: Session, settings: Settings, who: Person, slug: str, now: datetime) -> list[Card]:
    """At most `MOST` cards of one creator, soonest first."""
    creator = _creator(session, who, slug)
    found: list[Card] = []
    for row in pages.waiting(session, who, now):
        if row.creator_slug != creator.slug or row.core or row.seconds_left < 0:
            continue
        card = pages.card(session, settings, who, row.version_id, now)
        if fits(card):
            found.append(card)
        if len(found) == MOST:
            break
    return found


def approve(
    session: Session, settings: Settings, who: Person, slug: str, pairs: list[Pair], now: datetime
) -> list[str]:
    """The approvals' ids. All or none: one that may not be decided this way refuses the lot.

    Raises Invalid for a core kind, another creator's or a missing mark; Conflict when one changed meanwhile.
    """
    creator = _creator(session, who, slug)
    if not 1 <= len({pair.version_id for pair in pairs}) == len(pairs) <= MOST:
        raise Invalid(f"Pick 1 to {MOST} posts, each once.", code="bulk")
    for pair in pairs:
        version, post = review.find(session, who, pair.version_id)
        card = pages.card(session, settings, who, version.id, now)
        if post.creator_id != creator.id or card.core:
            raise Invalid(f"“{card.title}” has to be decided on its own card. Nothing was approved.", code="bulk")
        if pair.version_hash != version.sha256 or card.newer_version_id:
            raise Conflict(f"“{card.title}” changed while you looked. Nothing was approved.", code="changed")
        if not card.decided and not fits(card):
            raise Invalid(f"“{card.title}” cannot go with the others. Nothing was approved.", code="bulk")
    return [review.approve(session, settings, who, p.version_id, p.version_hash, now) for p in pairs]
