"""How people prove who they are, beyond a password, and what programs may call with."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from avatar_scheduler.db.columns import at, new_id, text


class LoginLink(SQLModel, table=True):
    __tablename__ = "login_link"
    id: str = Field(default_factory=new_id, primary_key=True)
    member_id: str = Field(foreign_key="member.id")
    purpose: str = "welcome"
    """"welcome" sets a password; "sign_in" only opens a session."""
    token_sha256: str = Field(unique=True)
    expires_at: datetime = at()
    used_at: datetime | None = at(nullable=True)


class WebSession(SQLModel, table=True):
    __tablename__ = "web_session"
    id: str = Field(default_factory=new_id, primary_key=True)
    member_id: str = Field(foreign_key="member.id", index=True)
    token_sha256: str = Field(unique=True)
    csrf: str
    user_agent: str
    how: str = "password"
    """"password", "passkey", "link", "oidc"."""
    proven_at: datetime | None = at(nullable=True)
    """When a passkey or one-time code was last seen in it."""
    last_seen_at: datetime | None = at(nullable=True)
    created_at: datetime = at()
    expires_at: datetime = at()
    revoked_at: datetime | None = at(nullable=True)


class Passkey(SQLModel, table=True):
    """A WebAuthn credential. What it is, is also in the log: a row the log does not know signs nothing."""

    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id")
    member_id: str = Field(foreign_key="member.id", index=True)
    credential_id: str = Field(unique=True)
    """Base64url, as the authenticator made it."""
    public_key: str = text()
    """COSE key, base64url."""
    sign_count: int = 0
    name: str = ""
    transports: str = text("[]")
    created_at: datetime = at()
    last_used_at: datetime | None = at(nullable=True)
    revoked_at: datetime | None = at(nullable=True)


class Challenge(SQLModel, table=True):
    """Random bytes an authenticator is to sign, once, within minutes. Approvals need none: they sign the version."""

    id: str = Field(default_factory=new_id, primary_key=True)
    purpose: str
    """"enrol" or "sign_in"."""
    member_id: str = ""
    value: str = Field(unique=True)
    """Base64url."""
    expires_at: datetime = at()
    used_at: datetime | None = at(nullable=True)


class OneTimeCode(SQLModel, table=True):
    """A TOTP secret (RFC 6238), the second factor of those without a passkey."""

    __tablename__ = "one_time_code"
    member_id: str = Field(foreign_key="member.id", primary_key=True)
    sealed: str = text()
    confirmed_at: datetime | None = at(nullable=True)
    last_step: int = 0
    """A code is good once: the time step of the last one taken."""


class IdentityProvider(SQLModel, table=True):
    """Where an organization's people sign in (OpenID Connect)."""

    __tablename__ = "identity_provider"
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id", index=True)
    name: str
    issuer: str
    client_id: str
    sealed_secret: str = text()
    domain: str
    """E-mail addresses it may speak for."""
    created_at: datetime = at()
    disabled_at: datetime | None = at(nullable=True)


class OidcVisit(SQLModel, table=True):
    """Between leaving for the provider and coming back: ten minutes, once, in the same browser."""

    __tablename__ = "oidc_visit"
    id: str = Field(default_factory=new_id, primary_key=True)
    provider_id: str = Field(foreign_key="identity_provider.id")
    state_sha256: str = Field(unique=True)
    browser_sha256: str
    nonce: str
    verifier: str
    came_for: str = ""
    expires_at: datetime = at()
    used_at: datetime | None = at(nullable=True)


class Identity(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("provider_id", "subject"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    provider_id: str = Field(foreign_key="identity_provider.id")
    subject: str
    member_id: str = Field(foreign_key="member.id", index=True)
    created_at: datetime = at()


class Invitation(SQLModel, table=True):
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id", index=True)
    email: str
    name: str
    role: str
    creator_ids: str = text("[]")
    """Creators they will reach, as JSON. For the role "creator": the one they are."""
    token_sha256: str = Field(unique=True)
    invited_by: str
    created_at: datetime = at()
    expires_at: datetime = at()
    used_at: datetime | None = at(nullable=True)
    revoked_at: datetime | None = at(nullable=True)


class ApiKey(SQLModel, table=True):
    """For programs and agents: drafts and holds, never a decision."""

    __tablename__ = "api_key"
    id: str = Field(default_factory=new_id, primary_key=True)
    organization_id: str = Field(foreign_key="organization.id", index=True)
    name: str
    token_sha256: str = Field(unique=True)
    creator_ids: str = text("[]")
    """Empty: every creator of the organization."""
    created_by: str
    created_at: datetime = at()
    expires_at: datetime = at()
    last_used_at: datetime | None = at(nullable=True)
    revoked_at: datetime | None = at(nullable=True)
