"""The tables behind lasting proof: what was signed, and what a platform did to it; `tables` has them too."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from avatar_scheduler.db.columns import at, new_id, text


class Signing(SQLModel, table=True):
    """One signed file. Rows are only added: a file that lost its metadata is found by `mark_id` or `prints`."""

    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    render_id: str = Field(foreign_key="render.id", index=True)
    kind: str
    """"video", or "image1" and on."""
    sha256: str = Field(index=True)
    """Of the signed file."""
    mark_id: str = Field(index=True)
    """What the watermark says: 8 hexadecimal digits."""
    manifest_sha256: str
    """Of the C2PA manifest store, kept as a blob."""
    certificate: str
    """Serial number of the signing certificate, hexadecimal."""
    timestamped_by: str = ""
    """Address of the time-stamp authority; empty when none countersigned."""
    prints: str = text("[]")
    """Perceptual hashes as JSON, 16 hexadecimal digits each."""
    signed_at: datetime = at()


class Incident(SQLModel, table=True):
    """What is out there is no longer what was approved."""

    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id", index=True)
    delivery_id: str = Field(foreign_key="delivery.id", index=True)
    what: str = text()
    url: str
    found_at: datetime = at()
    taken_down_at: datetime | None = at(nullable=True)
    closed_at: datetime | None = at(nullable=True)
    closed_by: str = ""
