"""Reading a published item back once more after a day, and taking down what is to be taken down.

`Receipt.again_at` says when: set when it was published, or when somebody asks for a takedown. It is pushed on before
each look, so that a worker that dies only delays, and emptied when there is nothing left to do.
"""

from datetime import datetime, timedelta

from sqlmodel import Session

from avatar_scheduler.clock import Clock
from avatar_scheduler.config import Settings
from avatar_scheduler.crash import crashpoint
from avatar_scheduler.db import audits
from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.db.engine import write_scope
from avatar_scheduler.db.tables import Delivery
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import OutcomeUnknown, SchedulerError
from avatar_scheduler.publishers.base import Absent, Found
from avatar_scheduler.services import incidents, parcels

ACTOR = "settle"
DAY = timedelta(hours=24)
SOONEST, LATEST = timedelta(minutes=10), timedelta(hours=6)
MOST_LOOKS = 32
"""A week of asking in vain. Then a person is told, and nobody asks any more."""


def run(settings: Settings, delivery_id: str, clock: Clock) -> None:
    """One look at a published delivery whose time for it has come; a takedown, when one is wanted."""
    if not _book(settings, delivery_id, clock):
        return
    crashpoint("again.before_look")
    try:
        parcel, channel, intent = parcels.sent(settings, delivery_id)
        publisher, account = parcels.address(settings, channel)
        found = publisher.read_back(parcel, account, intent)
    except (SchedulerError, OSError) as error:
        _not_seen(settings, delivery_id, error, clock)
        return
    crashpoint("again.after_look")
    if not _record(settings, delivery_id, found, clock):
        return
    try:
        publisher.take_down(parcel, account, intent)
    except (OutcomeUnknown, OSError) as error:
        _not_seen(settings, delivery_id, error, clock)
        return
    except SchedulerError as error:
        _end(settings, delivery_id, clock, refused=error.message)
        return
    crashpoint("again.taken_down")
    _end(settings, delivery_id, clock)


def _book(settings: Settings, delivery_id: str, clock: Clock) -> bool:
    with write_scope(settings) as session:
        row, now = session.get(Delivery, delivery_id), clock()
        if row is None or row.state is not DeliveryState.published:
            return False
        return rows.take_again(session, row, now, now + min(SOONEST * 2 ** min(row.looks, 10), LATEST))


def _record(settings: Settings, delivery_id: str, found: Found | Absent, clock: Clock) -> bool:
    """True when it is to be taken down now."""
    with write_scope(settings) as session:
        row, now = session.get_one(Delivery, delivery_id), clock()
        receipt, wanted = rows.receipt_of(session, delivery_id), incidents.wanted(session, delivery_id)
        what, booked = incidents.trouble(found), receipt.again_at
        receipt.read_back_at, receipt.marked, row.reason = now, not what, ""
        if wanted is not None and isinstance(found, Absent):
            incidents.taken_down(session, wanted, now)  # by an earlier try of ours, or by somebody else
            rows.look_again(session, row, None)
            return False
        if wanted is None:
            _note(session, row, what, now)
            incidents.report(session, row, found, now)
            wanted = incidents.wanted(session, delivery_id)
        if wanted is None:
            rows.look_again(session, row, _next(row, now))
            return False
        receipt.again_at = booked  # asking for a takedown meant at once, and that is now
        return True


def _next(row: Delivery, now: datetime) -> datetime | None:
    """A look that came early, for a takedown, does not stand for the one a day later."""
    later = row.published_at + DAY if row.published_at else now
    return later if later > now else None


def _note(session: Session, row: Delivery, what: str, now: datetime) -> None:
    audits.append(
        session,
        at=now,
        organization=row.organization_id,
        actor=ACTOR,
        action="delivery.read_back",
        noun="delivery",
        noun_id=row.id,
        data={"found": what or "as it was sent"},
    )


def _not_seen(settings: Settings, delivery_id: str, why: SchedulerError | OSError, clock: Clock) -> None:
    """That we cannot see it says nothing about it: asked again at `again_at`, for a week."""
    with write_scope(settings) as session:
        row, now = session.get_one(Delivery, delivery_id), clock()
        if row.looks >= MOST_LOOKS:
            if wanted := incidents.wanted(session, delivery_id):
                incidents.give_up(session, wanted, str(why), now)
            rows.needs_person(session, row, f"No clear answer came for a week. {why}", now, ACTOR)
            rows.look_again(session, row, None)
        elif not isinstance(why, OutcomeUnknown):  # credentials, a damaged version: only a person can help
            rows.needs_person(session, row, str(why), now, ACTOR)


def _end(settings: Settings, delivery_id: str, clock: Clock, *, refused: str = "") -> None:
    """It is gone, or the platform will certainly not remove it."""
    with write_scope(settings) as session:
        row, now, wanted = session.get_one(Delivery, delivery_id), clock(), incidents.wanted(session, delivery_id)
        if refused:
            if wanted is not None:
                incidents.give_up(session, wanted, refused, now)
            rows.needs_person(session, row, refused, now, ACTOR)
        elif wanted is not None:
            incidents.taken_down(session, wanted, now)
        rows.look_again(session, row, _next(row, now) if refused else None)
