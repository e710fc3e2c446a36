"""Every table. JSON is kept as text, because it is hashed and signed as it stands."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from avatar_scheduler.db.asking import Assignment as Assignment  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.asking import Comment as Comment  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.asking import ConsentProof as ConsentProof  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.asking import Delegate as Delegate  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.asking import Notice as Notice  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.asking import Outlet as Outlet  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.asking import Policy as Policy  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.bought import Budget as Budget  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.bought import HookEvent as HookEvent  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.bought import Purchase as Purchase  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.bought import VendorAccount as VendorAccount  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.columns import at, new_id, state, text
from avatar_scheduler.db.disclosed import Incident as Incident  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.disclosed import Signing as Signing  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.keeping import Audit as Audit  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.keeping import Hold as Hold  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.keeping import Lease as Lease  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.signing_in import ApiKey as ApiKey  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.signing_in import Challenge as Challenge  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.signing_in import Identity as Identity  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.signing_in import IdentityProvider as IdentityProvider  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.signing_in import Invitation as Invitation  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.signing_in import LoginLink as LoginLink  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.signing_in import OidcVisit as OidcVisit  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.signing_in import OneTimeCode as OneTimeCode  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.signing_in import Passkey as Passkey  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.db.signing_in import WebSession as WebSession  # noqa: PLC0414  (every table is found here)
from avatar_scheduler.domain.delivery import AttemptState, DeliveryState
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.render import RenderState


class Organization(SQLModel, table=True):
    id: str = Field(default_factory=new_id, primary_key=True)
    name: str
    kind: str = "solo"
    """"solo": the owner is the creator. "agency": it acts for others, who sign in themselves."""
    created_at: datetime = at()


class Member(SQLModel, table=True):
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id", index=True)
    name: str
    email: str = Field(unique=True)
    role: str
    reach: str = "all"
    """"all" creators of the organization, or only the "assigned"."""
    language: str = "en"
    zone: str = ""
    """For quiet hours; empty means that of the creator asked about."""
    quiet_from: str = ""
    """Local time "HH:MM" from which nobody is disturbed; empty for none."""
    quiet_to: str = ""
    keys: bool = True
    """Single-letter keys on the pages."""
    password_hash: str = ""
    failed_sign_ins: int = 0
    locked_until: datetime | None = at(nullable=True)
    disabled_at: datetime | None = at(nullable=True)
    created_at: datetime = at()


class Creator(SQLModel, table=True):
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id", index=True)
    member_id: str = ""
    """Who the creator is, once they sign in themselves; empty for somebody made up, or not yet here."""
    name: str
    slug: str = Field(unique=True)
    language: str = "en"
    zone: str = "UTC"
    audience: str = text("[]")
    """Jurisdictions as JSON, such as ["FR", "US-NY"]. Empty: not known, so the strictest of each applies."""
    takedown: str = "ask"
    """What happens to a published item that lost its marks: "ask" a person, or "auto"."""
    created_at: datetime = at()


class Consent(SQLModel, table=True):
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    creator_id: str = Field(foreign_key="creator.id", index=True)
    rights: str = text()
    platforms: str = text()
    live: bool = False
    sponsored: bool = True
    brands_excluded: str = text("[]")
    languages: str = text("[]")
    """Empty means any."""
    recorded_by: str
    starts_at: datetime = at()
    ends_at: datetime = at()
    revoked_at: datetime | None = at(nullable=True)


class Avatar(SQLModel, table=True):
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    creator_id: str = Field(foreign_key="creator.id", index=True)
    consent_id: str = Field(foreign_key="consent.id")
    name: str
    performer: str
    renderer: str = "builtin"
    pack: str
    """A built-in look's id, or the SHA-256 of an uploaded one."""
    scene: str
    vendor: str = text("{}")
    """What the vendor knows this avatar by, as JSON: avatar and voice ids."""
    created_at: datetime = at()


