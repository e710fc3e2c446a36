"""The one mover: a state changes here, by compare-and-set, with its audit entry in the same transaction."""

import functools
from datetime import datetime
from typing import Any

from sqlalchemy import Update, bindparam, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, SQLModel

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
    was: int | None = None,
    **values: Any,
) -> None:
    """Raises Conflict when the move is not in the table, or somebody moved the row since it was read.

    `was` is the fence under which the lease is ours: it must still be that. `values` are further columns written in
    the same statement.
    """
    noun, transitions = _TABLES[type(row)]
    if target not in transitions[row.state]:
        raise Conflict(f"This {noun} is {row.state}; it cannot become {target}.", code="state")
    same = ("state",) if was is None else ("state", "fence")
    before = row.state
    if was not in (None, getattr(row, "fence", None)) or not swap(session, row, same, state=target, **values):
        raise Conflict(f"Somebody else changed this {noun} a moment ago.", code="lost_race")
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


def swap(session: Session, row: SQLModel, same: tuple[str, ...], **values: Any) -> bool:
    """Writes the values where the columns `same` still hold what the row was read with. False when they do not.

    A plain statement: one about objects would compare with every object the session knows.
    """
    session.flush()
    held = {f"same_{name}": getattr(row, name) for name in ("id", *same)}
    done = session.connection().execute(_swap(type(row), same, tuple(values)), {**held, **values})
    if done.rowcount != 1:
        return False
    for name, value in values.items():
        set_committed_value(row, name, value)
    return True


@functools.cache
def _swap(model: type[SQLModel], same: tuple[str, ...], names: tuple[str, ...]) -> Update:
    table = model.__table__  # type: ignore[attr-defined]
    unmoved = [table.c[name] == bindparam(f"same_{name}") for name in ("id", *same)]
    return update(table).where(*unmoved).values({name: bindparam(name) for name in names})
