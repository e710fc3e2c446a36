"""Reading back: what does the platform itself say about a delivery that was sent?"""

import json
from datetime import datetime, timedelta

from sqlmodel import Session

from avatar_scheduler.clock import Clock
from avatar_scheduler.config import Settings
from avatar_scheduler.crash import crashpoint
from avatar_scheduler.db import audits
from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.db.engine import read_scope, ring_after_commit, write_scope
from avatar_scheduler.db.tables import Attempt, Channel, Delivery, Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Conflict, OutcomeUnknown, SchedulerError
from avatar_scheduler.publishers.base import Absent, Found, Parcel
from avatar_scheduler.queue import PUBLISH
from avatar_scheduler.services import parcels, versions

ACTOR = "settle"
MARGIN = timedelta(seconds=5)
"""Past an attempt's deadline before an absence counts: its call may have been the last thing the worker did."""
SLOWEST = timedelta(minutes=10)
MISSED_LOOKS = 4
"""Read-backs of an accepted object that find nothing, before a person is told: some platforms show it late."""


def run(settings: Settings, delivery_id: str, clock: Clock) -> bool:
    """One read-back of an accepted or unconfirmed delivery. True when it is published now."""
    state = _book(settings, delivery_id, clock)
    if state is None:
        return False
    crashpoint("settle.before_look")
    try:
        parcel, channel, intent = _describe(settings, delivery_id)
        publisher, account = parcels.address(settings, channel)
        found = publisher.read_back(parcel, account, intent)
    except OutcomeUnknown:
        return False  # asked again at `look_at`
    except SchedulerError as error:
        _needs_person(settings, delivery_id, error.message, clock)
        return False
    crashpoint("settle.after_look")
    try:
        return _record(settings, delivery_id, state, found, clock)
    except Conflict:
        return False  # another settler was faster


def _book(settings: Settings, delivery_id: str, clock: Clock) -> DeliveryState | None:
    """The state that is looked into, or None when there is nothing to look for, or not yet."""
    try:
        with write_scope(settings) as session:
            now = clock()
            row = session.get(Delivery, delivery_id)
            if row is None or row.state not in (DeliveryState.accepted, DeliveryState.unconfirmed):
                return None
            if row.look_at is not None and row.look_at > now:
                return None
            rows.take_look(session, row, now, now + min(timedelta(seconds=5 * 2 ** min(row.looks, 10)), SLOWEST))
            return row.state
    except Conflict:
        return None


def _describe(settings: Settings, delivery_id: str) -> tuple[Parcel, Channel, dict[str, str]]:
    """Raises Refused when the version is no longer what was frozen: then only a person can tell what is out there."""
    with read_scope(settings) as session:
        row = session.get_one(Delivery, delivery_id)
        manifest = versions.read(session.get_one(Version, row.version_id))
        attempt = rows.last_attempt(session, row.id)
        parcel = parcels.describe(settings, row, attempt.id, manifest)
        return parcel, session.get_one(Channel, row.channel_id), _intent(attempt)


def _intent(attempt: Attempt) -> dict[str, str]:
    intent: dict[str, str] = json.loads(attempt.intent)
    return intent


def _record(settings: Settings, delivery_id: str, state: DeliveryState, found: Found | Absent, clock: Clock) -> bool:
    with write_scope(settings) as session:
        now = clock()
        row = session.get_one(Delivery, delivery_id)
        if row.state is not state:
            raise Conflict("It moved meanwhile.")
        attempt = rows.last_attempt(session, row.id)
        if isinstance(found, Found):
            if state is DeliveryState.unconfirmed:
                rows.accept(session, row, attempt.id, found.object_id, found.url, {"found": "read back"}, now, ACTOR)
            rows.publish(session, row, found.marked and found.same, now, ACTOR)
            if not (found.marked and found.same):
                _incident(session, row, found, now)
            return True
        if state is DeliveryState.unconfirmed and _proves_absence(attempt, now):
            rows.settle_absent(session, row, found.how, now, ACTOR)
            ring_after_commit(session, PUBLISH, row.id)
        elif state is DeliveryState.accepted and row.looks >= MISSED_LOOKS:
            _say(session, row, "The platform took it but does not show it. Look there yourself.", now)
        return False


def _proves_absence(attempt: Attempt, now: datetime) -> bool:
    return attempt.deadline_at is not None and now > attempt.deadline_at + MARGIN


def _incident(session: Session, row: Delivery, found: Found, now: datetime) -> None:
    what = "the disclosure is gone" if not found.marked else "it is not the object that was approved"
    audits.append(
        session,
        at=now,
        organization=row.organization_id,
        actor=ACTOR,
        action="delivery.incident",
        noun="delivery",
        noun_id=row.id,
        data={"what": what, "url": found.url},
    )


def _needs_person(settings: Settings, delivery_id: str, reason: str, clock: Clock) -> None:
    """We cannot ask (credentials, a damaged version): said on the delivery once, asked again later."""
    with write_scope(settings) as session:
        row = session.get_one(Delivery, delivery_id)
        if row.state in (DeliveryState.accepted, DeliveryState.unconfirmed):
            _say(session, row, reason, clock())


def _say(session: Session, row: Delivery, reason: str, now: datetime) -> None:
    if row.reason == reason:
        return
    row.reason = reason
    audits.append(
        session,
        at=now,
        organization=row.organization_id,
        actor=ACTOR,
        action="delivery.needs_person",
        noun="delivery",
        noun_id=row.id,
        data={"reason": reason},
    )
