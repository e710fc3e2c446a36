"""The life of a purchase: one paid call to a vendor for one render."""

from enum import StrEnum


class PurchaseState(StrEnum):
    planned = "planned"
    """Priced and reserved in the budget. A worker submits it; if that one dies before, another may."""
    submitting = "submitting"
    """The call is being made. If the worker dies here nobody knows whether it was bought: it becomes `unknown`."""
    unknown = "unknown"
    """Looked up at the vendor by its own key. Only positive proof that nothing is there allows another call."""
    submitted = "submitted"
    """The vendor has it. The clock asks again at `look_at`, or the vendor calls."""
    ready = "ready"
    """Finished there. A worker fetches it; fetching may be repeated."""
    fetched = "fetched"
    failed = "failed"
    """`reason` says why; the post is editable again."""
    cancelled = "cancelled"


S = PurchaseState
TRANSITIONS: dict[PurchaseState, frozenset[PurchaseState]] = {
    S.planned: frozenset({S.submitting, S.cancelled, S.failed}),
    S.submitting: frozenset({S.submitted, S.unknown, S.failed, S.planned}),
    S.unknown: frozenset({S.submitted, S.planned, S.failed, S.cancelled}),
    S.submitted: frozenset({S.ready, S.failed, S.cancelled}),
    S.ready: frozenset({S.fetched, S.failed, S.cancelled}),
    S.fetched: frozenset(),
    S.failed: frozenset(),
    S.cancelled: frozenset(),
}
UNDER_WAY = frozenset({S.submitting, S.unknown, S.submitted, S.ready})
"""The vendor may be working on it, or keeping it for us."""
OPEN = UNDER_WAY | {S.planned}
