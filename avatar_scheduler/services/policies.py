"""Which policy is in force for a post. What the log says counts, not the rows: a row can be written by anybody."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Creator, Policy
from avatar_scheduler.domain import stages
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.domain.stages import ALL_KINDS, ANYONE, CREATOR, Stage


@dataclass(frozen=True)
class InForce:
    kind: str
    """The post kind it was written for, "*" for all, "" for the one every creator has without setting any."""
    number: int
    stages: tuple[Stage, ...]


def of(session: Session, creator: Creator, kind: str, at: datetime) -> InForce:
    """The kind's own policy, or that for all kinds, or the default: the creator, or anybody who decides.

    Raises Refused for a policy the log does not know.
    """
    for about in (kind, ALL_KINDS):
        query = select(Policy).where(
            Policy.creator_id == creator.id, Policy.kind == about, col(Policy.effective_at) <= at,
            col(Policy.dropped_at).is_(None),
        )  # fmt: skip
        row = session.exec(query.order_by(col(Policy.number).desc()).limit(1)).first()
        if row is not None:
            _check_logged(session, row)
            return InForce(row.kind, row.number, stages.read(row.stages))
    return InForce("", 0, default(creator))


def default(creator: Creator) -> tuple[Stage, ...]:
    return (Stage((CREATOR,) if creator.member_id else (ANYONE,)),)


def _check_logged(session: Session, row: Policy) -> None:
    said = audits.said(session, "policy", row.id)
    if (said.get("stages"), said.get("kind"), said.get("creator")) != (row.stages, row.kind, row.creator_id):
        raise Refused("A policy was changed behind everybody's back. Set it again.", code="policy_changed")
