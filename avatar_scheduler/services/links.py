"""Signing in by a link in an e-mail: asked for in a browser, good once, in that browser or with the letter's code.

Mail scanners open every link, and some press its button: they have neither the cookie nor the digits.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from sqlmodel import Session, col, func, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import LoginLink, Member
from avatar_scheduler.domain.errors import Forbidden, NotFound
from avatar_scheduler.i18n import N_, translations
from avatar_scheduler.services import people
from avatar_scheduler.services.people import SIGN_IN, digest

LIFE = timedelta(minutes=15)
MOST_OPEN = 3
"""Links of one person at a time: nobody's mailbox is filled from here."""
_SUBJECT = N_("Your link to sign in")
_LETTER = N_(
    "Somebody asked to sign in as you on Avatar Scheduler.\n\n"
    "%(url)s\n\n"
    "The link works once, for 15 minutes. In another browser it also asks for this code: %(code)s\n\n"
    "If that was not you, do nothing. Nobody gets in without this letter."
)


@dataclass(frozen=True)
class Letter:
    to: str
    subject: str
    text: str


def new_token() -> str:
    """Made for known and unknown addresses alike, so that the answers cannot be told apart."""
    return "in_" + secrets.token_urlsafe(32)


def browser_of(token: str) -> str:
    """What the browser that asked keeps; it says nothing about the link."""
    return "asked_" + hashlib.sha256(f"browser {token}".encode()).hexdigest()


def code_of(token: str) -> str:
    """The six digits in the letter, for another browser."""
    return f"{int.from_bytes(hashlib.sha256(f'code {token}'.encode()).digest()[:8]) % 10**6:06d}"


def ask(session: Session, email: str, token: str, base_url: str, now: datetime) -> Letter | None:
    """What to send, once this is committed; None for an address nobody here has, or one asked for too often."""
    member = session.exec(select(Member).where(Member.email == email.strip().lower())).first()
    if member is None or member.disabled_at is not None:
        return None
    still = select(func.count()).where(
        LoginLink.member_id == member.id, LoginLink.purpose == SIGN_IN, col(LoginLink.expires_at) > now
    )
    if session.exec(still).one() >= MOST_OPEN:
        return None
    session.add(LoginLink(member_id=member.id, purpose=SIGN_IN, token_sha256=digest(token), expires_at=now + LIFE))
    audits.append(
        session, at=now, organization=member.organization_id, actor="web", action="member.link_asked", noun="member",
        noun_id=member.id,
    )  # fmt: skip
    say = translations(member.language).gettext
    words = {"url": f"{base_url}/sign-in/link/{token}", "code": code_of(token)}
    return Letter(member.email, say(_SUBJECT), say(_LETTER) % words)


def peek(session: Session, token: str, now: datetime) -> None:
    """Raises NotFound for a link that is no good any more. Looking changes nothing."""
    _open(session, token, now)


def redeem(session: Session, token: str, browser: str, code: str, now: datetime, user_agent: str) -> str:
    """A session token. Raises Forbidden in another browser without the code."""
    link, member = _open(session, token, now)
    same = compare_digest(browser.encode(), browser_of(token).encode())
    if not same and not compare_digest(code.strip().encode(), code_of(token).encode()):
        raise Forbidden("Type the six digits of the e-mail, or open the link where you asked for it.", code="link_code")
    people.use_up(session, link, now)
    return people.open_session(session, member, now, user_agent, "link")


def _open(session: Session, token: str, now: datetime) -> tuple[LoginLink, Member]:
    query = select(LoginLink, Member).where(
        LoginLink.member_id == Member.id, LoginLink.token_sha256 == digest(token), LoginLink.purpose == SIGN_IN
    )
    found = session.exec(query).first()
    if found is None or found[0].used_at is not None or found[0].expires_at <= now or found[1].disabled_at is not None:
        raise NotFound("This link was used already or has ended. Ask for a new one.", code="link")
    return found
