"""How often one address may try a door. Counted in this process: with several, each counts for itself."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request

from avatar_scheduler.domain.errors import Conflict
from avatar_scheduler.web.deps import Now

MINUTE = timedelta(minutes=1)
MOST_KEPT = 10_000
"""Addresses remembered; the oldest are forgotten."""


class Throttle:
    def __init__(self) -> None:
        self._tries: dict[tuple[str, str], deque[datetime]] = {}
        self._lock = Lock()

    def count(self, door: str, address: str, most: int, now: datetime) -> None:
        """Raises Conflict (locked) for one too many within a minute."""
        with self._lock:
            tries = self._tries.pop((door, address), deque())
            while tries and tries[0] <= now - MINUTE:
                tries.popleft()
            over = len(tries) >= most
            if not over:
                tries.append(now)
            self._tries[door, address] = tries  # the newest last
            if len(self._tries) > MOST_KEPT:
                self._tries.pop(next(iter(self._tries)))
        if over:
            raise Conflict("Too many tries. Wait a minute, then try again.", code="locked")


_MAKING = Lock()


def count(request: Request, door: str, most: int, now: datetime) -> None:
    """Raises Conflict (locked) for the one too many of this network address."""
    with _MAKING:
        if not hasattr(request.app.state, "throttle"):
            request.app.state.throttle = Throttle()
    throttle: Throttle = request.app.state.throttle
    throttle.count(door, request.client.host if request.client else "", most, now)


def limited(door: str, most: int) -> Callable[[Request, datetime], None]:
    """A dependency: at most so many calls a minute from one network address."""

    def check(request: Request, now: Now) -> None:
        count(request, door, most, now)

    return check


SignInTry = Annotated[None, Depends(limited("sign_in", 30))]
LinkTry = Annotated[None, Depends(limited("link", 10))]
