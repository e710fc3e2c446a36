"""The contract every platform keeps, in the order the publish protocol calls it.

`intent` is pure and is committed to our database before the first byte leaves. `upload` may be repeated.
`compose` writes the irreversible call, `Cleared` reads it, and `commit` sends just that, once per attempt.
`read_back` asks the platform what is really there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from avatar_scheduler.domain.disclosure import Mark, RequiredMark
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.outbound import Outbound, Reply
from avatar_scheduler.publishers import flags

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
    required: tuple[RequiredMark, ...] = ()
    """What the rules ask of it there. Never empty in truth, so an empty one means that nobody asked: it stays here."""

    @property
    def lines(self) -> list[str]:
        """What the caption begins with: the disclosure, then the sponsor where the rules ask for one."""
        sponsored = any(mark.mark is Mark.sponsor_line for mark in self.required)
        return self.caption.split("\n")[: 2 if sponsored else 1]


@dataclass(frozen=True)
class Request:
    """The irreversible call as it will leave, before anybody has read it."""

    body: bytes
    content_type: str
    caption_at: str
    """Dotted path of the caption in the body."""
    object_id: str
    """What the platform must say it made."""
    url: str = ""
    """Empty for the feed in our own folder."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Cleared:
    """A request that carries every mark of its parcel: it was read, as the platform will, while this was made.

    `commit` takes nothing else. Raises Refused, with each mark that is missing.
    """

    request: Request
    parcel: Parcel

    def __post_init__(self) -> None:
        if reasons := unmarked(self.request, self.parcel):
            raise Refused("Kept back, nothing was posted. " + " ".join(reasons), code="mark_missing")

    def post(self, outbound: Outbound, seconds: float) -> Reply:
        """Sends the very bytes that were read."""
        headers = {**self.request.headers, "Content-Type": self.request.content_type}
        return outbound.call("POST", self.request.url, seconds=seconds, headers=headers, content=self.request.body)


MEANING = frozenset({"content-type", "content-encoding", "transfer-encoding", "x-http-method-override"})
"""Headers that would make the platform read something else than we did."""


def unmarked(request: Request, parcel: Parcel) -> list[str]:
    """Why this request must not leave, one sentence each. No network: asked before anybody reviews, too."""
    if not parcel.required:
        return ["Nobody asked the rules what it must carry."]
    if hidden := sorted(MEANING & {name.lower() for name in request.headers}):
        return [f"Its headers ({', '.join(hidden)}) change what its body means."]
    reasons = flags.lacking(parcel.required, request.body, request.content_type, urlsplit(request.url).query)
    if not parcel.disclosure_line.strip() or parcel.lines[0] != parcel.disclosure_line:
        reasons.append(f"The caption does not start with the AI disclosure line “{parcel.disclosure_line}”.")
    if flags.text_at(request.body, request.content_type, request.caption_at) != parcel.caption:
        reasons.append("The caption on the request is not the approved one.")
    return reasons


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
    ours: bool = False
    """It still shows the media we sent, whatever else became of it."""


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

    def compose(
        self, parcel: Parcel, account: Account, intent: Intent, uploaded: Mapping[str, str], seconds: float
    ) -> Request:
        """The irreversible call, ready to leave. May sign in; posts nothing. Raises Refused.

        `seconds` is how long the request must stay good for.
        """
        ...

    def commit(self, cleared: Cleared, account: Account, seconds: float) -> Answer:
        """Sends it as it stands, within `seconds`.

        Raises Refused when the platform certainly did nothing, OutcomeUnknown for everything else.
        """
        ...

    def read_back(self, parcel: Parcel, account: Account, intent: Intent) -> Found | Absent:
        """Raises OutcomeUnknown when the platform cannot be asked."""
        ...

    def take_down(self, parcel: Parcel, account: Account, intent: Intent) -> None:
        """Removes our object; does nothing when nothing is there, so it may be repeated.

        Raises Refused when it is certainly still there (code "not_ours": what is there no longer shows our media),
        OutcomeUnknown when nobody knows.
        """
        ...


def commit(
    publisher: Publisher,
    parcel: Parcel,
    account: Account,
    intent: Intent,
    uploaded: Mapping[str, str],
    left: Callable[[], float],
) -> Answer:
    """The irreversible call of every platform. `left` says how many seconds of it remain."""
    request = publisher.compose(parcel, account, intent, uploaded, left())
    cleared = Cleared(request, parcel)
    if (seconds := left()) <= 0:
        raise Refused("Preparing the call took all the time there was. Nothing was posted.", code="not_sent")
    return publisher.commit(cleared, account, seconds)
