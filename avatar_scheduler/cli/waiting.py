"""Watching rows from the outside, as a page would."""

import time
from collections.abc import Collection, Iterator

from avatar_scheduler.cli.common import operator, settings
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.services import pages
from avatar_scheduler.services.cards import Progress

EVERY = 0.4
"""Seconds between looks; the row is written at most that often."""


def watch(post_id: str, working: Collection[str]) -> Iterator[Progress]:
    """Yields when something changed, until the post leaves the `working` states."""
    who, before = operator(), None
    while True:
        with read_scope(settings()) as session:
            found = pages.progress(session, who, post_id)
        if found != before:
            yield found
        if found.state not in working:
            return
        before = found
        time.sleep(EVERY)  # the row is another process's: nothing here could signal
