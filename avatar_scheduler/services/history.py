"""What the log says already happened, whatever the state columns say now.

A column can be set back with one UPDATE. The log cannot: what it says was given is believed only under its seal, and
removed entries break its chain, which `watch` looks for.
"""

import json
from pathlib import Path

from sqlmodel import Session, col, func, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits, recall
from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.db.tables import Approval, Audit, Delivery, Post
from avatar_scheduler.domain.delivery import AttemptState
from avatar_scheduler.domain.errors import Refused

HEAD = "audit-head.json"
SENT = (AttemptState.committing, AttemptState.unknown, AttemptState.accepted)
OVER = tuple(f"delivery.{end}" for end in ("accepted", "published", "failed", "kept_back", "withdrawn"))
VOID = tuple(f"post.{end}" for end in ("cancelled", "rejected", "changes_requested", "draft", "edited"))


def check_delivery(session: Session, delivery: Delivery) -> None:
    """Raises Refused when this delivery was sent before, or came to its end before."""
    sent = any(attempt.state in SENT for attempt in rows.attempts(session, delivery.id))
    if sent or rows.receipts(session, delivery.id):
        raise Refused("It was sent before. Nothing is sent twice.", code="sent_before")
    ended = next((entry.action for entry in audits.of(session, delivery.id) if entry.action in OVER), "")
    if ended:
        raise Refused(f"It was {ended.partition('.')[2].replace('_', ' ')} before; that is final.", code="ended_before")


def check_approval(session: Session, post: Post, approval: Approval) -> None:
    """Raises Refused when the post was edited, rejected or cancelled after this approval was given."""
    seq = audits.given_at(session, "approval.approved", approval.id)
    if not seq:
        raise Refused("The log does not know this approval.", code="approval_forged")
    later = (entry.action for entry in audits.of(session, post.id) if entry.seq > seq)
    if voided := next((action for action in later if action in VOID), ""):
        word = voided.partition(".")[2].replace("_", " ")
        raise Refused(f"The post was changed after the approval ({word}).", code="approval_void")


def check_tail(session: Session, settings: Settings, approval: Approval) -> None:
    """Raises Refused when entries since the approval were removed: one of them may have taken it back."""
    first = audits.given_at(session, "approval.approved", approval.id)
    whole = recall.once(session, "tail", _Tail)
    if not whole.reaches(first) and not whole.look(session, settings, first):
        raise Refused("The log was changed after the approval. Run: avatar-scheduler audit verify", code="log_damaged")


class _Tail:
    """From which entry on the log was found whole; what a transaction adds itself leaves it so."""

    def __init__(self) -> None:
        self._first: int | None = None

    def reaches(self, first: int) -> bool:
        return self._first is not None and self._first <= first

    def look(self, session: Session, settings: Settings, first: int) -> bool:
        count, last = session.exec(
            select(func.count(), func.max(Audit.seq)).select_from(Audit).where(col(Audit.seq) >= first)
        ).one()
        known = head(settings)
        there = session.get(Audit, known[0]) if known else None
        if count != (last or 0) - first + 1 or (known is not None and (there is None or there.hash != known[1])):
            return False
        self._first = first
        return True


def head(settings: Settings) -> tuple[int, str] | None:
    """The last checkpoint, kept outside the database. Raises Refused when its file is damaged."""
    path = settings.data / HEAD
    try:
        data = json.loads(path.read_text())
        return int(data["seq"]), str(data["hash"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{path} is damaged. Restore it: without it a cut log goes unseen.", code="audit_head") from None


def damage(settings: Settings) -> str:
    """Why nothing may leave: the log is damaged. Empty while it is whole."""
    try:
        return str(json.loads(_flag(settings).read_text())["problem"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError):
        return "The note about the log cannot be read."


def watch(settings: Settings, head: tuple[int, str] | None, *, whole: bool) -> None:
    """Looks for entries removed since the checkpoint `head`; with `whole`, recomputes every hash."""
    with read_scope(settings) as session:
        if whole:
            problem = audits.check(session, head).problem
        else:
            count, last = session.exec(select(func.count(), func.max(Audit.seq)).select_from(Audit)).one()
            kept = session.get(Audit, head[0]) if head and head[0] else None
            cut = head is not None and head[0] > 0 and (kept is None or kept.hash != head[1])
            problem = "Entries were removed from it." if cut or count != (last or 0) else ""
    if problem:
        _flag(settings).write_text(json.dumps({"problem": problem}))
    elif whole:
        _flag(settings).unlink(missing_ok=True)


def _flag(settings: Settings) -> Path:
    return settings.data / "audit-damaged.json"
