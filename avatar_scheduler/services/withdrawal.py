"""Consent taken back: in one transaction nothing of the creator's is waiting, rendered or allowed any more.

Kept: what was said and proven, every version and the log. What is public stays until it is taken down, item by item.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from avatar_scheduler.db import audits, moves
from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.db.tables import Channel, Consent, Creator, Delivery, Incident, Post, Receipt, Render
from avatar_scheduler.domain.delivery import AttemptState, DeliveryState
from avatar_scheduler.domain.errors import Conflict, Forbidden, NotFound
from avatar_scheduler.domain.interaction import KINDS
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.services import asked, delegates, incidents, standing
from avatar_scheduler.services.people import API, Person
from avatar_scheduler.services.roles import ROLES, RULE, own

QUEUED = (DeliveryState.waiting, DeliveryState.scheduled, DeliveryState.claimed)
LEAVING = (DeliveryState.sending, DeliveryState.unconfirmed)
"""Nobody can call these back; when they turn out to be there, they are on the list of what is public."""
PUBLIC = (DeliveryState.accepted, DeliveryState.published)
RENDERED = (RenderState.queued, RenderState.running, RenderState.waiting)
MADE = (PostState.rendering, PostState.checking)
WITHDRAWN = "The consent was withdrawn."
"""What an item that came down for it says of itself."""


@dataclass(frozen=True)
class Withdrawn:
    consents: int
    kept_back: int
    renders: int
    standing: int
    leaving: int
    public: int


@dataclass(frozen=True)
class Public:
    delivery_id: str
    post_id: str
    title: str
    platform: str
    url: str
    published_at: datetime | None
    state: str
    """"public", or one of `incidents.Notice.state` once somebody asked for it to come down."""


def may_withdraw(session: Session, who: Person, creator: Creator, at: datetime) -> bool:
    """The person depicted, who they named, or who answers for somebody made up; and the machine's own operator.

    Everybody else can put a hold on, which stops as much and can be lifted again.
    """
    person = asked.person_of(session, creator)
    if who.role not in ROLES - {API} or not who.reaches(creator.id):
        return False
    if who.at_terminal or person == who.member_id or (not person and who.role in RULE):
        return True
    return any(delegates.named(session, creator.id, who.member_id, kind, at) for kind in sorted(KINDS))


def withdraw(session: Session, who: Person, creator: Creator, now: datetime) -> Withdrawn:
    """Cannot be undone: only a new consent, and new versions under it, go out after this."""
    own(who, creator)
    if not may_withdraw(session, who, creator, now):
        raise Forbidden(
            f"Only {creator.name}, or whom they named, can withdraw their consent. You can stop everything: put a hold "
            "on.",
            code="not_yours_to_withdraw",
        )
    reason = f"{creator.name} withdrew consent. Nothing of theirs goes out."
    return Withdrawn(
        consents=_revoke(session, who, creator, now),
        kept_back=_keep_back(session, who, creator, reason, now),
        renders=_stop_renders(session, who, creator, reason, now),
        standing=standing.revoke_all(session, who, creator, now),
        leaving=len(_deliveries(session, creator, LEAVING)),
        public=len(_deliveries(session, creator, PUBLIC)),
    )


def _revoke(session: Session, who: Person, creator: Creator, now: datetime) -> int:
    open_ones = select(Consent).where(Consent.creator_id == creator.id, col(Consent.revoked_at).is_(None))
    found = list(session.exec(open_ones))
    for row in found:
        row.revoked_at = now
        audits.append(
            session,
            at=now,
            organization=creator.organization_id,
            actor=who.member_id,
            action="consent.revoked",
            noun="consent",
            noun_id=row.id,
            data={"creator": creator.name},
        )
    return len(found)


def _deliveries(session: Session, creator: Creator, states: tuple[DeliveryState, ...]) -> list[Delivery]:
    query = select(Delivery).join(Post, col(Post.id) == Delivery.post_id)
    return list(session.exec(query.where(Post.creator_id == creator.id, col(Delivery.state).in_(states))))


def _keep_back(session: Session, who: Person, creator: Creator, reason: str, now: datetime) -> int:
    found = _deliveries(session, creator, QUEUED)
    for row in found:
        if row.state is DeliveryState.claimed:  # its worker finds the lease gone, before the irreversible call
            attempt = rows.last_attempt(session, row.id)
            state, over = DeliveryState.kept_back, AttemptState.abandoned
            rows.close(session, row, attempt.id, state, over, reason, now, who.member_id)
        else:
            rows.keep_back(session, row, reason, now, who.member_id)
    return len(found)


def _stop_renders(session: Session, who: Person, creator: Creator, reason: str, now: datetime) -> int:
    """A running worker asks every two seconds whether its render is still wanted (`renders.ALIVE`)."""
    query = select(Render, Post).where(
        Render.post_id == Post.id, Post.creator_id == creator.id, col(Render.state).in_(RENDERED)
    )
    found = list(session.exec(query))
    for render, post in found:
        moves.move(
            session, render, RenderState.cancelled, at=now, actor=who.member_id, finished_at=now, look_at=None,
            lease_until=None, reason=reason,
        )  # fmt: skip
        if post.render_id == render.id and post.state in MADE:
            moves.move(
                session, post, PostState.blocked, at=now, actor=who.member_id, reason=reason, data={"reason": reason}
            )
    return len(found)


def still_public(session: Session, who: Person, creator: Creator) -> list[Public]:
    """What is out there under their name, newest first, and how far taking it down has come."""
    own(who, creator)
    known = {one.delivery_id: one.state for one in incidents.listing(session, who) if one.what == WITHDRAWN}
    query = (
        select(Delivery, Post, Channel, Receipt)
        .where(Delivery.post_id == Post.id, Delivery.channel_id == Channel.id, Receipt.delivery_id == Delivery.id)
        .where(Post.creator_id == creator.id, col(Delivery.state).in_(PUBLIC))
        .order_by(col(Receipt.answered_at).desc())
        .limit(incidents.MOST)
    )
    return [
        Public(row.id, post.id, post.title, there.platform, receipt.url, row.published_at, known.get(row.id, "public"))
        for row, post, there, receipt in session.exec(query)
        if not _is_down(session, row.id)
    ]


def _is_down(session: Session, delivery_id: str) -> bool:
    query = select(Incident.id).where(Incident.delivery_id == delivery_id, col(Incident.taken_down_at).is_not(None))
    return session.exec(query.limit(1)).first() is not None


def take_down(session: Session, who: Person, creator: Creator, delivery_id: str, now: datetime) -> None:
    """Asks for one public item to come down. The publish worker does it, and reads back that it is gone."""
    own(who, creator)
    if not may_withdraw(session, who, creator, now):
        raise Forbidden(f"Only {creator.name}, or whom they named, can ask for this.", code="not_yours_to_withdraw")
    row = session.get(Delivery, delivery_id)
    if row is None or session.get_one(Post, row.post_id).creator_id != creator.id:
        raise NotFound("There is no such item.")
    if row.state not in PUBLIC:
        raise Conflict("It is not public.", code="not_public")
    incidents.ask_down(session, row, WITHDRAWN, who.member_id, now)
