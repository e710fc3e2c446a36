"""Delivery and attempt rows: each function is one step of the publish protocol, checked by state and fence."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, or_, update
from sqlmodel import Session, col, func, select

from avatar_scheduler.db import audits, moves, recall
from avatar_scheduler.db.tables import Attempt, Delivery, Receipt
from avatar_scheduler.domain.delivery import AttemptState, DeliveryState
from avatar_scheduler.domain.errors import Conflict

S = DeliveryState


def take(session: Session, now: datetime, until: datetime, owner: str, most: int) -> list[str]:
    """Books up to `most` deliveries that are due, the oldest first, so that no other worker begins them before `until`.

    They stay scheduled: what is booked and never begun is simply free again. The claim decides, one by one.
    """
    free = or_(col(Delivery.lease_until).is_(None), col(Delivery.lease_until) <= now)
    found = (
        select(Delivery.id)
        .where(col(Delivery.state) == S.scheduled, col(Delivery.ready_at) <= now, free)
        .where(col(Delivery.latest_start) >= now)
        .order_by(col(Delivery.ready_at))
        .limit(most)
    )
    ids = list(session.exec(found))
    session.execute(update(Delivery).where(col(Delivery.id).in_(ids)).values(owner=owner, lease_until=until))
    return ids


def put_down(session: Session, ids: Sequence[str], owner: str, again: datetime | None) -> None:
    """Gives back what was taken and not begun: at once, or to be looked at `again`."""
    mine = (col(Delivery.id).in_(ids), col(Delivery.state) == S.scheduled, col(Delivery.owner) == owner)
    session.execute(update(Delivery).where(*mine).values(lease_until=again))


def due(session: Session, delivery_id: str, now: datetime, owner: str) -> Delivery | None:
    """None when it is not due, or another worker took it."""
    row = session.get(Delivery, delivery_id)
    if row is None or row.state is not S.scheduled or row.ready_at > now:
        return None
    taken = row.lease_until is not None and row.lease_until > now
    return None if taken and row.owner != owner else row


def owned(session: Session, delivery_id: str, fence: int, state: DeliveryState) -> Delivery:
    """The row while the lease is still ours. Raises Conflict otherwise: stop, and touch nothing."""
    row = session.get_one(Delivery, delivery_id)
    if row.fence != fence or row.state is not state:
        raise Conflict("The lease was taken back.", code="lost_lease")
    return row


def claim(session: Session, row: Delivery, now: datetime, lease_until: datetime, owner: str) -> None:
    """scheduled -> claimed with a new fence; exactly one caller succeeds."""
    moves.move(
        session,
        row,
        S.claimed,
        at=now,
        actor=owner,
        was=row.fence,
        fence=row.fence + 1,
        lease_until=lease_until,
        owner=owner,
        reason="",
    )


def open_attempt(
    session: Session, row: Delivery, attempt_id: str, manifest_sha256: str, intent: Mapping[str, str], now: datetime
) -> None:
    attempt = Attempt(
        id=attempt_id,
        delivery_id=row.id,
        number=len(attempts(session, row.id)) + 1,
        fence=row.fence,
        manifest_sha256=manifest_sha256,
        intent=json.dumps(dict(intent), sort_keys=True),
        started_at=now,
    )
    session.add(attempt)
    session.flush()
    recall.added(session, "delivery_id", attempt)


def attempts(session: Session, delivery_id: str) -> list[Attempt]:
    """In no order."""
    return recall.rows(session, Attempt, "delivery_id", delivery_id)


def last_attempt(session: Session, delivery_id: str) -> Attempt:
    return max(attempts(session, delivery_id), key=lambda attempt: attempt.number)


def renew(session: Session, delivery_id: str, fence: int, until: datetime) -> None:
    mine = (col(Delivery.id) == delivery_id, col(Delivery.fence) == fence, col(Delivery.state) == S.claimed)
    result = session.execute(update(Delivery).where(*mine).values(lease_until=until))
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        raise Conflict("The lease was taken back.", code="lost_lease")


def arm(
    session: Session, row: Delivery, attempt_id: str, now: datetime, deadline: timedelta, lease_seconds: int, actor: str
) -> None:
    """claimed -> sending. The lease outlives the deadline: nobody looks before the call must have ended."""
    until = now + timedelta(seconds=lease_seconds)
    moves.move(session, row, S.sending, at=now, actor=actor, was=row.fence, lease_until=until)
    _attempt(session, attempt_id, AttemptState.open, AttemptState.committing, deadline_at=now + deadline)


def accept(
    session: Session,
    row: Delivery,
    attempt_id: str,
    object_id: str,
    url: str,
    details: Mapping[str, str],
    now: datetime,
    actor: str,
) -> None:
    moves.move(
        session,
        row,
        S.accepted,
        at=now,
        actor=actor,
        was=row.fence,
        lease_until=None,
        look_at=now,
        looks=0,
        reason="",
        data={"object": object_id, "url": url},
    )
    was = last_attempt(session, row.id).state
    _attempt(session, attempt_id, was, AttemptState.accepted, finished_at=now)
    receipt = Receipt(
        delivery_id=row.id,
        attempt_id=attempt_id,
        object_id=object_id,
        url=url,
        details=json.dumps(dict(details), sort_keys=True),
        answered_at=now,
    )
    session.add(receipt)
    session.flush()
    recall.added(session, "delivery_id", receipt)


def lose(session: Session, row: Delivery, attempt_id: str, reason: str, now: datetime, actor: str) -> None:
    """sending -> unconfirmed: nobody knows. Only a read-back moves it on."""
    moves.move(
        session,
        row,
        S.unconfirmed,
        at=now,
        actor=actor,
        was=row.fence,
        lease_until=None,
        look_at=now,
        looks=0,
        reason=reason,
        data={"reason": reason},
    )
    _attempt(session, attempt_id, AttemptState.committing, AttemptState.unknown, detail=reason)


def close(
    session: Session,
    row: Delivery,
    attempt_id: str,
    state: DeliveryState,
    attempt: AttemptState,
    reason: str,
    now: datetime,
    actor: str,
) -> None:
    moves.move(
        session,
        row,
        state,
        at=now,
        actor=actor,
        was=row.fence,
        lease_until=None,
        reason=reason,
        data={"reason": reason},
    )
    was = last_attempt(session, row.id).state
    _attempt(session, attempt_id, was, attempt, finished_at=now, detail=reason)


def release(session: Session, row: Delivery, reason: str, now: datetime, again: datetime, actor: str) -> None:
    """claimed -> scheduled: nothing irreversible was called, so trying again is safe."""
    attempt = last_attempt(session, row.id)
    moves.move(
        session,
        row,
        S.scheduled,
        at=now,
        actor=actor,
        was=row.fence,
        lease_until=None,
        reason=reason,
        ready_at=again,
        data={"reason": reason},
    )
    _attempt(session, attempt.id, AttemptState.open, AttemptState.abandoned, finished_at=now, detail=reason)


def keep_back(session: Session, row: Delivery, reason: str, now: datetime, actor: str) -> None:
    moves.move(session, row, S.kept_back, at=now, actor=actor, reason=reason, lease_until=None, data={"reason": reason})


def settle_absent(session: Session, row: Delivery, how: str, now: datetime, actor: str) -> None:
    """unconfirmed -> scheduled (or kept back past its window): positive proof that nothing arrived."""
    attempt = last_attempt(session, row.id)
    late = now > row.latest_start
    target = S.kept_back if late else S.scheduled
    reason = "It never arrived, and its time is over. Pick a new time." if late else f"{how} It is sent again."
    moves.move(
        session, row, target, at=now, actor=actor, ready_at=now, look_at=None, reason=reason, data={"proof": how}
    )
    _attempt(session, attempt.id, AttemptState.unknown, AttemptState.absent, finished_at=now, detail=how)


def publish(session: Session, row: Delivery, marked: bool, now: datetime, again: datetime, actor: str) -> None:
    """`again` is when to read it back once more."""
    moves.move(
        session,
        row,
        S.published,
        at=now,
        actor=actor,
        published_at=now,
        look_at=None,
        looks=0,
        data={"marked": str(marked)},
    )
    receipt = receipt_of(session, row.id)
    receipt.read_back_at, receipt.marked, receipt.again_at = now, marked, again
    session.flush()


def receipt_of(session: Session, delivery_id: str) -> Receipt:
    [receipt] = receipts(session, delivery_id)
    return receipt


def receipts(session: Session, delivery_id: str) -> list[Receipt]:
    """One once it was accepted, none before."""
    return recall.rows(session, Receipt, "delivery_id", delivery_id)


def again(session: Session, now: datetime) -> list[str]:
    """Published deliveries whose time to be read back once more has come."""
    query = select(Receipt.delivery_id).where(col(Receipt.again_at) <= now).order_by(col(Receipt.again_at))
    return list(session.exec(query))


def next_again(session: Session, now: datetime) -> datetime | None:
    return session.exec(select(func.min(Receipt.again_at)).where(col(Receipt.again_at) > now)).one()


def look_again(session: Session, row: Delivery, until: datetime | None) -> None:
    """When to read it back next; None when that was done. Counts afresh how often it could not be asked."""
    row.looks, receipt_of(session, row.id).again_at = 0, until
    session.flush()


def take_again(session: Session, row: Delivery, now: datetime, until: datetime) -> bool:
    """Books one more read-back, so that two workers do not both ask. False when it is not due, or booked already."""
    due = (col(Receipt.delivery_id) == row.id, col(Receipt.again_at) <= now)
    result = session.execute(update(Receipt).where(*due).values(again_at=until))
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        return False
    row.looks += 1
    session.refresh(receipt_of(session, row.id))
    return True


def needs_person(session: Session, row: Delivery, reason: str, now: datetime, actor: str) -> None:
    """Said on the delivery, and in the log once."""
    if row.reason == reason:
        return
    row.reason = reason
    audits.append(
        session,
        at=now,
        organization=row.organization_id,
        actor=actor,
        action="delivery.needs_person",
        noun="delivery",
        noun_id=row.id,
        data={"reason": reason},
    )


def take_look(session: Session, row: Delivery, now: datetime, again: datetime) -> None:
    """Books this read-back, so that two settlers do not both ask. Raises Conflict for the slower one."""
    if not moves.swap(session, row, ("state", "looks"), look_at=again, looks=row.looks + 1):
        raise Conflict("Somebody else is looking.", code="lost_race")


def _attempt(session: Session, attempt_id: str, was: AttemptState, now_is: AttemptState, **values: object) -> None:
    row = session.get_one(Attempt, attempt_id)
    if row.state is not was or not moves.swap(session, row, ("state",), state=now_is, **values):
        raise Conflict("This attempt was settled by somebody else.", code="lost_race")


def reschedule(session: Session, row: Delivery, now: datetime, by: str, **times: Any) -> None:
    """New times for a delivery that has not left. `times` are columns; the log keeps them, and the gate believes it."""
    if row.state not in (S.waiting, S.scheduled) or not moves.swap(session, row, ("state", "due_at"), **times):
        raise Conflict("It is going out, or somebody moved it a moment ago. Look again.", code="lost_race")
    said = {name: value.isoformat() if isinstance(value, datetime) else str(value) for name, value in times.items()}
    audits.append(
        session, at=now, organization=row.organization_id, actor=by, action="delivery.moved", noun="delivery",
        noun_id=row.id, data=said,
    )  # fmt: skip
