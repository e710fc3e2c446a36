"""Which policy is in force for a post. Read from the log alone: a row can be written, or deleted, by anybody."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Creator
from avatar_scheduler.domain import stages
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
    found = []
    for key, text in audits.said(session, NOUN, creator_id).items():
        kind, _, number = key.rpartition("#")
        value = json.loads(text)
        at = datetime.fromisoformat(value["effective_at"]) if value["effective_at"] else None
        found.append(Said(kind, int(number), value["stages"], at, value["dropped"]))
    return found


def of(session: Session, creator: Creator, kind: str, at: datetime) -> InForce:
    """The kind's own policy, or that for all kinds, or the default: the creator, or anybody who decides."""
    known = [p for p in every(session, creator.id) if p.effective_at and p.effective_at <= at and not p.dropped]
    for about in (kind, ALL_KINDS):
        if mine := [policy for policy in known if policy.kind == about]:
            last = max(mine, key=lambda policy: policy.number)
            return InForce(about, last.number, stages.read(last.stages))
    return InForce("", 0, default(creator))


def default(creator: Creator) -> tuple[Stage, ...]:
    return (Stage((CREATOR,) if creator.member_id else (ANYONE,)),)
