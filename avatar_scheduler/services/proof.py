"""Whether everybody whose yes a version needs has given it, provably: read again at every claim and every send."""

from datetime import datetime

from sqlmodel import Session

from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Approval, Creator, Member, Post, Version
from avatar_scheduler.domain import stages
from avatar_scheduler.domain.approval import LIFE, PASSKEY, SELF
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.services import approvals, asked, history, passkeys, policies, standing
from avatar_scheduler.services.versions import Manifest


def check(
    session: Session, settings: Settings, manifest: Manifest, version: Version, post: Post, at: datetime
) -> list[Approval]:
    """The yeses it goes out on, oldest first. Raises Refused with the one reason there is none."""
    rows = approvals.given(session, version.id)
    if not rows:
        raise Refused("Nobody approved this version.", code="not_approved")
    for row in rows:
        _check_one(session, settings, manifest, post, row, at)
    history.check_tail(session, settings, rows[0])
    if asked.open_stage(manifest.data, rows) is not None:
        raise Refused("Not everybody whose yes it needs has given it.", code="stage_open")
    _check_policy(session, manifest, post, at)
    return rows


def _check_one(
    session: Session, settings: Settings, manifest: Manifest, post: Post, row: Approval, at: datetime
) -> None:
    if row.version_sha256 != manifest.sha256 or row.post_id != post.id:
        raise Refused("The approval is for a different version.", code="approval_other")
    approvals.check_signature(settings, row)
    for taken_back in ("approval.undone", "approval.void"):  # a column could be emptied; the log shows it
        if audits.happened(session, taken_back, row.id):
            raise Refused("This approval was taken back.", code=taken_back.replace(".", "_"))
    history.check_approval(session, post, row)
    if at > row.decided_at + LIFE:
        raise Refused(f"The approval is older than {LIFE.days} days. Ask again.", code="approval_expired")
    if row.parent_id:
        _check_standing(session, settings, manifest, post, row, at)
    else:
        _check_person(session, settings, manifest, row)


def _check_standing(
    session: Session, settings: Settings, manifest: Manifest, post: Post, row: Approval, at: datetime
) -> None:
    parent = session.get(Approval, row.parent_id)
    if parent is None or parent.decision != "standing" or parent.by != row.by:
        raise Refused("The standing approval is gone.", code="standing_revoked")
    standing.check(session, settings, parent, post, at, counting=False)
    if manifest.core:
        raise Refused("This kind always needs a person.", code="core")


def _check_person(session: Session, settings: Settings, manifest: Manifest, row: Approval) -> None:
    member = session.get(Member, row.by)
    out = audits.said(session, "member", row.by).get("disabled") == "yes"
    if member is None or member.disabled_at is not None or out:
        raise Refused("Whoever approved it may not any more. Ask again.", code="approver_gone")
    own = row.by == asked.creator_of(manifest.data)
    if row.by in asked.authors_of(manifest.data) and row.grade and not (own and row.acted_as.endswith(SELF)):
        raise Refused("Who wrote it cannot approve it. Somebody else has to.", code="author")
    if row.grade == PASSKEY:
        challenge = bytes.fromhex(manifest.sha256)
        passkeys.check_assertion(session, settings, row.by, row.assertion, challenge, fresh=False)


def _check_policy(session: Session, manifest: Manifest, post: Post, at: datetime) -> None:
    """A policy made stronger since holds at once; the one it was approved under is in the hash."""
    now = policies.of(session, session.get_one(Creator, post.creator_id), manifest.data["kind"], at)
    if stages.weaker(asked.stages_of(manifest.data), now.stages):
        raise Refused("More people have to agree since the policy was changed. Render the post again.", code="policy")
