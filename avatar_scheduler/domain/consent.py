"""A creator's dated permission to use their likeness and voice."""

from dataclasses import dataclass
from datetime import datetime

from avatar_scheduler.domain.errors import Refused

PERFORMERS = frozenset({"digital_twin", "fictional", "third_party_likeness"})
"""Laws differ by it (New York GBL 396-b); an unknown kind is refused."""


@dataclass(frozen=True)
class Grant:
    rights: frozenset[str]
    """Subset of "likeness", "voice"."""
    platforms: frozenset[str]
    """Empty means every platform."""
    starts_at: datetime
    ends_at: datetime
    revoked_at: datetime | None


def check(grant: Grant | None, *, creator: str, platforms: frozenset[str], at: datetime) -> None:
    """Raises Refused with the one reason that applies; a missing grant is a refusal, not a default."""
    way_out = f"Ask {creator}; then: avatar-scheduler consent renew"
    if grant is None:
        raise Refused(f"{creator} has not consented to this avatar. {way_out}", code="consent_missing")
    if grant.revoked_at is not None and grant.revoked_at <= at:
        raise Refused(f"{creator} withdrew consent. Nothing of theirs goes out. {way_out}", code="consent_revoked")
    if at < grant.starts_at:
        raise Refused(f"{creator}'s consent starts on {grant.starts_at:%d %b %Y}.", code="consent_not_started")
    if at >= grant.ends_at:
        raise Refused(f"{creator}'s consent ended on {grant.ends_at:%d %b %Y}. {way_out}", code="consent_expired")
    if lacking := {"likeness", "voice"} - grant.rights:
        raise Refused(
            f"{creator}'s consent does not cover {' or '.join(sorted(lacking))}. {way_out}", code="consent_scope"
        )
    if grant.platforms and (outside := platforms - grant.platforms):
        raise Refused(
            f"{creator}'s consent does not cover {', '.join(sorted(outside))}. {way_out}", code="consent_scope"
        )
