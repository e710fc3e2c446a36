"""The publish protocol: claim, intent, upload, one irreversible call, answer. domain/delivery explains the states.

claim     one transaction: lease, fence, may_send, intent         -> claimed
upload    repeatable; a crash here loses nothing
arm       one transaction: may_send again, deadline               -> sending
commit    the irreversible call, read as the platform will, then sent once, inside the deadline
answer    receipt                                                 -> accepted, failed or unconfirmed
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from avatar_scheduler.clock import Clock
from avatar_scheduler.config import Settings
from avatar_scheduler.crash import crashpoint
from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.db.engine import ring_after_commit, write_scope
from avatar_scheduler.db.tables import Delivery
from avatar_scheduler.domain.delivery import AttemptState, DeliveryState
from avatar_scheduler.domain.errors import Conflict, Invalid, OutcomeUnknown, Refused, SchedulerError
from avatar_scheduler.publishers import base
from avatar_scheduler.publishers.base import NOT_SENT, Account, Answer, Parcel, Publisher
from avatar_scheduler.queue import SETTLE
from avatar_scheduler.services import parcels
from avatar_scheduler.services.gate import NotNow, Sendable, may_send

ACTOR = "publish"
BACKOFF = timedelta(seconds=20)
OURS = frozenset({"disk_full", "not_set_up"})
"""Codes of trouble on this machine: it says nothing about the post, and passes."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Claim:
    delivery_id: str
    attempt_id: str
    fence: int
    parcel: Parcel
    account: Account
    publisher: Publisher
    intent: dict[str, str]


def run(settings: Settings, delivery_id: str, clock: Clock) -> bool:
    """Tries to publish one due delivery. False when somebody else has it or it may not go now."""
    claim = _claim(settings, delivery_id, clock)
    if claim is None:
        return False
    crashpoint("publish.after_intent")
    uploaded = _upload(settings, claim, clock)
    if uploaded is None:
        return False
    crashpoint("publish.after_upload")
    seconds = settings.lease_seconds / 2
    armed = time.monotonic()
    if not _arm(settings, claim, clock, seconds):
        return False
    crashpoint("publish.before_commit")
    return _commit(settings, claim, clock, uploaded, lambda: seconds - (time.monotonic() - armed))


def _upload(settings: Settings, claim: _Claim, clock: Clock) -> Mapping[str, str] | None:
    """Repeatable, so what only failed this time is tried again. None when this attempt ends here."""
    try:
        return claim.publisher.upload(claim.parcel, claim.account, claim.intent, _beat(settings, claim, clock))
    except (Refused, Invalid) as error:
        if error.code in NOT_SENT | OURS:
            _release(settings, claim, clock, error.message, timedelta(seconds=getattr(error, "retry_after", 0)))
        else:
            _close(settings, claim, clock, DeliveryState.failed, AttemptState.refused, error.message)
    except (OutcomeUnknown, OSError) as error:
        _release(settings, claim, clock, f"The upload did not finish: {error}")
    except Conflict:
        pass  # the lease was lost; the clock has put the delivery back
    return None


def _claim(settings: Settings, delivery_id: str, clock: Clock) -> _Claim | None:
    try:
        with write_scope(settings) as session:
            now = clock()
            delivery = rows.due(session, delivery_id, now)
            if delivery is None:
                return None
            sendable = may_send(session, settings, delivery, now)
            return _intend(session, settings, delivery, sendable, now)
    except Conflict:
        return None  # not now, or another worker has it
    except SchedulerError as error:
        if error.code in OURS:
            log.error("delivery %s: %s", delivery_id, error.message)
            return None
        # The claim above was rolled back with its transaction: this is a second, separate decision.
        _keep_back(settings, delivery_id, clock, error.message)
        return None


def _intend(session: Session, settings: Settings, delivery: Delivery, sendable: Sendable, now: datetime) -> _Claim:
    """Lease, fence and intent in one transaction, before the first byte leaves."""
    rows.claim(session, delivery, now, now + timedelta(seconds=settings.lease_seconds), ACTOR)
    attempt = rows.open_attempt(session, delivery, sendable.manifest.sha256, now)
    parcel = parcels.pack(settings, delivery, attempt.id, sendable)
    publisher, account = parcels.address(settings, sendable.channel)
    intent = dict(publisher.intent(parcel, account))
    rows.write_intent(session, attempt, intent)
    return _Claim(delivery.id, attempt.id, delivery.fence, parcel, account, publisher, intent)


