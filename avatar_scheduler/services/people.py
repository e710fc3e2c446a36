"""Signing in: one-time links, passwords, sessions on the server."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Assignment, Creator, LoginLink, Member, OneTimeCode, WebSession
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound

# OWASP's argon2id floor; 80 ms on the reference machine (reliability-security T23).
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY = _HASHER.hash(secrets.token_hex(16))
"""Checked when the address is unknown, so that both answers take the same time."""

LINK_LIFE = timedelta(hours=24)
SESSION_LIFE = timedelta(days=14)
IDLE_LIFE = timedelta(days=7)
TOUCH = timedelta(hours=1)
"""How exactly it is known when a session was last used."""
HALF_LIFE = timedelta(minutes=10)
HASHING, WAITING, HASH_WAIT_SECONDS = 2, 8, 5.0
"""Passwords being checked at once, checks waiting for their turn, and how long they wait. Each takes 19 MiB."""
MIN_PASSWORD = 12
MAX_PASSWORD = 256
FREE_TRIES = 5
HALF = "half"
"""How a session was opened whose second factor is still to come: it is nobody's yet."""
WELCOME, SIGN_IN = "welcome", "sign_in"
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
    keys: bool = True
    """Single letters are commands on the pages."""
    idle: bool = False
    """Not seen for an hour: `touch` its session."""

    def reaches(self, creator_id: str) -> bool:
        return self.reach is None or not creator_id or creator_id in self.reach

    @property
    def at_terminal(self) -> bool:
        """Came through a command on the machine itself, not through a web session."""
        return self.session_id == TERMINAL


_TURNS = BoundedSemaphore(HASHING)
_PLACES = BoundedSemaphore(HASHING + WAITING)


@contextmanager
def _hashing() -> Iterator[None]:
    """Checking passwords never takes every thread and all memory: who comes too late is sent away at once."""
    busy = Conflict("Too many people sign in right now. Wait a moment, then try again.", code="busy")
    if not _PLACES.acquire(blocking=False):
        raise busy
    try:
        if not _TURNS.acquire(timeout=HASH_WAIT_SECONDS):
            raise busy
        try:
            yield
        finally:
            _TURNS.release()
    finally:
        _PLACES.release()


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def make_link(session: Session, member: Member, now: datetime) -> str:
    """A new one-time token for the member; only its hash is stored."""
    token = "link_" + secrets.token_urlsafe(32)
    session.add(LoginLink(member_id=member.id, purpose=WELCOME, token_sha256=digest(token), expires_at=now + LINK_LIFE))
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
    query = select(LoginLink, Member).where(
        LoginLink.member_id == Member.id, LoginLink.token_sha256 == digest(token), LoginLink.purpose == WELCOME
    )
    found = session.exec(query).first()
    if found is None or found[0].used_at is not None or found[0].expires_at <= now or found[1].disabled_at is not None:
        raise NotFound("This link was used already or has ended. Ask for a new one: avatar-scheduler link")
    return found


def peek_link(session: Session, token: str, now: datetime) -> str:
    """The name behind a link. Looking changes nothing: mail scanners look too."""
    return _open_link(session, token, now)[1].name


def redeem_link(session: Session, token: str, hashed: str, now: datetime, user_agent: str) -> str:
    """Sets the password, which was hashed before: that waits for its turn, and would keep every writer waiting."""
    link, member = _open_link(session, token, now)
    use_up(session, link, now)
    member.password_hash = hashed
    member.failed_sign_ins, member.locked_until = 0, None
    revoke_sessions(session, member.id, now)
    return open_session(session, member, now, user_agent, "password", "member.password_set")


def use_up(session: Session, link: LoginLink, now: datetime) -> None:
    """Finding it unused and using it is one step."""
    once = update(LoginLink).where(col(LoginLink.id) == link.id, col(LoginLink.used_at).is_(None)).values(used_at=now)
    result = session.execute(once)
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        raise NotFound("This link was used already.")


def hash_password(password: str) -> str:
    """Raises Invalid for one too short or too long, Conflict (busy) when too many are at it."""
    _check_password(password)
    with _hashing():
        return _HASHER.hash(password)


def revoke_sessions(session: Session, member_id: str, now: datetime, *, but: str = "") -> int:
    """Every device is out at its next request, except the session `but`. Returns how many."""
    gone = [
        row
        for row in session.exec(select(WebSession).where(WebSession.member_id == member_id))
        if row.revoked_at is None and row.id != but
    ]
    for row in gone:
        row.revoked_at = now
    return len(gone)


def _check_password(password: str) -> None:
    if len(password) < MIN_PASSWORD:
        raise Invalid(f"The password is too short. Use at least {MIN_PASSWORD} characters.", code="password_short")
    if len(password) > MAX_PASSWORD:
        raise Invalid(f"The password is too long. Use at most {MAX_PASSWORD} characters.", code="password_long")


