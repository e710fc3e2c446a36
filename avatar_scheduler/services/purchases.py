"""A render bought from a vendor, step by step. domain/purchase explains the states.

plan      one transaction with the render: estimate, budget, account                 -> planned
buy       one transaction: consent, budget, room; then the one call                  -> submitting, submitted
settle    nobody heard the answer: the vendor is asked by our own key                -> submitted, or planned again
ask       progress, again and again, each time later                                 -> ready or failed
fetch     repeatable; the file is kept by its hash                                   -> fetched

No worker waits for a vendor: `NotYet` gives the render back to the clock.
"""

import json
import logging
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, func, select

from avatar_scheduler.clock import Clock
from avatar_scheduler.config import Settings
from avatar_scheduler.crash import crashpoint
from avatar_scheduler.db import moves
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.db.tables import Post, Render
from avatar_scheduler.db.tables import Purchase as Row
from avatar_scheduler.domain.errors import NotFound, OutcomeUnknown, Refused, SchedulerError
from avatar_scheduler.domain.purchase import UNDER_WAY, PurchaseState
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.renderers import renderer
from avatar_scheduler.renderers.base import VENDOR_FILM, Order
from avatar_scheduler.renderers.contract import NOT_SENT, Absent, Account, Later, Purchase, Renderer
from avatar_scheduler.rules.renderers import vendor
from avatar_scheduler.services import budgets, consents, vendors
from avatar_scheduler.storage import Blobs

ACTOR = "purchase"
SOONEST, LATEST = 5.0, 300.0
MARGIN = timedelta(seconds=60)
"""Past a call's deadline before an absence counts: what was taken at the last moment must show in their list."""
ROOM = timedelta(seconds=30)
STUCK = timedelta(minutes=20)
GIVE_UP = timedelta(hours=24)
_FILMED = ("renderer", "vendor", "language", "text", "pronunciations", "staging")
"""What of an order the vendor's film depends on."""
S = PurchaseState
log = logging.getLogger(__name__)


class NotYet(Exception):
    """The vendor is not done, or cannot be asked now. Not a failure: the clock comes back at `look_at`."""

    def __init__(self, look_at: datetime, step: str, percent: int = 0) -> None:
        super().__init__(step)
        self.look_at, self.step, self.percent = look_at, step, percent


def plan(session: Session, post: Post, render: Render, order: Order, now: datetime) -> Row:
    """Priced and set aside, or refused with the figures: before the post leaves its draft.

    A film this post already has, of the same words and settings, is not bought again: its label, caption and time are
    ours to change.
    """
    vendors.account(session, post.organization_id, order.renderer)
    estimate, had = renderer(order.renderer).plan(order).estimate_cents, _had(session, post, order)
    row = Row(
        organization_id=post.organization_id,
        creator_id=post.creator_id,
        render_id=render.id,
        renderer=order.renderer,
        state=S.fetched if had else S.planned,
        media_sha256=had,
        estimate_cents=0 if had else estimate,
        created_at=now,
        finished_at=now if had else None,
    )
    budgets.reserve(session, row, now)
    session.add(row)
    session.flush()
    return row


def _had(session: Session, post: Post, order: Order) -> str:
    """SHA-256 of such a film, from a render that did not fail: a film that cannot be used is no film."""
    usable = col(Render.state).in_([RenderState.done, RenderState.cancelled])
    query = select(Row.media_sha256, Render.order).where(
        Render.id == Row.render_id, Render.post_id == post.id, Row.state == S.fetched, usable
    )
    for sha256, text in session.exec(query):
        earlier = Order.read(json.loads(text))
        if all(getattr(earlier, name) == getattr(order, name) for name in _FILMED):
            return sha256
    return ""


Beat = Callable[[int, str], None]


@dataclass(frozen=True)
class Errand:
    """What one worker knows while it holds the render."""

    settings: Settings
    clock: Clock
    order: Order
    there: Renderer
    account: Account
    row: Row

    @property
    def name(self) -> str:
        return vendor(self.row.renderer).name

    def bought(self, **more: str) -> Purchase:
        asked = self.row.submitted_at or self.clock()
        return Purchase(
            key=self.row.id,
            order=self.order,
            asked_at=asked,
            vendor_id=self.row.vendor_id,
            percent=self.row.percent,
            age=(self.clock() - asked).total_seconds(),
            **more,
        )

    def later(self, step: str, percent: int = 0) -> NotYet:
        """The longer it takes, the less often we ask."""
        age = (self.clock() - (self.row.submitted_at or self.clock())).total_seconds()
        return NotYet(self.clock() + timedelta(seconds=min(LATEST, max(SOONEST, age / 6))), step, percent)

    def too_old(self) -> bool:
        return self.row.submitted_at is not None and self.clock() - self.row.submitted_at > GIVE_UP


Step = Callable[[Errand], None]


