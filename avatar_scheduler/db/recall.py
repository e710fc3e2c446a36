"""What a transaction has read once, for all the steps that share it (`grouping`).

There is one writer at a time (`engine`), so what a write transaction read stays true until it writes there itself; the
functions that do keep what is recalled up. An ordinary session recalls nothing and asks the database each time.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any, TypeVar

from sqlmodel import Session, SQLModel, col, select

T = TypeVar("T")
Row = TypeVar("Row", bound=SQLModel)
_KEPT = "recall"


def begin(session: Session) -> None:
    """From now on, until `forget`."""
    session.info[_KEPT] = {}


def forget(session: Session) -> None:
    """After something was undone: whatever was read may have been that."""
    if _KEPT in session.info:
        begin(session)


def kept(session: Session) -> dict[Hashable, Any] | None:
    """None for a session that recalls nothing."""
    found: dict[Hashable, Any] | None = session.info.get(_KEPT)
    return found


def once(session: Session, key: Hashable, read: Callable[[], T]) -> T:
    known = kept(session)
    if known is None:
        return read()
    if key not in known:
        known[key] = read()
    found: T = known[key]
    return found


def rows(session: Session, model: type[Row], column: str, value: str) -> list[Row]:
    """Those with this value in that column, in no order."""
    known = kept(session)
    if known is None or (model, column, value) not in known:
        return fetch(session, model, column, [value])[:]
    return list(known[model, column, value])


def fetch(session: Session, model: type[Row], column: str, values: Collection[str]) -> list[Row]:
    """The same for many values in one statement; by "id" this spares each later `Session.get`."""
    query = select(model).where(col(getattr(model, column)).in_(set(values)))
    found = list(session.exec(query)) if values else []
    known = kept(session)
    if known is not None:
        sorted_: defaultdict[str, list[Row]] = defaultdict(list)
        for row in found:
            sorted_[getattr(row, column)].append(row)
        known |= {(model, column, value): sorted_[value] for value in values}
    return found


def added(session: Session, column: str, row: SQLModel) -> None:
    """A new row of a kind that `rows` is asked for."""
    known = kept(session)
    there: Sequence[Any] | None = known.get((type(row), column, getattr(row, column))) if known is not None else None
    if isinstance(there, list):
        there.append(row)
