"""What a person changes about themselves, and nobody else for them."""

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import available_timezones

from sqlmodel import Session

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Member
from avatar_scheduler.domain.errors import Forbidden, Invalid
from avatar_scheduler.i18n import LANGUAGES
from avatar_scheduler.services import passkeys, people
from avatar_scheduler.services.people import Candidate, Person

NAME_LENGTH = 80
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True)
class Profile:
    name: str
    language: str
    zone: str
    quiet_from: str
    quiet_to: str
    keys: bool


def of(session: Session, who: Person) -> Member:
    return session.get_one(Member, who.member_id)


def change(session: Session, who: Person, new: Profile, now: datetime) -> None:
    """Raises Invalid with the field that is wrong."""
    name = " ".join(new.name.split())
    if not name or len(name) > NAME_LENGTH:
        raise Invalid(f"A name has 1 to {NAME_LENGTH} characters.", code="name")
    if new.language not in LANGUAGES:
        raise Invalid("The pages do not speak this language yet.", code="language")
    if new.zone and new.zone not in available_timezones():
        raise Invalid("There is no such time zone. Write it like Europe/Paris.", code="zone")
    if bool(new.quiet_from) != bool(new.quiet_to):
        raise Invalid("Quiet hours need a beginning and an end, or neither.", code="quiet")
    if new.quiet_from and not (_TIME.fullmatch(new.quiet_from) and _TIME.fullmatch(new.quiet_to)):
        raise Invalid("Write quiet hours as 22:00.", code="quiet")
    member = of(session, who)
    member.name, member.language, member.zone, member.keys = name, new.language, new.zone, new.keys
    member.quiet_from, member.quiet_to = new.quiet_from, new.quiet_to
    said = {"name": name, "language": new.language, "zone": new.zone}
    _note(session, who, "member.changed", said | {"quiet_from": new.quiet_from, "quiet_to": new.quiet_to}, now)


def password(session: Session, who: Person) -> Candidate | None:
    """What the present password is checked against; None for somebody who has none."""
    hashed = of(session, who).password_hash
    return Candidate(who.member_id, hashed) if hashed else None


def set_password(session: Session, who: Person, hashed: str, checked: Candidate | None, now: datetime) -> None:
    """`checked` is the password that was typed; without one the session itself must be proven. Others are out."""
    if (checked is None and not who.proven) or (checked is not None and password(session, who) != checked):
        raise Forbidden("Type your present password, or sign in with a passkey first.", code="prove")
    of(session, who).password_hash = hashed
    people.revoke_sessions(session, who.member_id, now, but=who.session_id)
    _note(session, who, "member.password_changed", {}, now)


def drop_password(session: Session, who: Person, now: datetime) -> None:
    """From now on only passkeys and links open the door."""
    if not who.proven or not passkeys.has_any(session, who.member_id):
        raise Forbidden("Sign in with a passkey first, then switch the password off.", code="prove")
    of(session, who).password_hash = ""
    _note(session, who, "member.password_off", {}, now)


def _note(session: Session, who: Person, action: str, data: dict[str, str], now: datetime) -> None:
    audits.append(
        session, at=now, organization=who.organization_id, actor=who.member_id, action=action, noun="member",
        noun_id=who.member_id, data=data,
    )  # fmt: skip
