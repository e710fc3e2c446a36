"""Which role may do what. The fuller matrix is reliability-security section 10; unknown roles may do nothing."""

from typing import Protocol

from avatar_scheduler.domain.errors import Forbidden, NotFound
from avatar_scheduler.services.people import Person

WRITE = frozenset({"owner", "admin", "manager", "editor"})
DECIDE = frozenset({"owner", "admin", "manager", "creator", "approver"})
HOLD = WRITE | DECIDE
ROLES = WRITE | DECIDE | {"analyst"}


def require(who: Person, allowed: frozenset[str], verb: str) -> None:
    if who.role not in allowed:
        raise Forbidden(f"Your role ({who.role}) may not {verb}. Ask an owner.", code="role")


class Owned(Protocol):
    organization_id: str


def own(who: Person, row: Owned) -> None:
    """Raises NotFound for a row of another organization: strangers do not even learn that it exists."""
    if row.organization_id != who.organization_id:
        raise NotFound("There is nothing of that name here.", code="not_yours")
