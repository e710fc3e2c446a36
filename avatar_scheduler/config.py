"""Settings, read once from the environment and passed in."""

import hashlib
import os
import tempfile
from functools import cached_property
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_data() -> Path:
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "avatar-scheduler"


class Settings(BaseSettings):
    """Every name is read from AVATAR_SCHEDULER_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="AVATAR_SCHEDULER_", extra="ignore")

    data: Path = Field(default_factory=_default_data)
    """Folder of the database, blobs, keys and the feed."""
    database: str = ""
    """SQLAlchemy URL; empty means SQLite in the data folder."""
    redis: str = ""
    """redis:// URL; empty means the embedded server that `up` starts."""
    base_url: str = "http://127.0.0.1:8321"
    """Where people reach the pages; also in feeds and proofs."""
    host: str = "127.0.0.1"
    port: int = 8321
    lease_seconds: int = Field(default=60, ge=5, le=3600)
    """How long a worker may be silent before its work is taken back."""
    render_minutes: int = Field(default=20, ge=1, le=240)
    """Wall-clock limit of one render."""
    allow_hosts: dict[str, list[str]] = Field(default_factory=dict)
    """Private addresses a named host may resolve to: {"pds.local": ["10.0.0.0/8"]}. Opens nothing else."""
    timestamp_authority: str = ""
    """RFC 3161 address that countersigns Content Credentials; empty means none."""
    smtp: str = ""
    """smtp://user:password@host:port or smtps://...; empty means that no e-mail is sent."""
    mail_from: str = ""
    """Sender of e-mails."""
    checkpoints: list[str] = Field(default_factory=list)
    """Where signed checkpoints of the log go: file:///path, mailto:somebody, s3://bucket/prefix."""

    @property
    def secure_cookies(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.data / 'avatar-scheduler.sqlite3'}"

    @property
    def keys(self) -> Path:
        return self.data / "keys"

    @property
    def blobs(self) -> Path:
        return self.data / "blobs"

    @property
    def sentences(self) -> Path:
        """Spoken sentences kept between renders; may be emptied at any time."""
        return self.data / "sentences"

    @property
    def notices(self) -> Path:
        """Spoken notices kept between measurements, apart from what renders keep; may be emptied at any time."""
        return self.data / "notices"

    @property
    def feed(self) -> Path:
        return self.data / "feed"

    @cached_property
    def runtime(self) -> Path:
        """Short, because a unix socket path ends at 107 bytes."""
        tag = hashlib.sha256(str(self.data.resolve()).encode()).hexdigest()[:10]
        return Path(tempfile.gettempdir()) / f"avs-{os.getuid()}-{tag}"

    @property
    def broker_url(self) -> str:
        return self.redis or f"redis+socket://{self.runtime / 'redis.sock'}"

    @property
    def redis_url(self) -> str:
        """The same server as redis-py spells it."""
        return self.redis or f"unix://{self.runtime / 'redis.sock'}"
