"""Sending what is in the outbox: found by the clock, claimed by one worker, sent, written down.

A crash between claim and answer leaves the row "sending". Once its lease is over it is tried again where a second one
does no harm: a push replaces the first (Topic and tag), and a letter that asks for a yes carries the same Message-ID,
so that mail programs fold the two. A person who was never asked would be worse than one asked twice. Everything else
is given up.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, CursorResult, update
from sqlmodel import Session, and_, col, func, or_, select

from avatar_scheduler.clock import Clock
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.db.tables import Creator, Member, Notice, Outlet, Post, Version
from avatar_scheduler.domain.errors import OutcomeUnknown, SchedulerError
from avatar_scheduler.services import asking, chats, mail, notice_words, notices, outlets, push
from avatar_scheduler.services.notice_words import Words

ACTOR = "notify"
LEASE = timedelta(minutes=3)
"""Longer than the slowest mail server is listened to."""
BACKOFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
BATCH = 200
LOOK_AGAIN = timedelta(minutes=5)
"""Who may decide changes without the version changing: a role, a delegate, quiet hours."""
FINAL = frozenset({"no_mail", "email", "chat_address", "sealed", "push_gone"})
"""Trying again would fail in the same way."""


Step = Callable[[Session, str, datetime], None]


class Rounds:
    """The clock's part. Remembers which versions it asked about, so that a sweep looks only at what changed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.known: dict[str, tuple[tuple[object, ...], datetime]] = {}

    def look(self, now: datetime, guarded: Callable[[Step, str, datetime], None]) -> tuple[list[str], datetime | None]:
        """Ids of notices to send now, and when the next is due. `guarded` runs a step in a transaction of its own."""
        with read_scope(self.settings) as session:
            found = asking.signatures(session)
        self.known = {key: value for key, value in self.known.items() if key in found}

        def ask(session: Session, version_id: str, at: datetime) -> None:
            version = session.get_one(Version, version_id)
            asking.ask(session, version, session.get_one(Post, version.post_id), at)
            self.known[version_id] = (found[version_id], at + LOOK_AGAIN)

        for version_id in [key for key in found if not self._fresh(key, found[key], now)][:BATCH]:
            guarded(ask, version_id, now)
        with read_scope(self.settings) as session:
            return due(session, now), next_due(session, now)

    def _fresh(self, version_id: str, signature: tuple[object, ...], now: datetime) -> bool:
        had = self.known.get(version_id)
        return had is not None and had[0] == signature and now < had[1]


def due(session: Session, now: datetime) -> list[str]:
    query = select(Notice.id).where(_claimable(now)).order_by(col(Notice.due_at)).limit(BATCH)
    return list(session.exec(query))


def next_due(session: Session, now: datetime) -> datetime | None:
    waiting = (Notice.state == notices.WAITING, col(Notice.due_at) > now)
    return session.exec(select(func.min(Notice.due_at)).where(*waiting)).one()


def _claimable(now: datetime) -> ColumnElement[bool]:
    waiting = and_(col(Notice.state) == notices.WAITING, col(Notice.due_at) <= now)
    return or_(waiting, and_(col(Notice.state) == notices.SENDING, col(Notice.lease_until) <= now))


@dataclass(frozen=True)
class _Job:
    notice_id: str
    tries: int
    to: str
    """The address or, for an outlet, what is sealed in it."""
    outlet: Outlet | None
    words: Words
    language: str
    topic: str
    seconds: int
    repeats: bool
    """Whether a second one does no harm."""


def run(settings: Settings, notice_id: str, clock: Clock) -> None:
    """Sends one notice, if it is still due and still wanted."""
    with write_scope(settings) as session:
        job = _claim(session, settings, notice_id, clock())
    if job is None:
        return
    try:
        _send(settings, job)
        reason, code, again = "", "", False
    except SchedulerError as why:
        reason, code = why.message, why.code
        again = code not in FINAL and (job.repeats or not isinstance(why, OutcomeUnknown))
    with write_scope(settings) as session:
        _settle(session, job, reason, code, again, clock())


def _claim(session: Session, settings: Settings, notice_id: str, now: datetime) -> _Job | None:
    row = session.get(Notice, notice_id)
    if row is None:
        return None
    was = row.state
    if not _move(session, row, notices.SENDING, _claimable(now), lease_until=now + LEASE, tries=row.tries + 1):
        return None
    job = _job(session, settings, row, now)
    if job is None:
        _move(session, row, notices.DROPPED, reason="Nobody waits for it any more.")
    elif was == notices.SENDING and (not job.repeats or row.tries > len(BACKOFF) + 1):
        _fail(session, row, "The worker stopped while sending. It may have arrived.", now)
        return None
    return job


