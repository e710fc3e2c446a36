"""The one mover: a state changes here, by compare-and-set, with its audit entry in the same transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Delivery, Post, Purchase, Render
from avatar_scheduler.domain import delivery, post, purchase, render
from avatar_scheduler.domain.errors import Conflict

Row = Post | Delivery | Render | Purchase
_TABLES: dict[type[Row], tuple[str, dict[Any, frozenset[Any]]]] = {
    Post: ("post", post.TRANSITIONS),
    Delivery: ("delivery", delivery.TRANSITIONS),
    Render: ("render", render.TRANSITIONS),
    Purchase: ("purchase", purchase.TRANSITIONS),
}


def move(
    session: Session,
    row: Row,
    target: Any,
    *,
    at: datetime,
    actor: str,
    action: str = "",
    data: dict[str, str] | None = None,
    fence: int | None = None,
    **values: Any,
) -> None:
    """Raises Conflict when the move is not in the table, or somebody moved the row since it was read.

    `fence` also asks that the lease is still ours. `values` are further columns written in the same statement.
    """
    noun, transitions = _TABLES[type(row)]
    if target not in transitions[row.state]:
        raise Conflict(f"This {noun} is {row.state}; it cannot become {target}.", code="state")
    model = type(row)
    unmoved = [col(model.id) == row.id, col(model.state) == row.state]
    if fence is not None and not isinstance(row, Post | Purchase):
        unmoved.append(col(type(row).fence) == fence)
    session.flush()
    before = row.state  # the update also writes into the row we hold
    result = session.execute(update(model).where(*unmoved).values(state=target, **values))
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        raise Conflict(f"Somebody else changed this {noun} a moment ago.", code="lost_race")
    session.refresh(row)
    audits.append(
        session,
        at=at,
        organization=row.organization_id,
        actor=actor,
        action=action or f"{noun}.{target}",
        noun=noun,
        noun_id=row.id,
        data={"from": str(before), "to": str(target), **(data or {})},
    )
