"""Deciding about a version: the exact one that was on the screen, by somebody who looked."""

import json
from dataclasses import replace
from datetime import datetime

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits, moves
from avatar_scheduler.db.tables import Approval, Delivery, Member, Post, Version
from avatar_scheduler.domain.approval import LIFE, PASSKEY, SESSION, TERMINAL, UNDO
from avatar_scheduler.domain.delivery import IN_FLIGHT, DeliveryState
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import (
    approvals,
    asked,
    consents,
    looked,
    notices,
    passkeys,
    posts,
    seen,
    versions,
)
from avatar_scheduler.services.approvals import How
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import DECIDE, require
from avatar_scheduler.services.versions import Manifest

REASONS = ("not_my_words", "wrong_fact", "too_personal", "tone", "looks_off", "record_myself")
MAX_NOTE = 2000


def find(session: Session, who: Person, version_id: str) -> tuple[Version, Post]:
    version = session.get(Version, version_id)
    if version is None or version.organization_id != who.organization_id:
        raise NotFound("There is nothing to review here.")
    post = session.get_one(Post, version.post_id)
    if not who.reaches(post.creator_id):
        raise NotFound("There is nothing to review here.")
    return version, post


def record_seen(
    session: Session, who: Person, version_id: str, ranges_ms: list[tuple[int, int]], now: datetime
) -> tuple[int, bool]:
    version, _ = find(session, who, version_id)
    view = seen.record(session, version, who.member_id, ranges_ms, now)
    return view.seen_ms, view.completed_at is not None


def fetch_picture(session: Session, who: Person, version_id: str, number: int, now: datetime) -> str:
    """SHA-256 of one of its pictures, noting who was given it."""
    version, _ = find(session, who, version_id)
    return looked.fetched(session, version, who.member_id, number, now)


def record_looked(
    session: Session, who: Person, version_id: str, numbers: list[int], now: datetime
) -> tuple[list[int], bool]:
    version, _ = find(session, who, version_id)
    view = looked.shown(session, version, who.member_id, numbers, now)
    return looked.looked_at(view), view.completed_at is not None


def approve(
    session: Session,
    settings: Settings,
    who: Person,
    version_id: str,
    version_hash: str,
    now: datetime,
    assertion: str = "",
) -> str:
    """The approval's id. A second identical approve answers like the first.

    `assertion` is an authenticator's answer (JSON) over the version's hash; without one the grade is lower.
    """
    version, post = _decidable(session, who, version_id, version_hash)
    given = approvals.given(session, version.id)
    for row in given:
        if row.by == who.member_id:
            return row.id
    _open_for_decision(session, post, version, now)
    versions.check_seal(settings, version)
    manifest = versions.read(version)
    consents.check_version(session, post, manifest.data, now)
    how = _standing(session, who, manifest, given, now)
    view = seen.view_of(session, version.id, who.member_id)
    if manifest.core and (view is None or view.completed_at is None):
        first = "Look at every picture on the review page" if manifest.pictures() else "Watch it to the end"
        raise Invalid(f"{first} first. It speaks for a person.", code="not_seen")
    if min(d.due_at for d in approvals.waiting(session, version)) > now + LIFE:
        raise Conflict(f"Too early: a yes holds {LIFE.days} days, and this goes out later.", code="approval_far")
    graded = _graded(session, settings, who, how, manifest.sha256, assertion)
    row = approvals.approve_version(session, settings, post, version, by=who.member_id, parent="", now=now, how=graded)
    if post.state is PostState.approved:
        notices.decided(session, version, who.member_id, "approved", now)
    return row.id


def _standing(session: Session, who: Person, manifest: Manifest, given: list[Approval], now: datetime) -> How:
    """For which stage this person says yes, and as whom. Raises Forbidden when theirs is not the yes it waits for."""
    member = session.get_one(Member, who.member_id)
    asked.check_role(session, member)
    found = asked.open_stage(manifest.data, given)
    number, stage = found or (0, asked.LEGACY[0])  # a policy of no stages still takes a person's yes
    yeses = [asked.yes_of(row) for row in given if row.stage == number]
    acted_as = asked.stands_for(session, member, manifest.data, stage, yeses, now)
    if not acted_as:
        if who.member_id in asked.authors_of(manifest.data):
            raise Forbidden("You wrote it, so somebody else has to approve it.", code="author")
        names = ", ".join(m.name for m in asked.members(session, manifest.data, stage, yeses, now))
        raise Forbidden(f"Not your yes is asked for now, but that of: {names or 'nobody here yet'}.", code="not_asked")
    return How("", acted_as, number)


def _graded(session: Session, settings: Settings, who: Person, how: How, sha256: str, assertion: str) -> How:
    if assertion:
        before = select(Approval.id).where(Approval.by == who.member_id, Approval.assertion == assertion)
        if session.exec(before.limit(1)).first():
            raise Refused("This answer of your passkey was used before. Approve again with it.", code="passkey")
        key = passkeys.check_assertion(session, settings, who.member_id, assertion, bytes.fromhex(sha256), fresh=True)
        return replace(how, grade=PASSKEY, passkey=key.id, assertion=assertion)
    if who.at_terminal:
        return replace(how, grade=TERMINAL)
    if not who.proven and passkeys.has_any(session, who.member_id):
        raise Invalid("This device is new here: approve with your passkey once.", code="passkey_needed")
    return replace(how, grade=SESSION)


