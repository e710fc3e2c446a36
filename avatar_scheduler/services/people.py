"""Signing in: one-time links, passwords, sessions on the server."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Assignment, Creator, LoginLink, Member, WebSession
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound

# OWASP's argon2id floor; 80 ms on the reference machine (reliability-security T23).
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY = _HASHER.hash(secrets.token_hex(16))
"""Checked when the address is unknown, so that both answers take the same time."""

LINK_LIFE = timedelta(hours=24)
SESSION_LIFE = timedelta(days=14)
MIN_PASSWORD = 12
MAX_PASSWORD = 256
FREE_TRIES = 5
TERMINAL = "terminal"
API = "api"
"""Role of a program with a key: drafts and holds, never a decision."""


@dataclass(frozen=True)
class Person:
    member_id: str
    organization_id: str
    name: str
    role: str
    language: str
    csrf: str
    session_id: str
    reach: frozenset[str] | None = None
    """Ids of the creators this person may reach; None means all of the organization."""
    proven: bool = False
    """A passkey or one-time code was seen in this session."""

    def reaches(self, creator_id: str) -> bool:
        return self.reach is None or not creator_id or creator_id in self.reach

    @property
    def at_terminal(self) -> bool:
        """Came through a command on the machine itself, not through a web session."""
        return self.session_id == TERMINAL


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def make_link(session: Session, member: Member, now: datetime) -> str:
    """A new one-time token for the member; only its hash is stored."""
    token = "link_" + secrets.token_urlsafe(32)
    session.add(LoginLink(member_id=member.id, token_sha256=digest(token), expires_at=now + LINK_LIFE))
    audits.append(
        session,
        at=now,
        organization=member.organization_id,
        actor="cli",
        action="member.link_made",
        noun="member",
        noun_id=member.id,
    )
    return token


def _open_link(session: Session, token: str, now: datetime) -> tuple[LoginLink, Member]:
    query = select(LoginLink, Member).where(LoginLink.member_id == Member.id, LoginLink.token_sha256 == digest(token))
    found = session.exec(query).first()
    if found is None or found[0].used_at is not None or found[0].expires_at <= now or found[1].disabled_at is not None:
        raise NotFound("This link was used already or has ended. Ask for a new one: avatar-scheduler link")
    return found


def peek_link(session: Session, token: str, now: datetime) -> str:
    """The name behind a link. Looking changes nothing: mail scanners look too."""
    return _open_link(session, token, now)[1].name


def redeem_link(session: Session, token: str, password: str, now: datetime, user_agent: str) -> str:
    """Sets the password and returns a session token."""
    link, member = _open_link(session, token, now)
    _check_password(password)
    once = update(LoginLink).where(col(LoginLink.id) == link.id, col(LoginLink.used_at).is_(None)).values(used_at=now)
    result = session.execute(once)
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        raise NotFound("This link was used already.")
    member.password_hash = _HASHER.hash(password)
    member.failed_sign_ins, member.locked_until = 0, None
    for other in session.exec(select(WebSession).where(WebSession.member_id == member.id)):
        other.revoked_at = other.revoked_at or now
    return _open_session(session, member, now, user_agent, "member.password_set")


def _check_password(password: str) -> None:
    if len(password) < MIN_PASSWORD:
        raise Invalid(f"The password is too short. Use at least {MIN_PASSWORD} characters.", code="password_short")
    if len(password) > MAX_PASSWORD:
        raise Invalid(f"The password is too long. Use at most {MAX_PASSWORD} characters.", code="password_long")


def sign_in(session: Session, email: str, password: str, now: datetime, user_agent: str) -> str:
    """Returns a session token. A failed try is counted even though it raises: the caller commits both ways."""
    member = session.exec(select(Member).where(Member.email == email.strip().lower())).first()
    if member is not None and member.locked_until is not None and member.locked_until > now:
        raise Conflict("Too many tries. Wait a few minutes, then try again.", code="locked")
    known = member is not None and member.disabled_at is None and bool(member.password_hash)
    try:
        _HASHER.verify(member.password_hash if known and member else _NOBODY, password[:MAX_PASSWORD])
    except VerificationError:
        known = False
    if member is None or not known:
        raise Forbidden("E-mail or password is wrong.", code="sign_in")
    member.failed_sign_ins, member.locked_until = 0, None
    return _open_session(session, member, now, user_agent, "member.signed_in")


def count_failure(session: Session, email: str, now: datetime) -> None:
    """Called by the edge after a refused sign-in, in a transaction of its own: the refused one is rolled back."""
    member = session.exec(select(Member).where(Member.email == email.strip().lower())).first()
    if member is None:
        return
    member.failed_sign_ins += 1
    over = member.failed_sign_ins - FREE_TRIES
    if over >= 0:
        member.locked_until = now + timedelta(seconds=min(30 * 2**over, 3600))


def _open_session(session: Session, member: Member, now: datetime, user_agent: str, action: str) -> str:
    token = "sess_" + secrets.token_urlsafe(32)
    row = WebSession(
        member_id=member.id,
        token_sha256=digest(token),
        csrf=secrets.token_urlsafe(24),
        user_agent=user_agent[:200],
        created_at=now,
        expires_at=now + SESSION_LIFE,
    )
    session.add(row)
    audits.append(
        session,
        at=now,
        organization=member.organization_id,
        actor=member.id,
        action=action,
        noun="member",
        noun_id=member.id,
        data={"device": user_agent[:200]},
    )
    return token


def who_is(session: Session, token: str, now: datetime) -> Person | None:
    query = select(WebSession, Member).where(
        WebSession.member_id == Member.id,
        WebSession.token_sha256 == digest(token),
        col(WebSession.revoked_at).is_(None),
        col(Member.disabled_at).is_(None),
        WebSession.expires_at > now,
    )
    found = session.exec(query).first()
    return _person(session, *found) if found else None


def _person(session: Session, row: WebSession, member: Member) -> Person:
    return Person(
        member.id, member.organization_id, member.name, member.role, member.language, row.csrf, row.id,
        reach=reach_of(session, member), proven=row.proven_at is not None,
    )  # fmt: skip


def reach_of(session: Session, member: Member) -> frozenset[str] | None:
    """Creators a member may reach; None means all. Creators and clients only ever reach those they were given."""
    if member.reach == "all" and member.role not in ("creator", "client"):
        return None
    given = session.exec(select(Assignment.creator_id).where(Assignment.member_id == member.id))
    own = session.exec(select(Creator.id).where(Creator.member_id == member.id))
    return frozenset(given) | frozenset(own)


def sign_out(session: Session, token: str) -> None:
    row = session.exec(select(WebSession).where(WebSession.token_sha256 == digest(token))).first()
    if row is not None:
        session.delete(row)


def operator(session: Session) -> Person:
    """Who a command at the operator's own terminal acts as: the first owner."""
    member = session.exec(
        select(Member).where(Member.role == "owner").order_by(col(Member.created_at)).limit(1)
    ).first()
    if member is None:
        raise NotFound("Nobody owns this installation yet. Run: avatar-scheduler init", code="not_set_up")
    return Person(member.id, member.organization_id, member.name, member.role, member.language, "", TERMINAL)