class Channel(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("organization_id", "platform", "address"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    creator_id: str = Field(foreign_key="creator.id", index=True)
    platform: str
    address: str
    endpoint: str = ""
    sealed: str = text()
    """Credentials as JSON, sealed to the publish worker's key; the pages cannot open them."""
    disabled_at: datetime | None = at(nullable=True)
    created_at: datetime = at()


class Post(SQLModel, table=True):
    __table_args__ = (Index("ix_post_open", "organization_id", "state"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id", index=True)
    creator_id: str = Field(foreign_key="creator.id")
    avatar_id: str = Field(foreign_key="avatar.id")
    title: str
    kind: str
    language: str
    template: str = text()
    variables: str = text("{}")
    script: str = text()
    """The template rendered with its variables: what is spoken."""
    caption: str = text()
    """Without the disclosure line, which is computed and cannot be edited."""
    form: str = "video"
    """"video" or "stills"."""
    staging: str = text("{}")
    sponsored: str = "no"
    """One of `domain.disclosure.SPONSORED`."""
    targets: str = text("[]")
    state: PostState = state(PostState, PostState.draft)
    reason: str = text()
    render_id: str = ""
    version_id: str = ""
    created_by: str
    edited_by: str
    created_at: datetime = at()
    updated_at: datetime = at()


class Render(SQLModel, table=True):
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    post_id: str = Field(foreign_key="post.id", index=True)
    state: RenderState = state(RenderState, RenderState.queued)
    order: str = text()
    mark_id: str = Field(default="", index=True)
    """What the watermark of its files says: 8 hexadecimal digits."""
    percent: int = 0
    step: str = ""
    reason: str = text()
    tries: int = 0
    fence: int = 0
    lease_until: datetime | None = at(nullable=True)
    look_at: datetime | None = at(nullable=True)
    """When to ask the vendor again."""
    created_at: datetime = at()
    finished_at: datetime | None = at(nullable=True)


class Upload(SQLModel, table=True):
    """A file somebody gave us, as we re-encoded it."""

    __table_args__ = (UniqueConstraint("creator_id", "name"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    creator_id: str = Field(foreign_key="creator.id")
    kind: str
    """"photo", "image", "audio", "music", "clip" or "pack"."""
    name: str
    sha256: str
    original_sha256: str
    mime: str
    size: int
    width: int = 0
    height: int = 0
    duration_ms: int = 0
    made_by_ai: bool = False
    """As the original said of itself."""
    created_by: str
    created_at: datetime = at()


class Pronunciation(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("creator_id", "language", "written"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    creator_id: str = Field(foreign_key="creator.id")
    language: str
    written: str
    spoken: str
    created_at: datetime = at()


class Asset(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("render_id", "kind"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    render_id: str = Field(foreign_key="render.id")
    kind: str
    """"video", "captions", "poster", or "image1" and on."""
    sha256: str = Field(index=True)
    mime: str
    size: int
    width: int = 0
    height: int = 0
    duration_ms: int = 0
    created_at: datetime = at()


class Version(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("post_id", "number"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    post_id: str = Field(foreign_key="post.id")
    number: int
    manifest: str = text()
    sha256: str
    core: bool = True
    """For lists; what is decided rests on the manifest."""
    seal: str = text()
    """Signed when it was frozen: nobody approves a manifest that something else wrote into the database."""
    created_at: datetime = at()


class View(SQLModel, table=True):
    """How much of a version a person has watched: reported ranges, bounded by the time that passed."""

    __table_args__ = (UniqueConstraint("version_id", "member_id"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    version_id: str = Field(foreign_key="version.id")
    member_id: str = Field(foreign_key="member.id")
    opened_at: datetime = at()
    ranges: str = text("[]")
    seen_ms: int = 0
    completed_at: datetime | None = at(nullable=True)


class Approval(SQLModel, table=True):
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id", index=True)
    post_id: str = Field(default="", index=True)
    version_id: str = Field(default="", index=True)
    version_sha256: str = ""
    decision: str
    """"approved", "rejected", "changes_requested" or "standing"."""
    by: str
    stage: int = 0
    acted_as: str = ""
    """One of `domain.stages.ROLES_OF_APPROVAL`: why this person may."""
    grade: str = ""
    """"passkey", "session", "terminal" or "standing"; empty in approvals older than grades."""
    passkey_id: str = ""
    assertion: str = text()
    """The authenticator's answer as JSON, its challenge the version's hash."""
    parent_id: str = ""
    scope: str = text()
    note: str = text()
    decided_at: datetime = at()
    effective_at: datetime = at()
    undone_at: datetime | None = at(nullable=True)
    revoked_at: datetime | None = at(nullable=True)
    signature: str = text()


def _few(name: str, column: str, where: str) -> Index:
    return Index(f"ix_delivery_{name}", column, sqlite_where=sql(where), postgresql_where=sql(where))


class Delivery(SQLModel, table=True):
    __table_args__ = (
        Index(
            "ix_delivery_due",
            "ready_at",
            sqlite_where=sql("state = 'scheduled'"),
            postgresql_where=sql("state = 'scheduled'"),
        ),
        # The clock asks these at every look: with a million queued each must be a short walk.
        _few("late", "latest_start", "state IN ('waiting', 'scheduled')"),
        _few("taken", "lease_until", "state = 'scheduled' AND lease_until IS NOT NULL"),
        _few("begun", "lease_until", "state IN ('claimed', 'sending')"),
        _few("looking", "look_at", "state IN ('accepted', 'unconfirmed')"),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id", index=True)
    post_id: str = Field(foreign_key="post.id", index=True)
    version_id: str = Field(foreign_key="version.id", index=True)
    channel_id: str = Field(foreign_key="channel.id")
    state: DeliveryState = state(DeliveryState, DeliveryState.waiting)
    reason: str = text()
    local_time: str
    zone: str
    due_at: datetime = at()
    ready_at: datetime = at()
    """The later of `due_at` and the end of the undo time."""
    latest_start: datetime = at()
    fence: int = 0
    owner: str = ""
    lease_until: datetime | None = at(nullable=True)
    look_at: datetime | None = at(nullable=True)
    """Next read-back of an unconfirmed delivery."""
    looks: int = 0
    created_at: datetime = at()
    published_at: datetime | None = at(nullable=True)


_UNSETTLED = "state IN ('committing', 'unknown')"


class Attempt(SQLModel, table=True):
    __table_args__ = (
        UniqueConstraint("delivery_id", "number"),
        Index(
            "uq_attempt_unsettled",
            "delivery_id",
            unique=True,
            sqlite_where=sql(_UNSETTLED),
            postgresql_where=sql(_UNSETTLED),
        ),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    delivery_id: str = Field(foreign_key="delivery.id")
    number: int
    fence: int
    state: AttemptState = state(AttemptState, AttemptState.open)
    manifest_sha256: str
    intent: str = text("{}")
    detail: str = text()
    started_at: datetime = at()
    deadline_at: datetime | None = at(nullable=True)
    """After this the worker itself refuses to make the irreversible call."""
    finished_at: datetime | None = at(nullable=True)


class Receipt(SQLModel, table=True):
    id: str = Field(default_factory=new_id, primary_key=True)
    delivery_id: str = Field(foreign_key="delivery.id", unique=True)
    attempt_id: str = Field(foreign_key="attempt.id")
    object_id: str
    url: str
    details: str = text("{}")
    answered_at: datetime = at()
    read_back_at: datetime | None = at(nullable=True)
    marked: bool = False
    """The platform still shows the disclosure."""
    again_at: datetime | None = at(nullable=True, index=True)
    """When to read it back once more; empty when that was done."""