def _beat(settings: Settings, claim: _Claim, clock: Clock) -> Callable[[], None]:
    """Renews the lease between chunks, at most once a second. Raises Conflict when it is lost."""
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last < 1:
            return
        last = time.monotonic()
        with write_scope(settings) as session:
            rows.renew(session, claim.delivery_id, claim.fence, clock() + timedelta(seconds=settings.lease_seconds))

    return beat


def _arm(settings: Settings, claim: _Claim, clock: Clock, seconds: float) -> bool:
    """The last look before the irreversible call, in the transaction that says the call may have left."""
    try:
        with write_scope(settings) as session:
            now = clock()
            delivery = rows.owned(session, claim.delivery_id, claim.fence, DeliveryState.claimed)
            sendable = may_send(session, settings, delivery, now)
            parcels.still_same(settings, sendable, claim.parcel)
            rows.arm(
                session, delivery, claim.attempt_id, now, timedelta(seconds=seconds), settings.lease_seconds, ACTOR
            )
    except NotNow as error:
        _release(settings, claim, clock, error.message)
        return False
    except Refused as error:
        if error.code in OURS:
            _release(settings, claim, clock, error.message)
            return False
        _close(settings, claim, clock, DeliveryState.kept_back, AttemptState.abandoned, error.message)
        return False
    except Conflict:
        return False
    return True


def _commit(
    settings: Settings, claim: _Claim, clock: Clock, uploaded: Mapping[str, str], left: Callable[[], float]
) -> bool:
    """Never retried by a machine: a late post is a nuisance, a doubled one is public."""
    state, reason = DeliveryState.unconfirmed, "The worker stopped before the platform answered."
    answer: Answer | None = None
    try:
        if left() <= 0:
            raise OutcomeUnknown("The worker was held up past its deadline and did not send.")
        answer = base.commit(claim.publisher, claim.parcel, claim.account, claim.intent, uploaded, left)
        crashpoint("publish.after_commit")
        state = DeliveryState.accepted
    except Refused as error:
        # "Nothing was sent" in the middle of sending is settled like any doubt: by reading back.
        state = DeliveryState.unconfirmed if error.code in NOT_SENT else DeliveryState.failed
        reason = error.message
    except OutcomeUnknown as error:
        reason = error.message
    finally:
        _record(settings, claim, clock, state, reason, answer)
    crashpoint("publish.after_answer")
    return state is DeliveryState.accepted


def _record(
    settings: Settings, claim: _Claim, clock: Clock, state: DeliveryState, reason: str, answer: Answer | None
) -> None:
    with write_scope(settings) as session:
        now = clock()
        try:
            delivery = rows.owned(session, claim.delivery_id, claim.fence, DeliveryState.sending)
        except Conflict:
            log.warning("delivery %s: answer came after the lease was taken back", claim.delivery_id)
            return
        if answer is not None:
            rows.accept(session, delivery, claim.attempt_id, answer.object_id, answer.url, answer.details, now, ACTOR)
        elif state is DeliveryState.failed:
            rows.close(session, delivery, claim.attempt_id, state, AttemptState.refused, reason, now, ACTOR)
        else:
            rows.lose(session, delivery, claim.attempt_id, reason, now, ACTOR)
        ring_after_commit(session, SETTLE, claim.delivery_id)


def _release(settings: Settings, claim: _Claim, clock: Clock, reason: str, pause: timedelta = BACKOFF) -> None:
    """Back to scheduled: nothing irreversible was called. Tried again after a pause, within its window."""
    with write_scope(settings) as session:
        now = clock()
        try:
            delivery = rows.owned(session, claim.delivery_id, claim.fence, DeliveryState.claimed)
        except Conflict:
            return
        rows.release(session, delivery, reason, now, now + max(pause, BACKOFF), ACTOR)


def _close(
    settings: Settings, claim: _Claim, clock: Clock, state: DeliveryState, attempt: AttemptState, reason: str
) -> None:
    with write_scope(settings) as session:
        try:
            delivery = rows.owned(session, claim.delivery_id, claim.fence, DeliveryState.claimed)
        except Conflict:
            return
        rows.close(session, delivery, claim.attempt_id, state, attempt, reason, clock(), ACTOR)


def _keep_back(settings: Settings, delivery_id: str, clock: Clock, reason: str) -> None:
    with write_scope(settings) as session:
        now = clock()
        delivery = rows.due(session, delivery_id, now)
        if delivery is not None:
            rows.keep_back(session, delivery, reason, now, ACTOR)
