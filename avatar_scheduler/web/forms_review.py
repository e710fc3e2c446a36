"""What the review and stop pages may send."""

from typing import Annotated

from pydantic import Field

from avatar_scheduler.services.bulk import MOST
from avatar_scheduler.services.holds import MAX_REASON
from avatar_scheduler.web.forms import Decision, Signed

Pair = Annotated[str, Field(pattern=r"^[0-9a-z]{1,40}:[0-9a-f]{64}$")]
"""Version id and the hash it was shown with."""


class Approve(Decision):
    assertion: str = Field(default="", max_length=16_384)
    """An authenticator's answer as JSON; empty for a yes of the lower grade."""


class ApproveMany(Signed):
    creator: str = Field(max_length=64)
    pair: list[Pair] = Field(default_factory=list, max_length=MOST)


class Stopping(Signed):
    what: str = Field(pattern=r"^(organization|creator|channel):[0-9a-z]{0,40}$")
    """Scope and id."""
    reason: str = Field(default="", max_length=MAX_REASON)
    """One of the usual ones, in the language of who stopped it."""
    text: str = Field(default="", max_length=MAX_REASON)
