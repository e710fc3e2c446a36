"""The life of a render: one script into one file."""

from enum import StrEnum


class RenderState(StrEnum):
    queued = "queued"
    """The clock rings, a render worker claims."""
    running = "running"
    """A worker holds the lease. If it dies the clock queues it again, at most `MAX_TRIES` times."""
    waiting = "waiting"
    """A vendor is working on it, no worker is. The clock queues it again at `look_at`."""
    done = "done"
    failed = "failed"
    """`reason` says why; the post is editable again."""
    cancelled = "cancelled"
    """The post was edited or dropped meanwhile."""


S = RenderState
TRANSITIONS: dict[RenderState, frozenset[RenderState]] = {
    S.queued: frozenset({S.running, S.cancelled}),
    S.running: frozenset({S.done, S.failed, S.queued, S.waiting, S.cancelled}),
    S.waiting: frozenset({S.queued, S.failed, S.cancelled}),
    S.done: frozenset(),
    S.failed: frozenset(),
    S.cancelled: frozenset(),
}
MAX_TRIES = 3
"""A render that kills its worker this often is set aside (F32)."""
