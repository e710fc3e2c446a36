"""The contract of a renderer that is not this program: asked over a wire, for money, and never believed.

`plan` is pure. `submit` is the one call that buys; it is made once, after the intent was committed. `find` asks the
vendor what became of a call nobody heard the answer of. `poll`, `fetch` and `cancel` may be repeated.

    Refused          the vendor certainly did nothing; `code` says why, and NOT_SENT that it may be tried again
    OutcomeUnknown   the call began and its answer is not known
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from avatar_scheduler.domain.errors import Forbidden, Refused
from avatar_scheduler.renderers.base import Order

NOT_SENT = frozenset({"not_sent", "rate_limited"})
"""Codes of a Refused that says nothing happened this time."""


class Later(Refused):
    """The vendor said 429 or 503 before doing anything."""

    code = "rate_limited"

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds
        """Clamped, whatever the vendor asked for."""


class NotTheirs(Forbidden):
    code = "signature"

    def __init__(self) -> None:
        super().__init__("This message is not signed by the vendor.")


@dataclass(frozen=True)
class Account:
    """A vendor account with its key opened: exists only inside the render worker."""

    endpoint: str
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Plan:
    estimate_cents: int
    seconds: float
    """How long the film will be, judging by the script."""


@dataclass(frozen=True)
class Purchase:
    """One thing bought, as both sides know it."""

    key: str
    """Ours: idempotency key, callback id, and the end of the title."""
    order: Order
    asked_at: datetime
    """When the call was allowed to leave: what is older at the vendor is not it."""
    hook_url: str = ""
    """Where the vendor may call; empty when nobody outside can reach us."""
    vendor_id: str = ""
    percent: int = 0
    """As last heard."""
    age: float = 0.0
    """Seconds since it was asked for."""

    @property
    def title(self) -> str:
        return f"{self.order.title[:80]} {self.key}"


@dataclass(frozen=True)
class Absent:
    """Positive evidence that nothing is there. A timeout is not evidence: raise OutcomeUnknown instead."""

    how: str


@dataclass(frozen=True)
class Status:
    state: Literal["queued", "working", "ready", "failed", "rejected"]
    percent: int = 0
    """0 when the vendor does not say."""
    reason: str = ""


@dataclass(frozen=True)
class Hook:
    """A vendor's message: never believed, only a reason to ask."""

    event_id: str
    vendor_id: str = ""
    key: str = ""


Beat = Callable[[], None]
"""Called between chunks; renews the lease, raises Conflict when it is lost."""


class Renderer(Protocol):
    name: str
    home: str
    """Base URL of the service when an account names none."""

    def plan(self, order: Order) -> Plan:
        """Raises Invalid for what the vendor cannot make, before anything is spent. Pure."""
        ...

    def submit(self, account: Account, purchase: Purchase, seconds: float) -> str:
        """Buys, and returns the vendor's id."""
        ...

    def find(self, account: Account, purchase: Purchase) -> str | Absent: ...

    def poll(self, account: Account, purchase: Purchase) -> Status: ...

    def fetch(self, account: Account, purchase: Purchase, target: Path, beat: Beat) -> None:
        """Asks for a fresh address each time. Raises OutcomeUnknown for a file that came incomplete."""
        ...

    def cancel(self, account: Account, purchase: Purchase) -> None:
        """Best effort, and fine when there is nothing left to cancel."""
        ...

    def hook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Hook:
        """Raises NotTheirs for a wrong signature, Invalid for what is no message. `headers` are in lower case.

        `secret` is empty for a message to the address of one purchase: its unguessable path is all that speaks for it.
        """
        ...

    def health(self, account: Account) -> str:
        """What the account may still spend, in words. Raises Refused when the key is wrong."""
        ...
