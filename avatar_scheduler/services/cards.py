"""What the review, post and public pages show, as plain data. Pages translate words; these carry facts."""

from dataclasses import dataclass
from datetime import date, datetime

from avatar_scheduler.domain.disclosure import Blocked


@dataclass(frozen=True)
class Asker:
    """A law or a platform's rule that asks for a mark."""

    rule: str
    law: str
    source: str
    checked: date


@dataclass(frozen=True)
class Layer:
    """One required mark, whoever and however many ask for it."""

    mark: str
    """A `Mark` value."""
    state: str
    """"ready", "after_render", "at_posting", "missing" or "not_offered"."""
    detail: str
    """What was measured, or the words it will have."""
    tool: str = ""
    """Name and version of what measured it."""
    measured: tuple[tuple[str, str], ...] = ()
    """Names and numbers as the tool gave them."""
    asked_by: tuple[Asker, ...] = ()


@dataclass(frozen=True)
class QueueRow:
    version_id: str
    title: str
    creator: str
    creator_slug: str
    kind: str
    core: bool
    due_at: datetime
    seconds_left: int
    """Until the decision deadline; negative once it has passed."""
    sponsored: str = "no"


@dataclass(frozen=True)
class Target:
    platform: str
    address: str
    due_at: datetime
    zone: str
    state: str
    """A delivery state."""
    url: str
    reason: str


@dataclass(frozen=True)
class GoingOut:
    post_id: str
    delivery_id: str
    title: str
    target: Target


@dataclass(frozen=True)
class Picture:
    url: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class StageRow:
    number: int
    """From 0."""
    asks: tuple[str, ...]
    """Selectors of `domain.stages`."""
    all: bool
    names: tuple[str, ...]
    """Who said yes, or, while it is open, who is asked."""
    state: str
    """"done", "open" or "later"."""


@dataclass(frozen=True)
class Card:
    version_id: str
    version_number: int
    version_hash: str
    post_id: str
    title: str
    kind: str
    core: bool
    language: str
    creator: str
    creator_slug: str
    script: str
    caption: str
    post_state: str
    layers: tuple[Layer, ...]
    targets: tuple[Target, ...]
    due_at: datetime | None
    deadline: datetime | None
    seconds_left: int | None
    zone: str
    duration_ms: int
    seen_ms: int
    seen_complete: bool
    must_see: bool
    """Core kinds, and films with a person's own clip, unlock only once `seen_complete`."""
    human_ms: tuple[tuple[int, int], ...]
    """Where the avatar label is absent, because a person's own film is said to be seen."""
    can_decide: bool
    """False for a role that may not, or when somebody decided already."""
    decided: str
    """"", "approved", "rejected" or "changes_requested"."""
    decided_by: str
    approval_id: str
    undo_until: datetime | None
    consent_until: datetime | None
    newer_version_id: str
    """Set when this version is no longer the current one."""
    changes: tuple[tuple[str, str], ...]
    """Script diff against the version before: ("same" | "removed" | "added", text)."""
    video_url: str
    """Empty for a post of pictures."""
    poster_url: str
    captions_url: str
    pictures: tuple[Picture, ...] = ()
    """None for a film."""
    looked_at: tuple[int, ...] = ()
    """Numbers of the pictures this person has seen, from 1."""
    sponsored: str = "no"
    """Who pays: one of `domain.disclosure.SPONSORED`."""
    stopped: Blocked | None = None
    """A rule that keeps it from going where it was meant to go, whatever marks it has."""
    reasons: tuple[tuple[str, str, str], ...] = ()
    """Why its content needs a person: what, in which field, the words."""
    stages: tuple[StageRow, ...] = ()
    asked: bool = True
    """Whether this person's yes is the one the open stage waits for."""
    passkey: bool = False
    """This person has one."""
    grade: str = ""
    """Of the decision: "passkey", "session", "terminal" or "standing"."""
    self_approved: bool = False
    consent_problem: str = ""
    """Why the creator's consent does not cover it now; such a post cannot be approved."""
    window: tuple[datetime, datetime] | None = None
    """In which its time may still be moved without asking again."""


@dataclass(frozen=True)
class Progress:
    post_id: str
    title: str
    state: str
    percent: int
    step: str
    reason: str
    version_id: str


@dataclass(frozen=True)
class TimelineRow:
    at: datetime
    actor: str
    action: str
    """An audit action such as "post.approved"; pages have a sentence for each."""
    data: dict[str, str]
    hash: str


@dataclass(frozen=True)
class PostPage:
    progress: Progress
    kind: str
    core: bool
    creator: str
    creator_slug: str
    script: str
    caption: str
    language: str
    targets: tuple[Target, ...]
    timeline: tuple[TimelineRow, ...]
    video_url: str
    poster_url: str
    captions_url: str
    pictures: tuple[Picture, ...] = ()
    sponsored: str = "no"
    layers: tuple[Layer, ...] = ()
    """Of the current version; none before there is one."""


@dataclass(frozen=True)
class FeedPicture(Picture):
    mime: str
    size: int
    sha256: str


@dataclass(frozen=True)
class FeedItem:
    """As the feed itself stores it: the other side's record, not our database's."""

    id: str
    title: str
    caption: str
    disclosure_line: str
    language: str
    published_at: datetime
    video_url: str
    """Empty for a post of pictures."""
    video_size: int
    video_sha256: str
    poster_url: str
    captions_url: str
    width: int
    height: int
    duration_ms: int
    url: str
    proof_url: str
    pictures: tuple[FeedPicture, ...] = ()


@dataclass(frozen=True)
class FeedPage:
    creator: str
    slug: str
    url: str
    atom_url: str
    json_url: str
    items: tuple[FeedItem, ...]


@dataclass(frozen=True)
class Given:
    stage: int
    by: str
    acted_as: str
    """A selector of `domain.stages`; "+self" for the author themselves, "+delegate" for whom they named."""
    grade: str
    at: datetime


@dataclass(frozen=True)
class Proof:
    title: str
    creator: str
    creator_slug: str
    approved_by: str
    approved_how: str
    """"person" or "standing"."""
    approved_at: datetime
    published_at: datetime | None
    version_hash: str
    media_hash: str
    """Of the film, or of the first picture."""
    engine: str
    voice: str
    """Empty where nothing is spoken."""
    marks: tuple[Layer, ...]
    targets: tuple[Target, ...]
    audit_hash: str
    item_url: str
    root_fingerprint: str
    yeses: tuple[Given, ...] = ()
    """Every yes it went out on, in the order of its stages."""
    pictures: tuple[str, ...] = ()
    """SHA-256 of each."""
    sponsored: str = "no"