@dataclass(frozen=True)
class Candidate:
    """Who an address may be, read before the password is checked: checking takes long, and holds no transaction."""

    member_id: str
    password_hash: str


def candidate(session: Session, email: str, now: datetime) -> Candidate:
    """Somebody, whether the address is known or not. Raises Conflict while it is locked."""
    member = session.exec(select(Member).where(Member.email == email.strip().lower())).first()
    if member is not None and member.locked_until is not None and member.locked_until > now:
        raise Conflict("Too many tries. Wait a few minutes, then try again.", code="locked")
    if member is None or member.disabled_at is not None or not member.password_hash:
        return Candidate("", _NOBODY)
    return Candidate(member.id, member.password_hash)


def check_password(who: Candidate, password: str) -> None:
    """Raises Forbidden for a wrong one, Conflict (busy) when too many are being checked."""
    wrong = Forbidden("E-mail or password is wrong.", code="sign_in")
    try:
        with _hashing():
            _HASHER.verify(who.password_hash, password[:MAX_PASSWORD])
    except VerificationError as why:
        raise wrong from why
    if not who.member_id:
        raise wrong


def enter(session: Session, who: Candidate, now: datetime, user_agent: str) -> str:
    """A session token, once the password was right. It may have been changed meanwhile."""
    member = session.get_one(Member, who.member_id)
    if member.disabled_at is not None or member.password_hash != who.password_hash:
        raise Forbidden("E-mail or password is wrong.", code="sign_in")
    member.failed_sign_ins, member.locked_until = 0, None
    return open_session(session, member, now, user_agent, "password")


def count_failure(session: Session, email: str, now: datetime) -> None:
    """Called by the edge after a refused sign-in, in a transaction of its own: the refused one is rolled back."""
    member = session.exec(select(Member).where(Member.email == email.strip().lower())).first()
    if member is None:
        return
    member.failed_sign_ins += 1
    over = member.failed_sign_ins - FREE_TRIES
    if over >= 0:
        member.locked_until = now + timedelta(seconds=min(30 * 2**over, 3600))


def open_session(
    session: Session, member: Member, now: datetime, user_agent: str, how: str, action: str = "member.signed_in"
) -> str:
    """A new token, always. `how`: "password", "link", "oidc", "passkey", "code"; the last two are proof enough.

    A password or a link of somebody with one-time codes opens half a session only, which `who_is` does not know.
    """
    half = how in ("password", "link") and has_codes(session, member.id)
    token = "sess_" + secrets.token_urlsafe(32)
    row = WebSession(
        member_id=member.id,
        token_sha256=digest(token),
        csrf="csrf_" + secrets.token_urlsafe(24),
        user_agent=user_agent[:200],
        how=HALF if half else how,
        proven_at=now if how in ("passkey", "code") else None,
        last_seen_at=now,
        created_at=now,
        expires_at=now + (HALF_LIFE if half else SESSION_LIFE),
    )
    session.add(row)
    audits.append(
        session,
        at=now,
        organization=member.organization_id,
        actor=member.id,
        action="member.half_signed_in" if half and action == "member.signed_in" else action,
        noun="member",
        noun_id=member.id,
        data={"device": user_agent[:200], "how": how},
    )
    return token


def has_codes(session: Session, member_id: str) -> bool:
    row = session.get(OneTimeCode, member_id)
    return row is not None and row.confirmed_at is not None


def who_is(session: Session, token: str, now: datetime) -> Person | None:
    found = _session_of(session, token, now)
    if found is None or found[0].how == HALF:
        return None
    return _person(session, *found, now)


def half_of(session: Session, token: str, now: datetime) -> tuple[WebSession, Member]:
    """Whose second factor is awaited. Raises NotFound."""
    found = _session_of(session, token, now)
    if found is None or found[0].how != HALF:
        raise NotFound("Signing in took too long. Start again.", code="half")
    return found


def _session_of(session: Session, token: str, now: datetime) -> tuple[WebSession, Member] | None:
    query = select(WebSession, Member).where(
        WebSession.member_id == Member.id,
        WebSession.token_sha256 == digest(token),
        col(WebSession.revoked_at).is_(None),
        col(Member.disabled_at).is_(None),
        WebSession.expires_at > now,
    )
    found = session.exec(query).first()
    return found if found and _seen(found[0]) > now - IDLE_LIFE else None


def _seen(row: WebSession) -> datetime:
    return row.last_seen_at or row.created_at


def touch(session: Session, who: Person, now: datetime) -> None:
    session.execute(update(WebSession).where(col(WebSession.id) == who.session_id).values(last_seen_at=now))


def _person(session: Session, row: WebSession, member: Member, now: datetime) -> Person:
    return Person(
        member.id, member.organization_id, member.name, member.role, member.language, row.csrf, row.id,
        reach=reach_of(session, member), proven=row.proven_at is not None, keys=member.keys,
        idle=_seen(row) <= now - TOUCH,
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