def bring(settings: Settings, render_id: str, order: Order, folder: Path, clock: Clock, beat: Beat) -> None:
    """Puts the vendor's film into the folder. Raises NotYet, or the reason why there will be none."""
    steps: dict[PurchaseState, Step] = {
        S.planned: _buy,
        S.submitting: lost,
        S.unknown: settle,
        S.submitted: _ask,
    }
    while True:
        errand = errand_for(settings, render_id, order, clock)
        if errand.row.state is S.fetched:
            if not (folder / VENDOR_FILM).exists():
                shutil.copyfile(Blobs(settings.blobs).verified(errand.row.media_sha256), folder / VENDOR_FILM)
            return
        if errand.row.state is S.ready:
            _fetch(errand, folder, beat)
            continue
        if errand.row.state not in steps:
            raise Refused(errand.row.reason or "This purchase is over.", code="purchase")
        steps[errand.row.state](errand)


def errand_for(settings: Settings, render_id: str, order: Order, clock: Clock) -> Errand:
    with read_scope(settings) as session:
        row = session.exec(select(Row).where(Row.render_id == render_id)).one()
        sealed = vendors.account(session, row.organization_id, row.renderer)
    return Errand(
        settings,
        clock,
        order,
        renderer(row.renderer, settings.allow_hosts),
        vendors.open_account(settings, sealed),
        row,
    )


def _seconds(settings: Settings) -> float:
    """The deadline of the buying call: well inside the lease."""
    return settings.lease_seconds / 2


def _buy(errand: Errand) -> None:
    armed, token = time.monotonic(), "hook_" + secrets.token_urlsafe(32)
    try:
        errand = _intend(errand, token)
    except Refused as error:
        _over(errand, S.failed, error.message)
        raise
    crashpoint("purchase.submitting")
    hook = f"{errand.settings.base_url}/hooks/{errand.row.renderer}/{token}"
    try:
        left = _seconds(errand.settings) - (time.monotonic() - armed)
        if left <= 0:
            raise Refused("The worker was held up and did not send.", code="not_sent")
        url = hook if errand.settings.secure_cookies else ""
        vendor_id = errand.there.submit(errand.account, errand.bought(hook_url=url), left)
    except OutcomeUnknown as error:
        move(errand, S.unknown, reason=error.message)
        raise errand.later(f"Looking whether {errand.name} took it") from None
    except SchedulerError as error:
        if error.code not in NOT_SENT:
            _over(errand, S.failed, error.message)
            raise
        move(errand, S.planned, reason=error.message)
        wait = error.seconds if isinstance(error, Later) else SOONEST * 4
        raise NotYet(errand.clock() + timedelta(seconds=wait), error.message) from None
    crashpoint("purchase.called")
    _taken(errand, vendor_id)
    crashpoint("purchase.submitted")
    raise errand.later(f"{errand.name} has it")


def _intend(errand: Errand, token: str) -> Errand:
    """The last look before the call, in the transaction that says it may have left."""
    with write_scope(errand.settings) as session:
        now = errand.clock()
        row = session.get_one(Row, errand.row.id)
        _consented(session, row, now)
        budgets.reserve(session, row, now)
        busy = select(func.count()).where(
            Row.renderer == row.renderer, Row.organization_id == row.organization_id, Row.id != row.id,
            col(Row.state).in_(UNDER_WAY),
        )  # fmt: skip
        if session.exec(busy).one() >= vendor(row.renderer).parallel:
            step = f"Waiting for room: {errand.name} takes {vendor(row.renderer).parallel} at a time"
            raise NotYet(now + ROOM, step)
        moves.move(session, row, S.submitting, at=now, actor=ACTOR, submitted_at=now, hook_sha256=vendors.digest(token))
        return Errand(errand.settings, errand.clock, errand.order, errand.there, errand.account, row)


def _consented(session: Session, row: Row, now: datetime) -> None:
    """Raises Refused when the creator no longer agrees: their likeness goes to nobody, and nothing comes back."""
    render = session.get_one(Render, row.render_id)
    post = session.get_one(Post, render.post_id)
    consents.check_post(session, post, now)


def sure_at(errand: Errand) -> datetime:
    """From when on an absence proves something: the call's deadline is past, and so is our margin."""
    return (errand.row.submitted_at or errand.clock()) + timedelta(seconds=_seconds(errand.settings)) + MARGIN


def lost(errand: Errand) -> None:
    move(errand, S.unknown, reason="The worker stopped while it was ordering.")


