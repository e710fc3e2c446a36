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
from avatar_scheduler.db.columns import new_id
from avatar_scheduler.db.engine import ring_after_commit
from avatar_scheduler.db.grouping import Write, alone
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
LOOK_AGAIN = timedelta(seconds=5)
OURS = frozenset({"disk_full", "not_set_up"})
"""Codes of trouble on this machine: it says nothing about the post, and passes."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Worker:
    settings: Settings
    clock: Clock
    write: Write
    owner: str = ACTOR
    """Under this name it took what it now begins."""


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
    """One due delivery, with every step in a transaction of its own."""
    return publish(Worker(settings, clock, alone(settings)), delivery_id)


def publish(worker: Worker, delivery_id: str) -> bool:
    """Tries to publish one due delivery. False when somebody else has it or it may not go now."""
    claim = _claim(worker, delivery_id)
    if claim is None:
        return False
    crashpoint("publish.after_intent")
    uploaded = _upload(worker, claim) if _unharmed(worker, claim) else None
    if uploaded is None:
        return False
    crashpoint("publish.after_upload")
    if not _unharmed(worker, claim):
        return False
    seconds = worker.settings.lease_seconds / 2
    armed = time.monotonic()
    if not _arm(worker, claim, seconds):
        return False
    crashpoint("publish.before_commit")
    return _commit(worker, claim, uploaded, lambda: seconds - (time.monotonic() - armed))


def _unharmed(worker: Worker, claim: _Claim) -> bool:
    """Every file is hashed again, before the first byte leaves and before the last call; outside of any transaction."""
    try:
        parcels.verify(worker.settings, claim.parcel)
    except Refused as error:
        _stop(worker, claim, error)
        return False
    return True


def _stop(worker: Worker, claim: _Claim, error: Refused) -> None:
    """Nothing irreversible was called. Trouble on this machine passes; anything else is for a person."""
    if error.code in OURS:
        _release(worker, claim, error.message)
    else:
        _close(worker, claim, DeliveryState.kept_back, AttemptState.abandoned, error.message)


def _upload(worker: Worker, claim: _Claim) -> Mapping[str, str] | None:
    """Repeatable, so what only failed this time is tried again. None when this attempt ends here."""
    try:
        return claim.publisher.upload(claim.parcel, claim.account, claim.intent, _beat(worker, claim))
    except (Refused, Invalid) as error:
        if error.code in NOT_SENT | OURS:
            _release(worker, claim, error.message, timedelta(seconds=getattr(error, "retry_after", 0)))
        else:
            _close(worker, claim, DeliveryState.failed, AttemptState.refused, error.message)
    except (OutcomeUnknown, OSError) as error:
        _release(worker, claim, f"The upload did not finish: {error}")
    except Conflict:
        pass  # the lease was lost; the clock has put the delivery back
    return None


def _claim(worker: Worker, delivery_id: str) -> _Claim | None:
    def step(session: Session) -> _Claim | None:
        now = worker.clock()
        delivery = rows.due(session, delivery_id, now, worker.owner)
        if delivery is None:
            return None
        sendable = may_send(session, worker.settings, delivery, now)
        return _intend(session, worker.settings, delivery, sendable, now)

    try:
        return worker.write(step, delivery_id)
    except NotNow:
        _put_down(worker, delivery_id)
    except Conflict:
        pass  # another worker has it
    except SchedulerError as error:
        if error.code in OURS:
            log.error("delivery %s: %s", delivery_id, error.message)
        else:  # The claim above was rolled back: this is a second, separate decision.
            _keep_back(worker, delivery_id, error.message)
    return None


def _put_down(worker: Worker, delivery_id: str) -> None:
    """Held, say: looked at again soon, and meanwhile not in the way of those that may go."""
    again = worker.clock() + LOOK_AGAIN
    worker.write(lambda session: rows.put_down(session, [delivery_id], worker.owner, again))


def _intend(session: Session, settings: Settings, delivery: Delivery, sendable: Sendable, now: datetime) -> _Claim:
    """Lease, fence and intent in one transaction, before the first byte leaves."""
    rows.claim(session, delivery, now, now + timedelta(seconds=settings.lease_seconds), ACTOR)
    parcel = parcels.describe(settings, delivery, new_id(), sendable.manifest, sendable.required)
    publisher, account = parcels.address(settings, sendable.channel)
    intent = dict(publisher.intent(parcel, account))
    rows.open_attempt(session, delivery, parcel.attempt_id, sendable.manifest.sha256, intent, now)
    return _Claim(delivery.id, parcel.attempt_id, delivery.fence, parcel, account, publisher, intent)


def _beat(worker: Worker, claim: _Claim) -> Callable[[], None]:
    """Renews the lease between chunks, at most once a second. Raises Conflict when it is lost."""
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last < 1:
            return
        last = time.monotonic()
        until = worker.clock() + timedelta(seconds=worker.settings.lease_seconds)
        worker.write(lambda session: rows.renew(session, claim.delivery_id, claim.fence, until))

    return beat


def _arm(worker: Worker, claim: _Claim, seconds: float) -> bool:
    """The last look before the irreversible call, in the transaction that says the call may have left."""

    def step(session: Session) -> None:
        now, settings = worker.clock(), worker.settings
        delivery = rows.owned(session, claim.delivery_id, claim.fence, DeliveryState.claimed)
        sendable = may_send(session, settings, delivery, now)
        if sendable.manifest.sha256 != claim.parcel.manifest_sha256:
            raise Refused("The version changed during the upload.", code="version_changed")
        rows.arm(session, delivery, claim.attempt_id, now, timedelta(seconds=seconds), settings.lease_seconds, ACTOR)

    try:
        worker.write(step, claim.delivery_id)
    except NotNow as error:
        _release(worker, claim, error.message)
        return False
    except Refused as error:
        _stop(worker, claim, error)
        return False
    except Conflict:
        return False
    return True


def _commit(worker: Worker, claim: _Claim, uploaded: Mapping[str, str], left: Callable[[], float]) -> bool:
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
        _record(worker, claim, state, reason, answer)
    crashpoint("publish.after_answer")
    return state is DeliveryState.accepted


def _record(worker: Worker, claim: _Claim, state: DeliveryState, reason: str, answer: Answer | None) -> None:
    def step(session: Session) -> None:
        now = worker.clock()
        delivery = rows.owned(session, claim.delivery_id, claim.fence, DeliveryState.sending)
        if answer is not None:
            rows.accept(session, delivery, claim.attempt_id, answer.object_id, answer.url, answer.details, now, ACTOR)
        elif state is DeliveryState.failed:
            rows.close(session, delivery, claim.attempt_id, state, AttemptState.refused, reason, now, ACTOR)
        else:
            rows.lose(session, delivery, claim.attempt_id, reason, now, ACTOR)
        if answer is None:  # what was accepted is read back by whoever sent it
            ring_after_commit(session, SETTLE, claim.delivery_id)

    _unless_lost(worker, claim, step, f"delivery {claim.delivery_id}: answer came after the lease was taken back")


def _release(worker: Worker, claim: _Claim, reason: str, pause: timedelta = BACKOFF) -> None:
    """Back to scheduled: nothing irreversible was called. Tried again after a pause, within its window."""

    def step(session: Session) -> None:
        now = worker.clock()
        delivery = rows.owned(session, claim.delivery_id, claim.fence, DeliveryState.claimed)
        rows.release(session, delivery, reason, now, now + max(pause, BACKOFF), ACTOR)

    _unless_lost(worker, claim, step)


def _close(worker: Worker, claim: _Claim, state: DeliveryState, attempt: AttemptState, reason: str) -> None:
    def step(session: Session) -> None:
        delivery = rows.owned(session, claim.delivery_id, claim.fence, DeliveryState.claimed)
        rows.close(session, delivery, claim.attempt_id, state, attempt, reason, worker.clock(), ACTOR)

    _unless_lost(worker, claim, step)


def _unless_lost(worker: Worker, claim: _Claim, step: Callable[[Session], None], said: str = "") -> None:
    try:
        worker.write(step, claim.delivery_id)
    except Conflict as error:
        if error.code != "lost_lease":
            raise
        if said:
            log.warning("%s", said)


def _keep_back(worker: Worker, delivery_id: str, reason: str) -> None:
    def step(session: Session) -> None:
        now = worker.clock()
        delivery = rows.due(session, delivery_id, now, worker.owner)
        if delivery is not None:
            rows.keep_back(session, delivery, reason, now, ACTOR)

    worker.write(step, delivery_id)
