"""Approval rows: written signed, believed only when the signature still fits every column."""

from datetime import UTC, datetime

from sqlmodel import Session, col, select

from avatar_scheduler import signing
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits, moves
from avatar_scheduler.db.columns import new_id
from avatar_scheduler.db.engine import ring_after_commit
from avatar_scheduler.db.tables import Approval, Delivery, Post, Version
from avatar_scheduler.domain.approval import PURPOSE, UNDO, Statement
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.queue import CLOCK


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
    )


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
    approval_id: str = "",
) -> Approval:
    row = Approval(
        id=approval_id or new_id(),
        organization_id=organization,
        post_id=post,
        decision=decision,
        by=by,
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
        data={"post": post, "sha256": row.version_sha256, "under": parent},
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
    approval_id: str,
) -> Approval:
    """Signs the yes, moves the post and its deliveries. A person's yes takes effect after the undo time."""
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
        approval_id=approval_id,
    )
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


def standing_yes(session: Session, version_id: str) -> Approval | None:
    """The approval in force, unproven: `gate.may_send` proves it."""
    query = select(Approval).where(
        Approval.version_id == version_id,
        Approval.decision == "approved",
        col(Approval.undone_at).is_(None),
        col(Approval.revoked_at).is_(None),
    )
    return session.exec(query.order_by(col(Approval.decided_at).desc())).first()
