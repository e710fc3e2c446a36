"""A hold put on while due posts are going out: nothing starts after it."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event

import pytest
from sqlmodel import select

from avatar_scheduler.clock import utc_now
from avatar_scheduler.db.tables import Audit, Delivery
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.services import holds, publish
from tests.world import World

log = logging.getLogger(__name__)
WORKERS = 4


@pytest.mark.parametrize("posts", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_no_send_starts_after_the_hold_was_committed(world: World, posts: int) -> None:
    before = posts // 5  # sent when somebody taps
    versions = [world.version(world.post("tip", title=f"Tip {n}", at="+1h")) for n in range(posts)]
    for version in versions:
        world.approve(version)
    due = [world.delivery(version).id for version in versions]
    with world.write() as session:  # all due at this very moment, with the whole window before them
        world.now = max(row.ready_at for row in session.exec(select(Delivery)))
    enough, tapping = Event(), Event()

    def send(delivery_id: str) -> None:
        if enough.is_set():  # or on a busy machine all of them were sent before the tap
            tapping.wait(120)
        publish.run(world.settings, delivery_id, world.clock)
        if len(world.ledger) >= before:
            enough.set()

    with ThreadPoolExecutor(WORKERS) as workers:
        sending = [workers.submit(send, delivery_id) for delivery_id in due]
        assert enough.wait(120)
        tapped = utc_now()
        tapping.set()
        with world.write() as session:
            holds.put(session, world.ada, "organization", "", "stop", world.now)
        committed = utc_now()
        for one in sending:
            one.result()
    with world.read() as session:
        stopped = session.exec(select(Audit.seq).where(Audit.action == "hold.on")).one()
        starts = session.exec(select(Audit.seq).where(Audit.action == "delivery.sending")).all()
        left = session.exec(select(Delivery).where(Delivery.state == DeliveryState.scheduled)).all()
    assert before <= len(starts) < posts
    assert max(starts) < stopped
    # The feed's own record: what it took after the commit had its intent committed before, at most one a worker.
    sent = [datetime.fromisoformat(str(line["at"])) for line in world.ledger]
    assert len(sent) == len(starts) == posts - len(left)
    assert len([at for at in sent if at > committed]) <= WORKERS
    last = (max(sent) - tapped).total_seconds()
    log.info("%s of %s sent; the last send %+.3f s after the tap", len(sent), posts, last)
