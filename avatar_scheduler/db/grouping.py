"""Many small writes in one transaction: each is kept or undone alone, and nobody hears "done" before the commit.

There is one writer at a time (`db.engine`), and each commit waits for the disk: a hundred deliveries that are due in
the same second would wait three hundred times. Whoever comes while a group commits joins the next one.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import plain, write_scope

T = TypeVar("T")
MOST = 100
"""Steps in one transaction: the last waits for all before it."""


class Write(Protocol):
    """Runs a step in a transaction and returns what it returned, once committed. Raises what the step raised."""

    def __call__(self, step: Callable[[Session], T]) -> T: ...


def alone(settings: Settings) -> Write:
    """Each step in a transaction of its own."""

    def write(step: Callable[[Session], T]) -> T:
        with write_scope(settings) as session:
            return step(session)

    return write


class Group:
    """For many threads of one process. A step that raises is undone; the others of its group are not."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._waiting: deque[tuple[Callable[[Session], Any], Future[Any]]] = deque()
        self._committing = threading.Lock()

    def __call__(self, step: Callable[[Session], T]) -> T:
        answer: Future[T] = Future()
        self._waiting.append((step, answer))
        while not answer.done():
            with self._committing:  # whoever gets it commits for all who wait
                if not answer.done():
                    self._commit()
        return answer.result()

    def _commit(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        try:
            with write_scope(self._settings) as session:
                outcomes = [_outcome(session, step) for step, _ in group]
        except Exception as error:  # noqa: BLE001 - the commit itself: each step hears that nothing was kept
            for _, answer in group:
                answer.set_exception(error)
            return
        for (_, answer), (value, failed) in zip(group, outcomes, strict=True):
            if failed is None:
                answer.set_result(value)
            else:
                answer.set_exception(failed)


def _outcome(session: Session, step: Callable[[Session], Any]) -> tuple[Any, Exception | None]:
    """Trouble with the database itself (a full disk, a lost connection) is raised: it ends the whole group.

    Anything else, a damaged row too, is that step's trouble alone.
    """
    bells = len(session.info.setdefault("bells", []))
    try:
        with session.begin_nested():
            return step(session), None
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - handed to whoever asked
        failed = plain(error) if isinstance(error, DBAPIError) else error
    del session.info["bells"][bells:]
    return None, failed
