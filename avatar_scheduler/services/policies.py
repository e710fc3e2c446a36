"""Which policy is in force for a post. Read from the log alone: a row can be written, or deleted, by anybody."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Creator
from avatar_scheduler.domain import stages
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.domain.interaction import is_core
from avatar_scheduler.domain.stages import ALL_KINDS, ANYONE, CREATOR, Stage

NOUN = "policies"
"""Of the entries about a creator's policies; their id is the creator's."""


@dataclass(frozen=True)
class InForce:
    kind: str
    """The post kind it was written for, "*" for all, "" for the one every creator has without setting any."""
    number: int
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Said:
    """One policy as the log has it."""

    kind: str
    number: int
    stages: str
    effective_at: datetime | None
    """None while a weaker one waits for the second owner."""
    dropped: bool

    def entry(self) -> dict[str, str]:
        """For the log: the last entry under this key counts."""
        value = {
            "stages": self.stages,
            "effective_at": self.effective_at.isoformat() if self.effective_at else "",
            "dropped": self.dropped,
        }
        return {f"{self.kind}#{self.number}": json.dumps(value)}


def every(session: Session, creator_id: str) -> list[Said]:
    """Raises Refused when one of them cannot be read: what it asked for is not known."""
    return [_said(key, text) for key, text in audits.said(session, NOUN, creator_id).items()]


def _said(key: str, text: str) -> Said:
    kind, _, number = key.rpartition("#")
    try:
        value = json.loads(text)
        written, at, dropped = value["stages"], value["effective_at"], value["dropped"]
        if not isinstance(written, str) or not isinstance(dropped, bool):
            raise TypeError(text)
        return Said(kind, int(number), written, datetime.fromisoformat(at) if at != "" else None, dropped)
    except (ValueError, KeyError, TypeError) as why:
        raise Refused("These stages cannot be read. Set the policy again.", code="policy_unreadable") from why


def of(session: Session, creator: Creator, kind: str, at: datetime) -> InForce:
    """The kind's own policy, or that for all kinds, or the default: the creator, or anybody who decides.

    Raises Refused for one that cannot be read, or is below the floor.
    """
    known = [p for p in every(session, creator.id) if p.effective_at and p.effective_at <= at and not p.dropped]
    for about in (kind, ALL_KINDS):
        if mine := [policy for policy in known if policy.kind == about]:
            last = max(mine, key=lambda policy: policy.number)
            return InForce(about, last.number, _floored(last.stages, core=about == ALL_KINDS or is_core(kind)))
    return InForce("", 0, default(creator))


def _floored(text: str, *, core: bool) -> tuple[Stage, ...]:
    """Held to the floor again where it is read: an empty list would let out what nobody was asked about."""
    try:
        found = stages.read(text)
        stages.check(found, core=core)
    except Invalid as why:
        raise Refused(why.message, code="policy_unreadable") from why
    return found


def default(creator: Creator) -> tuple[Stage, ...]:
    return (Stage((CREATOR,) if creator.member_id else (ANYONE,)),)
