"""Reading back: what does the platform itself say about a delivery that was sent?"""

from datetime import datetime, timedelta

from sqlmodel import Session

from avatar_scheduler.clock import Clock
from avatar_scheduler.config import Settings
from avatar_scheduler.crash import crashpoint
from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.db.engine import ring_after_commit, write_scope
from avatar_scheduler.db.grouping import Write, alone
from avatar_scheduler.db.tables import Attempt, Delivery
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Conflict, OutcomeUnknown, SchedulerError
from avatar_scheduler.publishers.base import Absent, Found
from avatar_scheduler.queue import PUBLISH
from avatar_scheduler.services import again, incidents, parcels

ACTOR = "settle"
MARGIN = timedelta(seconds=5)
"""Past an attempt's deadline before an absence counts: its call may have been the last thing the worker did."""
SLOWEST = timedelta(minutes=10)
MISSED_LOOKS = 4
"""Read-backs of an accepted object that find nothing, before a person is told: some platforms show it late."""


def run(settings: Settings, delivery_id: str, clock: Clock, write: Write | None = None) -> bool:
    """One read-back of an accepted or unconfirmed delivery. True when it is published now.

    What was published before is looked at again, when its time for that has come.
    """
    write = write or alone(settings)
    state = _book(write, delivery_id, clock)
    if state is None:
        again.run(settings, delivery_id, clock)
        return False
    crashpoint("settle.before_look")
    try:
        parcel, channel, intent = parcels.sent(settings, delivery_id)
        publisher, account = parcels.address(settings, channel)
        found = publisher.read_back(parcel, account, intent)
    except OutcomeUnknown:
        return False  # asked again at `look_at`
    except SchedulerError as error:
        _needs_person(settings, delivery_id, error.message, clock)
        return False
    crashpoint("settle.after_look")
    try:
        return write(lambda session: _record(session, delivery_id, state, found, clock()), delivery_id)
    except Conflict:
        return False  # another settler was faster


def _book(write: Write, delivery_id: str, clock: Clock) -> DeliveryState | None:
    """The state that is looked into, or None when there is nothing to look for, or not yet."""

    def step(session: Session) -> DeliveryState | None:
        now = clock()
        row = session.get(Delivery, delivery_id)
        if row is None or row.state not in (DeliveryState.accepted, DeliveryState.unconfirmed):
            return None
        if row.look_at is not None and row.look_at > now:
            return None
        rows.take_look(session, row, now, now + min(timedelta(seconds=5 * 2 ** min(row.looks, 10)), SLOWEST))
        return row.state

    try:
        return write(step, delivery_id)
    except Conflict:
        return None


def _record(session: Session, delivery_id: str, state: DeliveryState, found: Found | Absent, now: datetime) -> bool:
    row = session.get_one(Delivery, delivery_id)
    if row.state is not state:
        raise Conflict("It moved meanwhile.")
    attempt = rows.last_attempt(session, row.id)
    if isinstance(found, Found):
        if state is DeliveryState.unconfirmed:
            rows.accept(session, row, attempt.id, found.object_id, found.url, {"found": "read back"}, now, ACTOR)
        rows.publish(session, row, found.marked and found.same, now, now + again.DAY, ACTOR)
        incidents.report(session, row, found, now)
        return True
    if state is DeliveryState.unconfirmed and _proves_absence(attempt, now):
        rows.settle_absent(session, row, found.how, now, ACTOR)
        ring_after_commit(session, PUBLISH, row.id)
    elif state is DeliveryState.accepted and row.looks >= MISSED_LOOKS:
        reason = "The platform took it but does not show it. Look there yourself."
        rows.needs_person(session, row, reason, now, ACTOR)
    return False


def _proves_absence(attempt: Attempt, now: datetime) -> bool:
    return attempt.deadline_at is not None and now > attempt.deadline_at + MARGIN


def _needs_person(settings: Settings, delivery_id: str, reason: str, clock: Clock) -> None:
    """We cannot ask (credentials, a damaged version): said on the delivery once, asked again later."""
    with write_scope(settings) as session:
        row = session.get_one(Delivery, delivery_id)
        if row.state in (DeliveryState.accepted, DeliveryState.unconfirmed):
            rows.needs_person(session, row, reason, clock(), ACTOR)
