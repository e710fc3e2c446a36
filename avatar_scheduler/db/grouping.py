"""Many small writes in one transaction: each is kept or undone alone, and nobody hears "done" before the commit.

There is one writer at a time (`db.engine`), and each commit waits for the disk: a hundred deliveries that are due in
the same second would wait three hundred times. Whoever comes while a group commits joins the next one.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import nullcontext, suppress
from typing import Any, Protocol, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from avatar_scheduler.config import Settings
from avatar_scheduler.db import recall
from avatar_scheduler.db.engine import plain, write_scope

T = TypeVar("T")
MOST = 100
"""Steps in one transaction: the last waits for all before it."""


Outcome = tuple[Any, Exception | None]
ReadAhead = Callable[[Session, Sequence[str]], object]


class Write(Protocol):
    """Runs a step in a transaction and returns what it returned, once committed. Raises what the step raised.

    `about` is the delivery it is about. A step may be run twice: what it does outside of the transaction must bear it.
    """

    def __call__(self, step: Callable[[Session], T], about: str = "") -> T: ...


def alone(settings: Settings) -> Write:
    """Each step in a transaction of its own."""

    def write(step: Callable[[Session], T], about: str = "") -> T:
        with write_scope(settings) as session:
            return step(session)

    return write


class _Apart(Exception):
    """One of them raised, so all are undone: run again, each to be kept or undone alone."""


class Group:
    """For many threads of one process. A step that raises is undone; the others of its group are not.

    `read_ahead` reads in few statements what steps about these deliveries will ask for one by one (`recall`).
    """

    def __init__(self, settings: Settings, read_ahead: ReadAhead) -> None:
        self._settings, self._read_ahead = settings, read_ahead
        self._waiting: deque[tuple[Callable[[Session], Any], str, Future[Any]]] = deque()
        self._committing = threading.Lock()

    def __call__(self, step: Callable[[Session], T], about: str = "") -> T:
        answer: Future[T] = Future()
        self._waiting.append((step, about, answer))
        while not answer.done():
            with self._committing:  # whoever gets it commits for all who wait
                if not answer.done():
                    self._commit()
        return answer.result()

    def _commit(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        steps = [step for step, _, _ in group]
        try:
            outcomes = self._outcomes(steps, [about for _, about, _ in group if about])
        except Exception as error:  # noqa: BLE001 - the commit itself: each step hears that nothing was kept
            for _, _, answer in group:
                answer.set_exception(error)
            return
        for (_, _, answer), (value, failed) in zip(group, outcomes, strict=True):
            if failed is None:
                answer.set_result(value)
            else:
                answer.set_exception(failed)

    def _outcomes(self, steps: Sequence[Callable[[Session], Any]], about: Sequence[str]) -> list[Outcome]:
        with suppress(_Apart), write_scope(self._settings) as session:
            recall.begin(session)
            together = [lambda session: self._read_ahead(session, about), *steps]
            outcomes = [_outcome(session, step, apart=False) for step in together]
            if any(failed for _, failed in outcomes):
                raise _Apart
            return outcomes[1:]
        with write_scope(self._settings) as session:
            recall.begin(session)
            return [_outcome(session, step, apart=True) for step in steps]


def _outcome(session: Session, step: Callable[[Session], Any], *, apart: bool) -> Outcome:
    """Trouble with the database itself (a full disk, a lost connection) is raised: it ends the whole group.

    Anything else, a damaged row too, is that step's trouble alone.
    """
    bells = len(session.info.setdefault("bells", []))
    try:
        with session.begin_nested() if apart else nullcontext():
            return step(session), None
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - handed to whoever asked
        failed = plain(error) if isinstance(error, DBAPIError) else error
    del session.info["bells"][bells:]
    recall.forget(session)
    return None, failed