def _decidable(session: Session, who: Person, version_id: str, version_hash: str) -> tuple[Version, Post]:
    require(who, DECIDE, "decide")
    version, post = find(session, who, version_id)
    if version_hash != version.sha256 or post.version_id != version.id:
        raise Conflict("Changed while you looked. Nothing was recorded.", code="stale")
    return version, post


def _open_for_decision(session: Session, post: Post, version: Version, now: datetime) -> None:
    if post.state is not PostState.in_review:
        raise Conflict(f"Somebody decided already: this post is {post.state.replace('_', ' ')}.", code="decided")
    if not approvals.waiting(session, version):
        raise Conflict("Too late: nobody decided in time, so it was kept back. Pick a new time.", code="too_late")
    if all(d.latest_start < now + UNDO for d in approvals.waiting(session, version)):
        raise Conflict("Too late: the time to decide has passed, nothing goes out. Pick a new time.", code="too_late")


def reject(session: Session, who: Person, version_id: str, version_hash: str, now: datetime) -> None:
    """A second identical one changes nothing; so does a second identical `ask_changes`."""
    version, post = _decidable(session, who, version_id, version_hash)
    if not _said_before(session, who, version, "rejected", ""):
        _close(session, who, post, version, PostState.rejected, "rejected", "", now)


def ask_changes(
    session: Session,
    who: Person,
    version_id: str,
    version_hash: str,
    reasons: list[str],
    text: str,
    at_ms: int | None,
    now: datetime,
) -> None:
    if unknown := set(reasons) - set(REASONS):
        raise Invalid(f"“{min(unknown)}” is not one of the reasons.", code="reason")
    if not reasons and not text.strip():
        raise Invalid("Say what should change: pick a reason or write a line.", code="empty_note")
    if len(text) > MAX_NOTE:
        raise Invalid(f"The note is too long; {MAX_NOTE} characters is the most.", code="note_long")
    version, post = _decidable(session, who, version_id, version_hash)
    note = json.dumps({"reasons": reasons, "text": text.strip(), "at_ms": at_ms}, ensure_ascii=False)
    if not _said_before(session, who, version, "changes_requested", note):
        _close(session, who, post, version, PostState.changes_requested, "changes_requested", note, now)


def _said_before(session: Session, who: Person, version: Version, decision: str, note: str) -> bool:
    """A second tap: the same person, about the same version, in the same words."""
    same = (Approval.version_id == version.id, Approval.by == who.member_id, Approval.decision == decision)
    return session.exec(select(Approval.id).where(*same, Approval.note == note)).first() is not None


def _close(
    session: Session,
    who: Person,
    post: Post,
    version: Version,
    target: PostState,
    decision: str,
    note: str,
    now: datetime,
) -> None:
    if post.state is not PostState.in_review:
        raise Conflict(f"Somebody decided already: this post is {post.state.replace('_', ' ')}.", code="decided")
    posts.withdraw(session, post, who.member_id, now, f"The version was {decision.replace('_', ' ')}.")
    session.add(
        Approval(
            organization_id=post.organization_id,
            post_id=post.id,
            version_id=version.id,
            version_sha256=version.sha256,
            decision=decision,
            by=who.member_id,
            note=note,
            decided_at=now,
            effective_at=now,
        )
    )
    reason = _note_text(note)
    moves.move(
        session,
        post,
        target,
        at=now,
        actor=who.member_id,
        reason=reason,
        data={"sha256": version.sha256, "note": reason},
    )
    notices.decided(session, version, who.member_id, decision, now)


def _note_text(note: str) -> str:
    if not note:
        return ""
    data = json.loads(note)
    return "; ".join([*(r.replace("_", " ") for r in data["reasons"]), data["text"]]).strip("; ")


def undo(session: Session, who: Person, approval_id: str, now: datetime) -> None:
    """Takes a fresh approval back. The row stays, marked undone; the deliveries wait again."""
    row = session.get(Approval, approval_id)
    if row is None or row.organization_id != who.organization_id or row.by != who.member_id or row.parent_id:
        raise NotFound("There is no decision of yours to undo here.")
    if now >= row.effective_at:
        raise Conflict("Too late to undo: the ten seconds are over.", code="too_late")
    once = update(Approval).where(col(Approval.id) == row.id, col(Approval.undone_at).is_(None)).values(undone_at=now)
    result = session.execute(once)
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        return
    post = session.get_one(Post, row.post_id)
    for delivery in session.exec(select(Delivery).where(Delivery.version_id == row.version_id)):
        if delivery.state in IN_FLIGHT or delivery.state is DeliveryState.published:
            raise Conflict("Too late to undo: it is going out.", code="too_late")
        if delivery.state is not DeliveryState.scheduled:
            continue
        moves.move(session, delivery, DeliveryState.waiting, at=now, actor=who.member_id, ready_at=delivery.due_at)
    if post.state is PostState.approved:  # it may still wait for others
        moves.move(session, post, PostState.in_review, at=now, actor=who.member_id, action="approval.undone")
    audits.append(
        session,
        at=now,
        organization=who.organization_id,
        actor=who.member_id,
        action="approval.undone",
        noun="approval",
        noun_id=row.id,
    )
