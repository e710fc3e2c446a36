"""Budgets for paid renders, counted over purchases in the transaction that adds one."""

from datetime import datetime

from sqlmodel import Session, col, func, or_, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Budget, Creator, Purchase
from avatar_scheduler.domain.budget import Month, month_of
from avatar_scheduler.domain.purchase import PurchaseState
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import DECIDE, own, require

_FREE = (PurchaseState.failed, PurchaseState.cancelled)


def put(session: Session, who: Person, creator: Creator, cents: int, now: datetime) -> Budget:
    """From now on; what is under way already goes on."""
    require(who, DECIDE, "set a budget")
    own(who, creator)
    row = session.exec(select(Budget).where(Budget.creator_id == creator.id)).first()
    if row is None:
        row = Budget(
            organization_id=creator.organization_id, creator_id=creator.id, monthly_cents=cents, created_at=now
        )
        session.add(row)
    row.monthly_cents = cents
    session.flush()
    audits.append(
        session,
        at=now,
        organization=creator.organization_id,
        actor=who.member_id,
        action="budget.set",
        noun="budget",
        noun_id=row.id,
        data={"creator": creator.name, "monthly_cents": str(cents)},
    )
    return row


def month(session: Session, creator_id: str, now: datetime, *, but: str = "") -> Month:
    """What is spent or set aside this month, leaving out the purchase `but`.

    A purchase the vendor took counts even when it failed there: whether it is given back is theirs to say.
    """
    start, end = month_of(now)
    cost = func.sum(func.coalesce(func.nullif(col(Purchase.charged_cents), 0), col(Purchase.estimate_cents)))
    mine = (
        col(Purchase.creator_id) == creator_id,
        col(Purchase.id) != but,
        col(Purchase.created_at) >= start,
        col(Purchase.created_at) < end,
        or_(col(Purchase.state).not_in(_FREE), col(Purchase.vendor_id) != ""),
    )
    limit = session.exec(select(Budget.monthly_cents).where(Budget.creator_id == creator_id)).first()
    return Month(limit, int(session.exec(select(cost).where(*mine)).one() or 0))


def reserve(session: Session, purchase: Purchase, now: datetime) -> None:
    """Raises Refused when it does not fit; called in the transaction that writes the purchase, or sends it."""
    creator = session.get_one(Creator, purchase.creator_id)
    found = month(session, creator.id, now, but=purchase.id)
    found.check(purchase.estimate_cents, creator=creator.name, slug=creator.slug)
