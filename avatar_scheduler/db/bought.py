"""The tables of bought renders; `tables` has them too, with all the others."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from avatar_scheduler.db.columns import at, new_id, state, text
from avatar_scheduler.domain.purchase import PurchaseState


class Purchase(SQLModel, table=True):
    """One paid call for one render. Written before the call: a dead worker never leads to a second one."""

    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    creator_id: str = Field(foreign_key="creator.id", index=True)
    render_id: str = Field(foreign_key="render.id", unique=True)
    renderer: str
    state: PurchaseState = state(PurchaseState, PurchaseState.planned)
    vendor_id: str = Field(default="", index=True)
    estimate_cents: int
    charged_cents: int = 0
    percent: int = 0
    percent_at: datetime | None = at(nullable=True)
    """When the percentage last moved: a vendor stuck for long is said so."""
    hook_sha256: str = Field(default="", index=True)
    """Of the token in the address the vendor may call; never the token itself."""
    media_sha256: str = ""
    """The vendor's own file, as it was fetched."""
    reason: str = text()
    submitted_at: datetime | None = at(nullable=True)
    created_at: datetime = at()
    finished_at: datetime | None = at(nullable=True)


class HookEvent(SQLModel, table=True):
    """A vendor's message already acted on: a replay finds itself here."""

    __tablename__ = "hook_event"
    __table_args__ = (UniqueConstraint("renderer", "event_id"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    renderer: str
    event_id: str
    received_at: datetime = at()


class VendorAccount(SQLModel, table=True):
    __tablename__ = "vendor_account"
    __table_args__ = (UniqueConstraint("organization_id", "renderer"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    renderer: str
    endpoint: str = ""
    sealed: str = text()
    """API key as JSON, sealed to the render worker's key."""
    hook_sha256: str = Field(default="", index=True)
    """Of the token in the address given to the vendor for this account's messages."""
    hook_secret: str = text()
    """Checks the vendor's signature. Readable by the pages: who steals it can make us look again, and nothing else."""
    created_at: datetime = at()


class Budget(SQLModel, table=True):
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    creator_id: str = Field(foreign_key="creator.id", unique=True)
    monthly_cents: int
    created_at: datetime = at()