def settle(errand: Errand) -> None:
    """Only positive proof that nothing is there, looked for late enough, allows another call."""
    try:
        found = errand.there.find(errand.account, errand.bought())
    except SchedulerError as error:
        if errand.too_old():
            reason = f"Nobody can tell whether {errand.name} made it. Look there yourself, then submit the post again."
            _over(errand, S.failed, reason)
            raise Refused(reason, code="vendor_lost") from None
        raise errand.later(f"Looking whether {errand.name} took it: {error.message}") from None
    crashpoint("purchase.found")
    if not isinstance(found, Absent):
        _taken(errand, found)
    elif errand.clock() > sure_at(errand):
        move(errand, S.planned, reason=found.how)
    else:
        raise NotYet(sure_at(errand) + timedelta(seconds=1), f"Looking whether {errand.name} took it")


def _taken(errand: Errand, vendor_id: str) -> None:
    """Written whoever holds the render by now: an id that is lost is a film paid for twice."""
    with write_scope(errand.settings) as session:
        row = session.get_one(Row, errand.row.id)
        if row.state in (S.submitting, S.unknown):
            now = errand.clock()
            moves.move(
                session,
                row,
                S.submitted,
                at=now,
                actor=ACTOR,
                vendor_id=vendor_id,
                percent_at=now,
                reason="",
                data={"vendor_id": vendor_id},
            )
        elif row.vendor_id != vendor_id:
            log.error("purchase %s: %s answered with %s, but it is %s", row.id, row.renderer, vendor_id, row.state)


def _ask(errand: Errand) -> None:
    try:
        status = errand.there.poll(errand.account, errand.bought())
    except SchedulerError as error:
        _give_up_if_old(errand)
        raise errand.later(error.message, errand.row.percent) from None
    if status.state == "ready":
        crashpoint("purchase.polled")
        move(errand, S.ready, percent=100)
        return
    if status.state in ("failed", "rejected"):
        what = "refused this content" if status.state == "rejected" else "could not make the film"
        reason = f"{errand.name} {what}: {status.reason[:300]}. Change the script, or use a built-in avatar."
        _over(errand, S.failed, reason)
        raise Refused(reason, code="moderation" if status.state == "rejected" else "vendor_failed")
    _give_up_if_old(errand)
    percent = max(status.percent, 1) if status.state == "working" else 0
    since = _heard(errand, percent)
    raise errand.later(_told(errand, status.state, percent, since), percent)


def _heard(errand: Errand, percent: int) -> datetime:
    """Since when it stands at this percentage."""
    now = errand.clock()
    if percent == errand.row.percent and errand.row.percent_at is not None:
        return errand.row.percent_at
    with write_scope(errand.settings) as session:
        row = session.get_one(Row, errand.row.id)
        row.percent, row.percent_at = percent, now
    return now


def _told(errand: Errand, state: str, percent: int, since: datetime) -> str:
    minutes = int((errand.clock() - since).total_seconds() // 60)
    if errand.clock() - since > STUCK:
        return f"{errand.name} has not moved for {minutes} minutes{f' ({percent} %)' if percent > 1 else ''}"
    return f"{errand.name} works on it" if state == "working" else f"In {errand.name}'s queue"


def _give_up_if_old(errand: Errand) -> None:
    if errand.too_old():
        hours = int(GIVE_UP.total_seconds() // 3600)
        reason = f"{errand.name} did not finish within {hours} hours. Look there, or use a built-in avatar."
        _over(errand, S.failed, reason)
        raise Refused(reason, code="vendor_late")


def _fetch(errand: Errand, folder: Path, beat: Beat) -> None:
    with read_scope(errand.settings) as session:
        _consented(session, errand.row, errand.clock())
    target = folder / VENDOR_FILM
    try:
        errand.there.fetch(errand.account, errand.bought(), target, lambda: beat(60, f"Fetching it from {errand.name}"))
        crashpoint("purchase.fetched")
        sha256 = Blobs(errand.settings.blobs).put(target)
    except (OutcomeUnknown, NotFound, Refused, OSError) as error:  # a full disk too: it is paid for and can wait
        target.unlink(missing_ok=True)
        _give_up_if_old(errand)
        reason = error.message if isinstance(error, SchedulerError) else f"{error.strerror}."
        raise errand.later(f"Fetching it: {reason}", 60) from None
    move(errand, S.fetched, media_sha256=sha256, finished_at=errand.clock(), charged_cents=errand.row.estimate_cents)
    crashpoint("purchase.stored")


def charge(session: Session, render_id: str, duration_ms: int) -> None:
    """By the film's real length, at the price we know. A film we had already costs nothing."""
    row = session.exec(select(Row).where(Row.render_id == render_id)).one()
    if row.vendor_id:
        row.charged_cents = vendor(row.renderer).cents(duration_ms / 1000)


def move(errand: Errand, state: PurchaseState, **values: Any) -> None:
    with write_scope(errand.settings) as session:
        moves.move(session, session.get_one(Row, errand.row.id), state, at=errand.clock(), actor=ACTOR, **values)


def _over(errand: Errand, state: PurchaseState, reason: str) -> None:
    move(errand, state, reason=reason, finished_at=errand.clock(), data={"reason": reason})
