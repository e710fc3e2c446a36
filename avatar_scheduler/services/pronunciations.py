"""How a creator's names and words are read aloud, by language. Renders made from now on use them."""

from datetime import datetime

from sqlmodel import Session, col, func, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Creator, Pronunciation
from avatar_scheduler.domain.errors import Invalid, NotFound, Refused
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import WRITE, own, require
from avatar_scheduler.studio import voices

MOST = 500
"""Of one creator."""
LONGEST_WRITTEN, LONGEST_SPOKEN = 60, 120


def add(
    session: Session, who: Person, creator: Creator, language: str, written: str, spoken: str, now: datetime
) -> Pronunciation:
    """A second reading of the same word replaces the first."""
    require(who, WRITE, "change how words are read")
    own(who, creator)
    language = _language(language)
    written, spoken = _words("The word", written, LONGEST_WRITTEN), _words("The reading", spoken, LONGEST_SPOKEN)
    row = _find(session, creator, language, written)
    if row is None:
        count = session.exec(
            select(func.count()).select_from(Pronunciation).where(Pronunciation.creator_id == creator.id)
        ).one()
        if count >= MOST:
            raise Refused(f"{creator.name} has {MOST} readings, which is the most. Remove one first.", code="quota")
        row = Pronunciation(
            organization_id=creator.organization_id,
            creator_id=creator.id,
            language=language,
            written=written,
            spoken=spoken,
            created_at=now,
        )
    row.spoken = spoken
    session.add(row)
    _note(session, who, row, "pronunciation.added", now)
    return row


def remove(session: Session, who: Person, creator: Creator, language: str, written: str, now: datetime) -> None:
    require(who, WRITE, "change how words are read")
    own(who, creator)
    language = _language(language)
    row = _find(session, creator, language, " ".join(written.split()))
    if row is None:
        raise NotFound(
            f"{creator.name} has no reading of “{written}” in {language}. See: avatar-scheduler voices dictionary list",
            code="no_pronunciation",
        )
    _note(session, who, row, "pronunciation.removed", now)
    session.delete(row)


def listing(session: Session, who: Person, creator: Creator, language: str = "") -> list[Pronunciation]:
    own(who, creator)
    query = select(Pronunciation).where(Pronunciation.creator_id == creator.id)
    if language:
        query = query.where(Pronunciation.language == _language(language))
    return list(session.exec(query.order_by(col(Pronunciation.language), col(Pronunciation.written))))


def _find(session: Session, creator: Creator, language: str, written: str) -> Pronunciation | None:
    mine = (Pronunciation.creator_id == creator.id, Pronunciation.language == language)
    return session.exec(select(Pronunciation).where(*mine, Pronunciation.written == written)).first()


def _language(language: str) -> str:
    voices.choose(language)
    return voices.base(language)


def _words(what: str, text: str, most: int) -> str:
    words = " ".join(text.split())
    if len(words) > most or not any(sign.isalnum() for sign in words) or set("[]") & set(words):
        raise Invalid(f"{what} is up to {most} letters without brackets, not “{words[:80]}”.", code="pronunciation")
    return words


def _note(session: Session, who: Person, row: Pronunciation, action: str, now: datetime) -> None:
    audits.append(
        session,
        at=now,
        organization=row.organization_id,
        actor=who.member_id,
        action=action,
        noun="pronunciation",
        noun_id=row.id,
        data={"language": row.language, "written": row.written, "spoken": row.spoken},
    )
