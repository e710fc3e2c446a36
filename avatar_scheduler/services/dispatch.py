"""The clock's work: find rows whose state demands something, and ring. A lost bell costs a few seconds."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlmodel import Session, col, func, or_, select

from avatar_scheduler.config import Settings
from avatar_scheduler.crash import crashpoint
from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.db import leases, moves
from avatar_scheduler.db.engine import read_scope, ring_after_commit, write_scope
from avatar_scheduler.db.tables import Audit, Delivery, Post, Render
from avatar_scheduler.domain.delivery import AttemptState, DeliveryState
from avatar_scheduler.domain.errors import Conflict
from avatar_scheduler.domain.render import MAX_TRIES, RenderState
from avatar_scheduler.queue import NOTIFY, PUBLISH, RENDER, SETTLE, ring
from avatar_scheduler.services import history, leftovers, notices, renders, telling

ACTOR = "clock"
BATCH = 500
CALLED = 4
"""Publishers called at once, at most."""
RING_AGAIN = timedelta(seconds=5)
IDLE = timedelta(seconds=5)
"""Longest sleep; a bell or the next due time wakes the clock earlier."""
TERM = timedelta(seconds=20)
SOON = timedelta(milliseconds=50)
log = logging.getLogger(__name__)


@dataclass
class Sweeper:
    """One clock process. Keeps what it rang lately, so that a busy worker is not rung for the same row each time."""

    settings: Settings

    def __post_init__(self) -> None:
        self.owner = uuid4().hex
        self.rung: dict[tuple[str, str], datetime] = {}
        self.asking = telling.Rounds(self.settings)

    def sweep(self, now: datetime) -> datetime:
        """One pass. Returns when to look next. Does nothing while another clock holds the lease."""
        with write_scope(self.settings) as session:
            if not leases.hold(session, "clock", self.owner, now, TERM):
                return now + IDLE
        crashpoint("clock.leading")
        with read_scope(self.settings) as session:
            work = _look(session, now)
        for delivery_id in work.late:
            self._guarded(_keep_back, delivery_id, now)
        for delivery_id in work.lapsed:
            self._guarded(_take_back, delivery_id, now)
        for render_id in work.dead_renders:
            self._guarded(_requeue, render_id, now)
        for render_id in work.rested:
            self._guarded(_wake, render_id, now)
        crashpoint("clock.swept")
        settle, render = work.unsettled + work.again, work.renders + work.leftovers
        more = self._ring_all({PUBLISH: work.due[::BATCH], SETTLE: settle, RENDER: render}, now)
        tell, tell_at = self.asking.look(now, self._guarded)
        more = self._ring_all({NOTIFY: tell}, now) or more
        crashpoint("clock.rung")
        soonest = [now + IDLE, *([now + SOON] if more else []), *(at for at in (work.next_at, tell_at) if at)]
        return max(min(soonest), now + timedelta(milliseconds=5))

    def _guarded(self, step: Callable[[Session, str, datetime], None], noun_id: str, now: datetime) -> None:
        """Each row in a transaction of its own: one that moved meanwhile, or is broken, must not stop the others."""
        try:
            with write_scope(self.settings) as session:
                step(session, noun_id, now)
        except Conflict:
            return
        except Exception:  # a damaged row is one row's trouble, not the whole queue's
            log.exception("%s could not be swept", noun_id)

    def _ring_all(self, work: dict[str, list[str]], now: datetime) -> bool:
        """Rings a batch of each kind, passing over what was rung lately. True when some were left for the next look."""
        self.rung = {key: at for key, at in self.rung.items() if now - at < RING_AGAIN}
        more = False
        for name, ids in work.items():
            fresh = [noun_id for noun_id in ids if (name, noun_id) not in self.rung]
            more = more or len(fresh) > BATCH
            for noun_id in fresh[:BATCH]:
                if not ring(self.settings, name, noun_id):
                    return False  # nobody listens; each further try would only make this sweep late
                self.rung[(name, noun_id)] = now
        return more


@dataclass(frozen=True)
class _Work:
    due: list[str]
    """Nobody took it yet. A bell for each batch: whoever hears it takes whatever is due (`crew`)."""
    late: list[str]
    lapsed: list[str]
    unsettled: list[str]
    again: list[str]
    """Published, and to be read back once more."""
    renders: list[str]
    dead_renders: list[str]
    rested: list[str]
    """Renders whose vendor is asked again."""
    leftovers: list[str]
    next_at: datetime | None


def _look(session: Session, now: datetime) -> _Work:
    state, d = col(Delivery.state), DeliveryState
    leased = state.in_([d.claimed, d.sending])
    looking = state.in_([d.accepted, d.unconfirmed])
    scheduled, running = state == d.scheduled, col(Render.state) == RenderState.running
    resting = col(Render.state) == RenderState.waiting
    waits = state.in_([d.waiting, d.scheduled])

    def ids(*where: object, most: int | None = None) -> list[str]:
        query = select(Delivery.id).where(*where).order_by(col(Delivery.ready_at)).limit(most)  # type: ignore[arg-type]
        return list(session.exec(query))

    lease_over = or_(col(Delivery.lease_until).is_(None), col(Delivery.lease_until) <= now)
    render_ids = select(Render.id).order_by(col(Render.created_at))
    # What has run out is done with in this sweep; were it counted here, one broken row would keep the clock spinning.
    upcoming = [
        session.exec(select(func.min(Delivery.ready_at)).where(scheduled, col(Delivery.ready_at) > now)).one(),
        session.exec(select(func.min(Delivery.lease_until)).where(scheduled, col(Delivery.lease_until) > now)).one(),
        session.exec(select(func.min(Delivery.lease_until)).where(leased, col(Delivery.lease_until) > now)).one(),
        session.exec(select(func.min(Delivery.look_at)).where(looking, col(Delivery.look_at) > now)).one(),
        rows.next_again(session, now),
        session.exec(select(func.min(Render.lease_until)).where(running, col(Render.lease_until) > now)).one(),
        session.exec(select(func.min(Render.look_at)).where(resting, col(Render.look_at) > now)).one(),
    ]
    return _Work(
        due=ids(
            scheduled, col(Delivery.ready_at) <= now, lease_over, col(Delivery.latest_start) >= now, most=CALLED * BATCH
        ),
        late=ids(waits, col(Delivery.latest_start) < now, most=BATCH),
        lapsed=ids(leased, lease_over, most=BATCH),
        unsettled=ids(looking, or_(col(Delivery.look_at).is_(None), col(Delivery.look_at) <= now)),
        again=rows.again(session, now),
        renders=list(session.exec(render_ids.where(col(Render.state) == RenderState.queued))),
        dead_renders=list(session.exec(render_ids.where(running, col(Render.lease_until) <= now))),
        rested=list(session.exec(render_ids.where(resting, col(Render.look_at) <= now))),
        leftovers=leftovers.due(session, now),
        next_at=min((at for at in upcoming if at is not None), default=None),
    )


def _keep_back(session: Session, delivery_id: str, now: datetime) -> None:
    row = session.get_one(Delivery, delivery_id)
    if row.state not in (DeliveryState.waiting, DeliveryState.scheduled):
        return
    waited = row.state is DeliveryState.waiting
    reason = (
        "Nobody decided in time. It was not sent." if waited else "Too late: its time passed before it could be sent."
    )
    rows.keep_back(session, row, reason, now, ACTOR)
    if waited:
        notices.kept_back(session, row, now)


def _take_back(session: Session, delivery_id: str, now: datetime) -> None:
    """A lease ran out. Before the irreversible call: again. After it: unconfirmed, and only a read-back decides."""
    row = session.get_one(Delivery, delivery_id)
    if row.lease_until is not None and row.lease_until > now:
        return
    attempt = rows.last_attempt(session, row.id)
    if row.state is DeliveryState.claimed:
        rows.release(session, row, "The worker stopped before sending; it is tried again.", now, now, ACTOR)
        ring_after_commit(session, PUBLISH, row.id)
    elif row.state is DeliveryState.sending and attempt.state is AttemptState.committing:
        rows.lose(session, row, attempt.id, "The worker stopped while sending. Looking whether it arrived.", now, ACTOR)
        ring_after_commit(session, SETTLE, row.id)


def _requeue(session: Session, render_id: str, now: datetime) -> None:
    render = session.get_one(Render, render_id)
    if render.state is not RenderState.running or (render.lease_until is not None and render.lease_until > now):
        return
    if render.tries >= MAX_TRIES:
        reason = f"The renderer stopped {MAX_TRIES} times on this script. Change the script, then submit it again."
        renders.block(session, render, session.get_one(Post, render.post_id), reason, now)
        return
    moves.move(
        session,
        render,
        RenderState.queued,
        at=now,
        actor=ACTOR,
        was=render.fence,
        lease_until=None,
        step="Waiting",
        data={"tries": str(render.tries)},
    )
    ring_after_commit(session, RENDER, render.id)


def _wake(session: Session, render_id: str, now: datetime) -> None:
    render = session.get_one(Render, render_id)
    if render.state is RenderState.waiting and (render.look_at is None or render.look_at <= now):
        moves.move(session, render, RenderState.queued, at=now, actor=ACTOR)
        ring_after_commit(session, RENDER, render.id)


def checkpoint(settings: Settings) -> None:
    """Writes the head of the audit chain outside the database, so that a cut tail is found.

    Only ever forward: over a log that does not hold the earlier checkpoint, that checkpoint is the evidence.
    """
    known = history.head(settings)
    history.watch(settings, known, whole=False)
    with read_scope(settings) as session:
        last = session.exec(select(Audit).order_by(col(Audit.seq).desc()).limit(1)).first()
        held = session.get(Audit, known[0]) if known else None
    if known is not None and (held is None or held.hash != known[1]):
        log.error("the audit log does not hold entry %d of the checkpoint: run avatar-scheduler audit verify", known[0])
        return
    if last is None:
        return
    target = settings.data / history.HEAD
    part = target.with_suffix(f".{uuid4().hex}.part")
    part.write_text(json.dumps({"seq": last.seq, "hash": last.hash, "at": last.at.isoformat()}))
    part.replace(target)


def verify_log(settings: Settings) -> None:
    """Every hash of the log, now and then: an edited old entry is found within the hour."""
    history.watch(settings, history.head(settings), whole=True)
