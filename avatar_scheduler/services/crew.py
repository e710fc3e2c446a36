"""The publish worker's threads: take what is due in batches, publish many at once, read each back.

A delivery waits for the network nearly all its time, so one process has many in hand; a slow platform holds its own
threads and no others. Nothing is lost with the process: what was taken and not begun is free again after its lease.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

from avatar_scheduler.clock import Clock
from avatar_scheduler.config import Settings
from avatar_scheduler.crash import crashpoint
from avatar_scheduler.db import ahead
from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.db.grouping import Group
from avatar_scheduler.services import publish, settle

HANDS = 32
AHEAD = 500
"""Taken and not begun, at most: what one process sends in a second or two. The rest is left to other processes."""
log = logging.getLogger(__name__)


class Crew:
    """One for a process. `look` is called by each bell."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._worker = publish.Worker(settings, clock, Group(settings, ahead.read), owner=uuid4().hex)
        self._looking = threading.Lock()
        self._rung = threading.Event()
        self._stopping = threading.Event()
        self._less = threading.Condition()
        self._taken: dict[str, bool] = {}
        """Deliveries in hand; True once begun."""

    def look(self) -> None:
        """Publishes until nothing is due. Returns at once when another thread is at it: that one looks again."""
        self._rung.set()
        while self._rung.is_set() and not self._stopping.is_set() and self._looking.acquire(blocking=False):
            try:
                self._rung.clear()
                self._work()
            finally:
                self._looking.release()

    def stop(self) -> None:
        """Begins nothing more; what was begun is brought to its end by `look`, the rest is given back."""
        self._stopping.set()
        with self._less:
            self._less.notify_all()

    def _work(self) -> None:
        with ThreadPoolExecutor(HANDS, thread_name_prefix="publish") as hands:
            while not self._stopping.is_set() and self._take(hands):
                pass
            with self._less:
                self._less.wait_for(lambda: not self._taken or self._stopping.is_set())
            self._give_back()

    def _take(self, hands: ThreadPoolExecutor) -> bool:
        """False when nothing more is due."""
        with self._less:
            self._less.wait_for(lambda: len(self._waiting()) <= AHEAD // 2 or self._stopping.is_set())
            most = AHEAD - len(self._waiting())
        now, owner = self._clock(), self._worker.owner
        until = now + timedelta(seconds=self._settings.lease_seconds)
        ids = self._worker.write(lambda session: rows.take(session, now, until, owner, most))
        crashpoint("publish.taken")
        with self._less:
            self._taken |= dict.fromkeys(ids, False)
        for delivery_id in ids:
            hands.submit(self._one, delivery_id)
        return bool(ids)

    def _waiting(self) -> list[str]:
        return [delivery_id for delivery_id, begun in self._taken.items() if not begun]

    def _one(self, delivery_id: str) -> None:
        with self._less:
            if delivery_id not in self._taken:
                return  # given back
            self._taken[delivery_id] = True
        try:
            if publish.publish(self._worker, delivery_id):
                settle.run(self._settings, delivery_id, self._clock, self._worker.write)
        except Exception:  # one delivery's trouble is not the others'; the clock finds it again
            log.exception("delivery %s stopped", delivery_id)
        finally:
            with self._less:
                del self._taken[delivery_id]
                self._less.notify_all()

    def _give_back(self) -> None:
        with self._less:
            left = self._waiting()
            for delivery_id in left:
                del self._taken[delivery_id]
        if left:
            self._worker.write(lambda session: rows.put_down(session, left, self._worker.owner, None))
