"""TOTP (RFC 6238) as the second factor of those without a passkey, and ten words on paper for a lost phone."""

import json
import secrets
from datetime import datetime
from io import BytesIO

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col

from avatar_scheduler import vault
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Member, OneTimeCode
from avatar_scheduler.domain.errors import Conflict, Forbidden, NotFound
from avatar_scheduler.services import people
from avatar_scheduler.services.people import Person, digest

STEP_SECONDS = 30
DRIFT = 1
"""Steps a phone's clock may be off, either way."""
RECOVERY_CODES = 10
KEY_NAME = "web"
_ISSUER = "Avatar Scheduler"


def begin(session: Session, settings: Settings, who: Person, now: datetime) -> str:
    """A new secret, good for nothing until a code of it was typed. Raises Conflict when codes are on already."""
    import pyotp

    row = session.get(OneTimeCode, who.member_id)
    if row is not None and row.confirmed_at is not None:
        raise Conflict("One-time codes are on already. Turn them off first.", code="codes_on")
    secret = pyotp.random_base32()
    row = row or OneTimeCode(member_id=who.member_id)
    row.sealed = seal(settings, who.organization_id, f"member:{who.member_id}", "totp", secret)
    row.last_step = 0
    session.add(row)
    return secret


def waiting(session: Session, settings: Settings, who: Person) -> str:
    """The secret to be confirmed. Raises NotFound; once it is confirmed nobody reads it again."""
    row = session.get(OneTimeCode, who.member_id)
    if row is None or row.confirmed_at is not None:
        raise NotFound("There is no code to set up.")
    return _secret(settings, who.organization_id, row)


def picture(session: Session, settings: Settings, who: Person) -> bytes:
    """SVG of the QR code an app on the phone reads."""
    import pyotp
    import segno

    member = session.get_one(Member, who.member_id)
    address = pyotp.TOTP(waiting(session, settings, who)).provisioning_uri(name=member.email, issuer_name=_ISSUER)
    drawn = BytesIO()
    segno.make(address, error="m").save(drawn, kind="svg", scale=6, border=4, dark="#000", light="#fff")
    return drawn.getvalue()


def confirm(session: Session, settings: Settings, who: Person, code: str, now: datetime) -> list[str]:
    """Turns codes on. Returns the recovery codes, the only time anybody sees them."""
    row = session.get(OneTimeCode, who.member_id)
    if row is None or row.confirmed_at is not None:
        raise NotFound("There is no code to set up.")
    row.last_step = _step(_secret(settings, who.organization_id, row), code, now, row.last_step)
    row.confirmed_at = now
    words = [f"rec_{secrets.token_hex(5)}-{secrets.token_hex(5)}" for _ in range(RECOVERY_CODES)]
    hashed = json.dumps([digest(word) for word in words])
    _note(session, who.organization_id, who.member_id, "codes.on", now, {"recovery": hashed})
    return words


def turn_off(session: Session, who: Person, now: datetime) -> None:
    row = session.get(OneTimeCode, who.member_id)
    if row is None:
        raise NotFound("One-time codes are off already.")
    if row.confirmed_at is not None and not who.proven:
        raise Forbidden("Sign in with a code once more, then turn them off.", code="prove")
    session.delete(row)
    _note(session, who.organization_id, who.member_id, "codes.off", now, {"recovery": "[]"})


def redeem(session: Session, settings: Settings, token: str, code: str, now: datetime, user_agent: str) -> str:
    """The second half: a code of the app, or a recovery code, each good once. Returns a new session token."""
    half, member = people.half_of(session, token, now)
    if member.locked_until is not None and member.locked_until > now:
        raise Conflict("Too many tries. Wait a few minutes, then try again.", code="locked")
    row = session.get(OneTimeCode, member.id)
    if row is None or row.confirmed_at is None:
        raise NotFound("Signing in took too long. Start again.", code="half")
    code = "".join(code.split()).lower()
    if code.startswith("rec_"):
        _use_recovery(session, member, code, now)
    else:
        _use_step(session, row, _step(_secret(settings, member.organization_id, row), code, now, row.last_step))
    half.revoked_at = now
    member.failed_sign_ins, member.locked_until = 0, None
    return people.open_session(session, member, now, user_agent, "code")


def recovery_left(session: Session, member_id: str) -> int:
    said = audits.said(session, "codes", member_id)
    return len([h for h in json.loads(said.get("recovery", "[]")) if h not in said])


def _use_recovery(session: Session, member: Member, code: str, now: datetime) -> None:
    said, hashed = audits.said(session, "codes", member.id), digest(code)
    if hashed not in json.loads(said.get("recovery", "[]")) or hashed in said:
        raise _wrong()
    _note(session, member.organization_id, member.id, "codes.recovered", now, {hashed: "used"})


def _use_step(session: Session, row: OneTimeCode, step: int) -> None:
    once = update(OneTimeCode).where(col(OneTimeCode.member_id) == row.member_id, col(OneTimeCode.last_step) < step)
    result = session.execute(once.values(last_step=step))
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        raise _wrong()


def _step(secret: str, code: str, now: datetime, last: int) -> int:
    """The time step this code belongs to, later than the last one taken. Raises Forbidden."""
    import pyotp

    totp, here = pyotp.TOTP(secret), int(now.timestamp()) // STEP_SECONDS
    for step in range(here - DRIFT, here + DRIFT + 1):
        if step > last and pyotp.utils.strings_equal(code.strip(), totp.generate_otp(step)):
            return step
    raise _wrong()


def _secret(settings: Settings, organization_id: str, row: OneTimeCode) -> str:
    return unseal(settings, organization_id, f"member:{row.member_id}", "totp", row.sealed)


def seal(settings: Settings, organization_id: str, whose: str, field: str, secret: str) -> str:
    """To the web tier's own key."""
    public, _ = vault.make_keys(settings.keys, KEY_NAME)
    return vault.Sealer(public).seal(secret, vault.Belongs(organization_id, whose, field))


def unseal(settings: Settings, organization_id: str, whose: str, field: str, sealed: str) -> str:
    opener = vault.Opener(settings.keys / f"{KEY_NAME}.private.pem")
    return opener.open(sealed, vault.Belongs(organization_id, whose, field))


def _note(
    session: Session, organization_id: str, member_id: str, action: str, now: datetime, data: dict[str, str]
) -> None:
    audits.append(
        session, at=now, organization=organization_id, actor=member_id, action=action, noun="codes", noun_id=member_id,
        data=data,
    )  # fmt: skip


def _wrong() -> Forbidden:
    return Forbidden("That code is wrong, or was used already. Wait for the next one.", code="code")
