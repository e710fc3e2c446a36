"""Who is asked about what, in which order, and what they said on the way."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from avatar_scheduler.db.columns import at, new_id, text


class Assignment(SQLModel, table=True):
    """A creator this member may reach; asked only of members whose `reach` is "assigned"."""

    __table_args__ = (UniqueConstraint("member_id", "creator_id"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    member_id: str = Field(foreign_key="member.id", index=True)
    creator_id: str = Field(foreign_key="creator.id", index=True)
    created_at: datetime = at()


class Delegate(SQLModel, table=True):
    """Somebody a creator named to decide in their place: these kinds, until then."""

    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    creator_id: str = Field(foreign_key="creator.id", index=True)
    member_id: str = Field(foreign_key="member.id", index=True)
    kinds: str = text("[]")
    named_by: str
    created_at: datetime = at()
    ends_at: datetime = at()
    revoked_at: datetime | None = at(nullable=True)


class Policy(SQLModel, table=True):
    """Who must say yes to a creator's posts of one kind. Never changed: a new number replaces it."""

    __table_args__ = (UniqueConstraint("creator_id", "kind", "number"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id", index=True)
    creator_id: str = Field(foreign_key="creator.id", index=True)
    kind: str
    """A post kind, or "*" for all that have none of their own."""
    number: int
    stages: str = text("[]")
    """JSON as `domain.stages` writes it."""
    set_by: str
    seconded_by: str = ""
    """A weaker one needs a second owner."""
    created_at: datetime = at()
    effective_at: datetime | None = at(nullable=True)
    """Empty while a weaker one waits for the second owner."""
    dropped_at: datetime | None = at(nullable=True)


class Comment(SQLModel, table=True):
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    post_id: str = Field(foreign_key="post.id", index=True)
    version_id: str = ""
    by: str
    words: str = text()
    at_ms: int | None = None
    """Pinned to this moment of the film."""
    quote: str = text()
    """Pinned to these words of the script."""
    audience: str = "internal"
    """"internal" or "client"."""
    mentions: str = text("[]")
    """Member ids as JSON."""
    created_at: datetime = at()
    resolved_at: datetime | None = at(nullable=True)
    resolved_by: str = ""
    deleted_at: datetime | None = at(nullable=True)


class Notice(SQLModel, table=True):
    """One message to one person about one thing, by one way. The unique key is what keeps it one."""

    __table_args__ = (UniqueConstraint("member_id", "about", "kind", "outlet_id"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    member_id: str = Field(foreign_key="member.id", index=True)
    about: str
    """Id of the version, post or hold."""
    kind: str
    """Such as "asked", "half", "escalated", "kept_back", "decided", "mention"."""
    outlet_id: str = ""
    """Empty: the member's e-mail address."""
    words: str = text("{}")
    """What the text is made of, as JSON: no private content."""
    state: str = Field(default="waiting", index=True)
    """"waiting", "sending", "sent", "failed" or "dropped"."""
    reason: str = text()
    tries: int = 0
    due_at: datetime = at(index=True)
    lease_until: datetime | None = at(nullable=True)
    sent_at: datetime | None = at(nullable=True)
    created_at: datetime = at()


class Outlet(SQLModel, table=True):
    """Another way to reach a member: a browser's push service, or a chat that Apprise speaks to."""

    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    member_id: str = Field(foreign_key="member.id", index=True)
    kind: str
    """"push" or "chat"."""
    label: str = ""
    sealed: str = text()
    """Push subscription or Apprise address, sealed to the process that sends notices."""
    key_sha256: str = Field(default="", index=True)
    """Of the endpoint or address: the same one is kept once."""
    created_at: datetime = at()
    last_used_at: datetime | None = at(nullable=True)
    gone_at: datetime | None = at(nullable=True)


class ConsentProof(SQLModel, table=True):
    """The recording of a person saying a phrase nobody could know before."""

    __tablename__ = "consent_proof"
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    creator_id: str = Field(foreign_key="creator.id", index=True)
    consent_id: str = ""
    """Empty until the consent it was recorded for is given."""
    member_id: str
    phrase: str = text()
    sha256: str = ""
    """Of the recording in the blob store; empty until it is there."""
    mime: str = ""
    created_at: datetime = at()
    expires_at: datetime = at()
    recorded_at: datetime | None = at(nullable=True)
