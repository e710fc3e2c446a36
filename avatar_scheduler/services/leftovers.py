"""Purchases nobody waits for any more: the post was edited or dropped. What can be cancelled at the vendor is."""

import json
from datetime import datetime, timedelta

from sqlmodel import Session, col, or_, select

from avatar_scheduler.clock import Clock
from avatar_scheduler.config import Settings
from avatar_scheduler.db import moves
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.db.tables import Purchase, Render
from avatar_scheduler.domain.errors import SchedulerError
from avatar_scheduler.domain.purchase import OPEN, PurchaseState
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.services import purchases
from avatar_scheduler.services.purchases import ACTOR, Errand, NotYet

GONE = (RenderState.cancelled, RenderState.failed)
AGAIN = timedelta(seconds=30)
S = PurchaseState


def due(session: Session, now: datetime, *only: str) -> list[str]:
    """Renders that ended while something is still being bought for them; all, or those of `only`."""
    query = select(Render.id).where(
        Purchase.render_id == Render.id,
        col(Purchase.state).in_(OPEN),
        col(Render.state).in_(GONE),
        or_(col(Render.look_at).is_(None), col(Render.look_at) <= now),
    )
    return list(session.exec(query.where(col(Render.id).in_(only)) if only else query))


def drop(settings: Settings, render_id: str, clock: Clock) -> bool:
    """One step towards the end of such a purchase. False when there is none."""
    with read_scope(settings) as session:
        if not due(session, clock(), render_id):
            return False
    with write_scope(settings) as session:
        now = clock()
        if not due(session, now, render_id):
            return True  # another worker is at it
        render = session.get_one(Render, render_id)
        row = session.exec(select(Purchase).where(Purchase.render_id == render_id)).one()
        render.look_at = now + AGAIN
        if row.state is S.planned:
            moves.move(session, row, S.cancelled, at=now, actor=ACTOR, finished_at=now)
            return True
        order = Order.read(json.loads(render.order))
    try:
        _end(purchases.errand_for(settings, render_id, order, clock))
    except (NotYet, SchedulerError):
        return True  # looked at again soon
    return True


def _end(errand: Errand) -> None:
    if errand.row.state is S.submitting:
        if errand.clock() > purchases.sure_at(errand):  # before that its worker may still be calling
            purchases.lost(errand)
    elif errand.row.state is S.unknown:
        purchases.settle(errand)
    else:
        reason = "Cancelled, because the post was edited or dropped."
        try:
            errand.there.cancel(errand.account, errand.bought())
        except SchedulerError as error:
            if not errand.too_old():
                raise
            reason = f"It could not be cancelled there: {error.message}"
        purchases.move(errand, S.cancelled, reason=reason, finished_at=errand.clock())
