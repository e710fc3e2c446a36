"""Which role may do what (reliability-security section 10). Unknown roles may do nothing."""

from typing import Protocol

from avatar_scheduler.db.tables import Creator
from avatar_scheduler.domain.errors import Forbidden, NotFound
from avatar_scheduler.services.people import API, Person

RULE = frozenset({"owner", "admin"})
"""Members, sign-in of the organization, policies."""
MANAGE = frozenset({"owner", "admin", "manager"})
"""Creators and what belongs to them."""
CONNECT = frozenset({"owner", "admin", "manager", "creator", "client"})
WRITE = frozenset({"owner", "admin", "manager", "editor", "creator", API})
DECIDE = frozenset({"owner", "admin", "manager", "creator", "approver", "client"})
HOLD = WRITE | DECIDE
LIFT = MANAGE | {"creator"}
"""Everybody may stop; starting again is for those who answer for it."""
COMMENT = HOLD
AUDIT = frozenset({"owner", "admin", "manager", "editor", "approver", "creator", "client", "analyst", "auditor"})
ROLES = WRITE | DECIDE | AUDIT
PEOPLE = ROLES - {API}
"""Roles a member can have."""
ASSIGNED = frozenset({"creator", "client"})
"""Roles that only ever reach the creators they were given."""


def require(who: Person, allowed: frozenset[str], verb: str) -> None:
    if who.role not in allowed:
        raise Forbidden(f"Your role ({who.role}) may not {verb}. Ask an owner.", code="role")


class Owned(Protocol):
    organization_id: str


def own(who: Person, row: Owned) -> None:
    """Raises NotFound for a row of another organization, or of a creator this person does not reach.

    Strangers do not even learn that it exists.
    """
    creator = row.id if isinstance(row, Creator) else str(getattr(row, "creator_id", ""))
    if row.organization_id != who.organization_id or not who.reaches(creator):
        raise NotFound("There is nothing of that name here.", code="not_yours")


def reached(who: Person) -> tuple[str, ...] | None:
    """Creators a list must be limited to; None means all of the organization."""
    return None if who.reach is None else tuple(sorted(who.reach))
