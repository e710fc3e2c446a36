"""The contract every platform keeps, in the order the publish protocol calls it.

`intent` is pure and is committed to our database before the first byte leaves. `upload` may be repeated.
`commit` is the one irreversible call, made once per attempt. `read_back` asks the platform what is really there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

Intent = Mapping[str, str]
"""Idempotency material: record key, session URI, container id. Strings, stored as JSON."""


@dataclass(frozen=True)
class MediaPart:
    kind: str
    """"video" or "image"."""
    sha256: str
    path: Path
    """Read through storage, which hashed it; the publisher hashes again while it streams."""
    mime: str
    size: int
    width: int
    height: int
    duration_ms: int
    alt: str


@dataclass(frozen=True)
class Parcel:
    """Exactly what was approved, read from the version's manifest, and nothing else."""

    delivery_id: str
    attempt_id: str
    manifest_sha256: str
    creator_name: str
    creator_slug: str
    title: str
    caption: str
    """First line is the disclosure line."""
    disclosure_line: str
    language: str
    media: tuple[MediaPart, ...]
    captions_vtt: Path | None
    poster: Path | None
    created_at: datetime
    """Fixed for the delivery, so that a repeated call sends identical bytes."""
    proof_url: str


@dataclass(frozen=True)
class Account:
    """A channel with its credentials opened: exists only inside the publish worker."""

    channel_id: str
    platform: str
    address: str
    """Handle, DID or feed slug."""
    endpoint: str
    """Base URL of the service; empty for own_feed."""
    secrets: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    object_id: str
    url: str
    details: Mapping[str, str]


@dataclass(frozen=True)
class Found:
    object_id: str
    url: str
    marked: bool
    """The disclosure is still on the object as the platform shows it."""
    same: bool
    """The object is the one this parcel describes."""


@dataclass(frozen=True)
class Absent:
    """Positive evidence that nothing is there. A timeout is not evidence: raise OutcomeUnknown instead."""

    how: str


Beat = Callable[[], None]
"""Called between chunks; renews the lease, raises Conflict when it is lost."""


NOT_SENT = frozenset({"not_sent", "rate_limited"})
"""Codes of a Refused that says nothing happened this time: the platform has nothing against the post itself."""


class Publisher(Protocol):
    platform: str
    home: str
    """Base URL of the service when a channel names none; empty when it needs none."""

    def check(self, parcel: Parcel) -> None:
        """Raises Refused for what the platform will not take. Pure: asked before anybody reviews."""
        ...

    def connect(self, account: Account) -> tuple[str, str]:
        """The lasting address and the display name behind these credentials. Raises Refused when they are wrong."""
        ...

    def intent(self, parcel: Parcel, account: Account) -> Intent: ...

    def upload(self, parcel: Parcel, account: Account, intent: Intent, beat: Beat) -> Mapping[str, str]: ...

    def commit(
        self, parcel: Parcel, account: Account, intent: Intent, uploaded: Mapping[str, str], seconds: float
    ) -> Answer:
        """Raises Refused when the platform certainly did nothing, OutcomeUnknown for everything else."""
        ...

    def read_back(self, parcel: Parcel, account: Account, intent: Intent) -> Found | Absent:
        """Raises OutcomeUnknown when the platform cannot be asked."""
        ...
