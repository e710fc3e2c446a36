"""Keys for programs and agents: they draft, render and stop, and never decide."""

import json
import secrets
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import ApiKey, Creator, Member
from avatar_scheduler.domain.errors import Invalid, NotFound
from avatar_scheduler.services.people import API, Person, digest
from avatar_scheduler.services.roles import RULE, own, require

PREFIX = "key_"
LONGEST = 365
USUAL = 90
"""Days."""
MOST_NAME = 60
TOUCH = timedelta(hours=1)


def make(
    session: Session, who: Person, name: str, creator_ids: tuple[str, ...], days: int, now: datetime
) -> tuple[ApiKey, str]:
    """The row, and the key, which is shown once."""
    require(who, RULE, "make keys for programs")
    if not 1 <= len(name.strip()) <= MOST_NAME or not 1 <= days <= LONGEST:
        raise Invalid(f"A key has a name of 1 to {MOST_NAME} characters and lasts 1 to {LONGEST} days.", code="key")
    if who.reach is not None and not creator_ids:
        raise Invalid("You reach some creators, not all. Say which of them the key is for.", code="creator")
    for one in creator_ids:
        creator = session.get(Creator, one)
        if creator is None:
            raise NotFound("There is no such creator.")
        own(who, creator)
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiKey(
        organization_id=who.organization_id, name=name.strip(), token_sha256=digest(token),
        creator_ids=json.dumps(sorted(set(creator_ids))), created_by=who.member_id, created_at=now,
        expires_at=now + timedelta(days=days),
    )  # fmt: skip
    session.add(row)
    session.flush()
    _note(session, row, who, "key.made", now)
    return row, token


def revoke(session: Session, who: Person, key_id: str, now: datetime) -> None:
    require(who, RULE, "revoke keys")
    row = session.get(ApiKey, key_id)
    if row is None or row.revoked_at is not None:
        raise NotFound("There is no such key.")
    own(who, row)
    row.revoked_at = now
    _note(session, row, who, "key.revoked", now)


def end_of(session: Session, member_id: str, who: Person, now: datetime) -> None:
    """Every key this member made: a key never outlives the rights it was made with."""
    for row in session.exec(select(ApiKey).where(ApiKey.created_by == member_id, col(ApiKey.revoked_at).is_(None))):
        row.revoked_at = now
        _note(session, row, who, "key.revoked", now)


def listing(session: Session, who: Person) -> list[ApiKey]:
    require(who, RULE, "see keys")
    query = select(ApiKey).where(ApiKey.organization_id == who.organization_id, col(ApiKey.revoked_at).is_(None))
    return list(session.exec(query.order_by(col(ApiKey.created_at))))


def who_is(session: Session, token: str, now: datetime) -> Person | None:
    """The program behind a key: a person of the role that may draft and stop. Its maker has to be here still."""
    if not token.startswith(PREFIX):
        return None
    query = select(ApiKey, Member).where(ApiKey.created_by == Member.id, ApiKey.token_sha256 == digest(token))
    found = session.exec(query).first()
    if found is None or found[0].revoked_at or found[0].expires_at <= now or found[1].disabled_at:
        return None
    row = found[0]
    reach = frozenset(json.loads(row.creator_ids)) or None
    return Person(f"key:{row.id}", row.organization_id, row.name, API, "en", "", f"key:{row.id}", reach=reach)


def touch(session: Session, person: Person, now: datetime) -> None:
    """When it was last used, to the hour."""
    row = session.get_one(ApiKey, person.member_id.removeprefix("key:"))
    if row.last_used_at is None or now - row.last_used_at > TOUCH:
        row.last_used_at = now


def _note(session: Session, row: ApiKey, who: Person, action: str, now: datetime) -> None:
    audits.append(
        session, at=now, organization=row.organization_id, actor=who.member_id, action=action, noun="api_key",
        noun_id=row.id, data={"name": row.name, "until": row.expires_at.isoformat()},
    )  # fmt: skip
