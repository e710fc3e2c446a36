"""The life of a delivery: one version, one channel, one time.

Nothing but `sending` may make the irreversible call, and a lease that ends in `sending` never allows a second one.
"""

from datetime import timedelta
from enum import StrEnum


class DeliveryState(StrEnum):
    waiting = "waiting"
    """Its version is not approved yet. Approval moves it on; the clock keeps it back past `latest_start`."""
    scheduled = "scheduled"
    """Approved, its time has not come or nobody has claimed it. The clock rings, a publish worker claims."""
    claimed = "claimed"
    """A worker holds the lease and may upload. If it dies nothing irreversible happened: it is scheduled again."""
    sending = "sending"
    """The irreversible call may have left. If the worker dies the clock makes it `unconfirmed`."""
    accepted = "accepted"
    """The platform answered yes. A read-back makes it `published`; the clock asks for it until it happens."""
    published = "published"
    """Read back from the platform."""
    unconfirmed = "unconfirmed"
    """Sent, and nobody knows whether it arrived. Settled by reading back, never by sending again."""
    failed = "failed"
    """Refused for certain; `reason` says why in words. A new version is the way on."""
    kept_back = "kept_back"
    """Too late, no consent, or a mark is missing. Nothing was sent."""
    withdrawn = "withdrawn"
    """Its version was replaced, rejected or cancelled before it left."""


S = DeliveryState
TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    S.waiting: frozenset({S.scheduled, S.kept_back, S.withdrawn}),
    S.scheduled: frozenset({S.claimed, S.waiting, S.kept_back, S.withdrawn}),
    S.claimed: frozenset({S.sending, S.scheduled, S.kept_back, S.failed}),
    S.sending: frozenset({S.accepted, S.failed, S.unconfirmed}),
    S.accepted: frozenset({S.published}),
    S.unconfirmed: frozenset({S.accepted, S.scheduled, S.kept_back}),
    S.published: frozenset(),
    S.failed: frozenset(),
    S.kept_back: frozenset(),
    S.withdrawn: frozenset(),
}
IN_FLIGHT = frozenset({S.claimed, S.sending, S.accepted, S.unconfirmed})
SETTLED = frozenset(state for state, nexts in TRANSITIONS.items() if not nexts)

GRACE = timedelta(minutes=30)
"""Past due plus this, nothing goes out by itself (reliability-security I8)."""


WINDOW = timedelta(hours=2)
"""Before and after its time, as the person who decides sees it: inside, it may be moved without asking again."""


class AttemptState(StrEnum):
    open = "open"
    """Intent committed, nothing irreversible called."""
    committing = "committing"
    """The irreversible call may have left."""
    unknown = "unknown"
    """No answer. Blocks any new attempt until a read-back settles it."""
    accepted = "accepted"
    refused = "refused"
    absent = "absent"
    """Read-back proved that nothing arrived."""
    abandoned = "abandoned"
    """The worker ended before the irreversible call."""


UNSETTLED_ATTEMPTS = (AttemptState.committing, AttemptState.unknown)
