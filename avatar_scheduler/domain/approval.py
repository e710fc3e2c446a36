"""What an approval says, in bytes that can be signed, and what a standing approval covers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.domain.interaction import is_core
from avatar_scheduler.domain.version import canonical

UNDO = timedelta(seconds=10)
"""The server waits these seconds too, so that Undo is real."""

PURPOSE = "approval"

LIFE = timedelta(days=90)
"""After this a yes has to be given again."""

PASSKEY, SESSION, TERMINAL, STANDING = "passkey", "session", "terminal", "standing"
"""Grades: signed by an authenticator; by this server for a signed-in session, for a command on the machine itself,
or under a standing approval."""
SELF, DELEGATE = "+self", "+delegate"


@dataclass(frozen=True)
class Statement:
    """One decision. `version_sha256` is empty only on a standing approval, which names a scope instead."""

    id: str
    organization: str
    decision: str
    """"approved" or "standing"."""
    post: str
    version_sha256: str
    by: str
    decided_at: datetime
    parent: str
    """The standing approval this one was made under, or empty."""
    scope: str
    """Canonical JSON of a standing approval's `Scope`, or empty."""
    stage: int = 0
    acted_as: str = ""
    """The selector of `domain.stages` they stood for; "+self" for the author, "+delegate" for somebody named."""
    grade: str = ""
    """How sure it is that it was them; empty in statements older than grades."""
    passkey: str = ""
    assertion: str = ""
    """SHA-256 of the authenticator's answer, or empty."""

    def payload(self) -> bytes:
        """Signed as it stands: any edited column changes these bytes."""
        graded = {
            "acted_as": self.acted_as,
            "assertion": self.assertion,
            "grade": self.grade,
            "passkey": self.passkey,
            "stage": self.stage,
        }
        return canonical(
            {
                **(graded if self.grade else {}),
                "by": self.by,
                "decided_at": self.decided_at.isoformat(),
                "decision": self.decision,
                "id": self.id,
                "organization": self.organization,
                "parent": self.parent,
                "post": self.post,
                "scope": self.scope,
                "version": self.version_sha256,
            }
        ).encode()


@dataclass(frozen=True)
class Scope:
    creator: str
    kinds: tuple[str, ...]
    platforms: tuple[str, ...]
    per_day: int
    ends_at: datetime
    templates: tuple[str, ...] = ()
    """SHA-256 of the script templates it is limited to; empty: any."""
    channels: tuple[str, ...] = ()
    """Ids of the channels it is limited to; empty: any of the platforms."""

    def text(self) -> str:
        limits = {"channels": sorted(self.channels), "templates": sorted(self.templates)}
        return canonical(
            {
                # Left out when there are none: scopes signed before there were limits still verify.
                **{name: values for name, values in limits.items() if values},
                "creator": self.creator,
                "ends_at": self.ends_at.isoformat(),
                "kinds": list(self.kinds),
                "per_day": self.per_day,
                "platforms": list(self.platforms),
            }
        )


def check_scope(
    scope: Scope,
    *,
    creator: str,
    kind: str,
    platforms: set[str],
    used_today: int,
    at: datetime,
    template: str = "",
    channels: frozenset[str] = frozenset(),
) -> None:
    """Raises Refused unless a standing approval covers this post. Core kinds are never covered."""
    if is_core(kind):
        raise Refused(f"“{kind}” always needs a person.", code="core")
    if creator != scope.creator or kind not in scope.kinds or not platforms <= set(scope.platforms):
        raise Refused("The standing approval does not cover this post.", code="scope")
    if scope.templates and template not in scope.templates:
        raise Refused("The standing approval is for other scripts than this one.", code="scope")
    if scope.channels and not (channels and channels <= set(scope.channels)):
        raise Refused("The standing approval is for other channels.", code="scope")
    if at >= scope.ends_at:
        raise Refused(f"The standing approval ended on {scope.ends_at:%d %b %Y}.", code="standing_ended")
    if used_today >= scope.per_day:
        raise Refused(
            f"The standing approval covers {scope.per_day} posts a day, all used today.", code="standing_used"
        )