def _move(session: Session, row: Notice, state: str, *only: ColumnElement[bool], **values: object) -> bool:
    """False when somebody else moved the row since it was read."""
    session.flush()
    unmoved = (col(Notice.id) == row.id, col(Notice.state) == row.state, col(Notice.tries) == row.tries, *only)
    result = session.execute(update(Notice).where(*unmoved).values(state=state, **values))
    session.refresh(row)
    return isinstance(result, CursorResult) and result.rowcount == 1


def _job(session: Session, settings: Settings, row: Notice, now: datetime) -> _Job | None:
    """None when it is not wanted any more."""
    member = session.get_one(Member, row.member_id)
    outlet = session.get(Outlet, row.outlet_id) if row.outlet_id else None
    if member.disabled_at is not None or (row.outlet_id and (outlet is None or outlet.gone_at is not None)):
        return None
    made = _words(session, settings, row, member, now)
    if made is None:
        return None
    words, seconds = made
    kind = notices.kind_of(row)
    return _Job(
        row.id, row.tries, outlet.sealed if outlet else member.email, outlet, words, member.language,
        hashlib.sha256(f"{row.organization_id} {row.about}".encode()).hexdigest()[:32], seconds,
        repeats=kind in notices.ASKING or kind == notices.KEPT_BACK or (outlet is not None and outlet.kind == "push"),
    )  # fmt: skip


def _words(
    session: Session, settings: Settings, row: Notice, member: Member, now: datetime
) -> tuple[Words, int] | None:
    """And for how many seconds it is of use."""
    said, kind = json.loads(row.words), notices.kind_of(row)
    if kind not in notices.ASKING:
        path = {notices.MENTION: f"/posts/{said.get('page')}", notices.HELD: "/holds", notices.TEST: "/account/outlets"}
        link = settings.base_url + path.get(kind, f"/review/{row.about}")
        return notice_words.news(row.kind if kind == notices.DECIDED else kind, link, member.language), push.LONGEST
    version = session.get(Version, row.about)
    post = session.get_one(Post, version.post_id) if version else None
    if version is None or post is None or not asking.is_open(post, version):
        return None
    found = asking.who_is_asked(session, version, now)
    if found is None or found.plan.deadline <= now or member.id not in {m.id for m in found.first + found.instead}:
        return None
    until = found.plan.deadline
    zone = notices.zone_for(member, session.get(Creator, post.creator_id))
    words = notice_words.asking(
        kind, said["item"], f"{settings.base_url}/review/{row.about}",
        notice_words.when(until, now, zone, member.language), member.language,
    )  # fmt: skip
    return words, int((until - now).total_seconds())


def _send(settings: Settings, job: _Job) -> None:
    if job.outlet is None:
        sender = settings.mail_from.rpartition("@")[2].rstrip(">") or "localhost"
        letter = job.words.letter(job.language)
        mail.send(settings, job.to, job.words.title, letter, message_id=f"<{job.notice_id}@{sender}>")
        return
    secret = outlets.opened(settings, job.outlet)
    if job.outlet.kind == "chat":
        chats.send(secret, job.words.title, f"{job.words.more}\n{job.words.link}".strip())
        return
    path = job.words.link.removeprefix(settings.base_url)
    text = json.dumps(
        {"title": job.words.title, "body": job.words.more, "path": path, "tag": job.topic}, ensure_ascii=False
    )
    push.send(settings, push.read(secret, settings), text, job.topic, job.seconds)


def _settle(session: Session, job: _Job, reason: str, code: str, again: bool, now: datetime) -> None:
    row = session.get_one(Notice, job.notice_id)
    if row.state != notices.SENDING or row.tries != job.tries:
        return  # the lease ran out meanwhile, and somebody else has it
    outlet = session.get(Outlet, row.outlet_id) if row.outlet_id else None
    if not reason:
        _move(session, row, notices.SENT, reason="", sent_at=now)
        if outlet is not None:
            outlet.last_used_at = now
        _note(session, row, "notice.sent", now, {})
    elif code == "push_gone" and outlet is not None:
        outlets.lose(session, outlet, now)
        _fail(session, row, reason, now)
    elif code == "no_mail":
        _move(session, row, notices.DROPPED, reason=reason)
    elif again and row.tries <= len(BACKOFF):
        _move(session, row, notices.WAITING, reason=reason, due_at=now + BACKOFF[row.tries - 1])
    else:
        _fail(session, row, reason, now)


def _fail(session: Session, row: Notice, reason: str, now: datetime) -> None:
    _move(session, row, notices.FAILED, reason=reason)
    _note(session, row, "notice.failed", now, {"reason": reason})


def _note(session: Session, row: Notice, action: str, now: datetime, data: dict[str, str]) -> None:
    audits.append(
        session, at=now, organization=row.organization_id, actor=ACTOR, action=action, noun="notice", noun_id=row.id,
        data={**data, "about": row.about, "kind": row.kind, "member": row.member_id, "way": row.outlet_id or "mail"},
    )  # fmt: skip
