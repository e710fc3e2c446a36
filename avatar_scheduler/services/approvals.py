"""Approval rows: written signed, believed only when the signature still fits every column."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import Session, col, select

from avatar_scheduler import signing
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits, moves, recall
from avatar_scheduler.db.engine import ring_after_commit
from avatar_scheduler.db.tables import Approval, Delivery, Post, Version
from avatar_scheduler.domain.approval import PURPOSE, UNDO, Statement
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.version import sha256
from avatar_scheduler.queue import CLOCK
from avatar_scheduler.services import asked

ACTOR = "approvals"


def statement(row: Approval) -> Statement:
    return Statement(
        id=row.id,
        organization=row.organization_id,
        decision=row.decision,
        post=row.post_id,
        version_sha256=row.version_sha256,
        by=row.by,
        decided_at=row.decided_at.astimezone(UTC),  # signed as it will be read back
        parent=row.parent_id,
        scope=row.scope,
        stage=row.stage,
        acted_as=row.acted_as,
        grade=row.grade,
        passkey=row.passkey_id,
        assertion=sha256(row.assertion) if row.assertion else "",
    )


@dataclass(frozen=True)
class How:
    """For which stage somebody says yes, as whom, and how sure it is that it was them."""

    grade: str
    acted_as: str
    stage: int = 0
    passkey: str = ""
    assertion: str = ""


def sign_in_ledger(
    session: Session,
    settings: Settings,
    *,
    organization: str,
    decision: str,
    post: str,
    version: Version | None,
    by: str,
    parent: str,
    scope: str,
    now: datetime,
    effective_at: datetime,
    how: How,
) -> Approval:
    row = Approval(
        organization_id=organization,
        post_id=post,
        decision=decision,
        by=by,
        stage=how.stage,
        acted_as=how.acted_as,
        grade=how.grade,
        passkey_id=how.passkey,
        assertion=how.assertion,
        parent_id=parent,
        version_id=version.id if version else "",
        version_sha256=version.sha256 if version else "",
        scope=scope,
        decided_at=now,
        effective_at=effective_at,
    )
    row.signature = signing.sign(settings.keys, PURPOSE, statement(row).payload())
    session.add(row)
    session.flush()
    audits.append(
        session,
        at=now,
        organization=organization,
        actor=by,
        action=f"approval.{decision}",
        noun="approval",
        noun_id=row.id,
        data={
            "post": post,
            "sha256": row.version_sha256,
            "under": parent,
            "stage": str(how.stage),
            "as": how.acted_as,
            "grade": how.grade,
        },
    )
    return row


def in_force_from(row: Approval) -> datetime:
    """From signed columns: an edited `effective_at` must not shorten the undo time."""
    return row.decided_at if row.parent_id else max(row.effective_at, row.decided_at + UNDO)


def check_signature(settings: Settings, row: Approval) -> None:
    if not signing.verify(signing.public_pem(settings.keys, PURPOSE), PURPOSE, statement(row).payload(), row.signature):
        raise Refused("The approval was not given here, or was changed afterwards.", code="approval_forged")


def approve_version(
    session: Session,
    settings: Settings,
    post: Post,
    version: Version,
    *,
    by: str,
    parent: str,
    now: datetime,
    how: How,
) -> Approval:
    """Signs the yes; once no stage is open, moves the post and its deliveries. A person's yes can be undone first."""
    effective = now if parent else now + UNDO
    row = sign_in_ledger(
        session,
        settings,
        organization=post.organization_id,
        decision="approved",
        post=post.id,
        version=version,
        by=by,
        parent=parent,
        scope="",
        now=now,
        effective_at=effective,
        how=how,
    )
    if asked.open_stage(json.loads(version.manifest), given(session, version.id)) is not None:
        return row
    moves.move(session, post, PostState.approved, at=now, actor=by, data={"sha256": version.sha256, "approval": row.id})
    for delivery in waiting(session, version):
        moves.move(
            session, delivery, DeliveryState.scheduled, at=now, actor=by, ready_at=max(delivery.due_at, effective)
        )
    ring_after_commit(session, CLOCK, post.id)
    return row


def waiting(session: Session, version: Version) -> list[Delivery]:
    query = select(Delivery).where(Delivery.version_id == version.id, Delivery.state == DeliveryState.waiting)
    return list(session.exec(query))


def given(session: Session, version_id: str) -> list[Approval]:
    """The yeses in force, oldest first, unproven: `proof.check` proves them."""
    rows = recall.rows(session, Approval, "version_id", version_id)
    valid = [row for row in rows if row.decision == "approved" and row.undone_at is None and row.revoked_at is None]
    return sorted(valid, key=lambda row: row.decided_at)


def standing_yes(session: Session, version_id: str) -> Approval | None:
    """The last yes in force, unproven."""
    rows = given(session, version_id)
    return rows[-1] if rows else None


def void_of(session: Session, member_id: str, now: datetime) -> int:
    """Takes back what a member said yes to and what has not left: they may not speak here any more."""
    query = select(Approval).where(
        Approval.by == member_id, Approval.decision == "approved", col(Approval.revoked_at).is_(None),
        col(Approval.undone_at).is_(None),
    )  # fmt: skip
    return sum(void(session, row, "The person who approved it may not any more.", now) for row in session.exec(query))


def void(session: Session, row: Approval, reason: str, now: datetime) -> bool:
    """False when it went out already, or is on its way."""
    rows = list(session.exec(select(Delivery).where(Delivery.version_id == row.version_id)))
    if not any(d.state in (DeliveryState.waiting, DeliveryState.scheduled) for d in rows):
        return False
    row.revoked_at = now
    for delivery in (d for d in rows if d.state is DeliveryState.scheduled):
        moves.move(session, delivery, DeliveryState.waiting, at=now, actor=ACTOR, reason="", ready_at=delivery.due_at)
    post = session.get_one(Post, row.post_id)
    if post.state is PostState.approved:
        moves.move(session, post, PostState.in_review, at=now, actor=ACTOR, data={"reason": reason})
    audits.append(
        session,
        at=now,
        organization=row.organization_id,
        actor=ACTOR,
        action="approval.void",
        noun="approval",
        noun_id=row.id,
        data={"reason": reason},
    )
    return True
