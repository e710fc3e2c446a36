"""The proof of a consent: the person, filmed while they say a sentence nobody could know before.

That the sentence was said is judged by people who watch it. Nothing here listens: the recording is kept, and shown.
"""

import functools
import secrets
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.db.tables import Consent, ConsentProof, Creator
from avatar_scheduler.domain.errors import Conflict, NotFound
from avatar_scheduler.services import consents, uploads, vouching
from avatar_scheduler.services.media import MediaFile
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import AUDIT, own, require
from avatar_scheduler.storage import Blobs
from avatar_scheduler.uploads import accept
from avatar_scheduler.uploads.incoming import Incoming

LIFE = timedelta(minutes=15)
WORDS = 10
"""Of 128: 70 bits. Whoever films themselves beforehand does not guess them."""
KIND = "clip"
GONE = "This sentence has ended or was used. Ask for a new one."


@functools.cache
def words(language: str) -> tuple[str, ...]:
    """The French list for French, the English one for every other language."""
    lists = tomllib.loads((Path(__file__).parent / "phrases.toml").read_text("utf-8"))
    return tuple(lists["fr" if language.startswith("fr") else "en"].split())


def new_phrase(language: str) -> str:
    return " ".join(secrets.choice(words(language)) for _ in range(WORDS))


def ask(session: Session, who: Person, creator: Creator, now: datetime) -> ConsentProof:
    """A fresh sentence for the consent in force. Raises Conflict before there is one."""
    consents.may_give(session, who, creator)
    consent = _in_force(session, creator, now)
    row = ConsentProof(
        organization_id=creator.organization_id, creator_id=creator.id, consent_id=consent.id, member_id=who.member_id,
        phrase=new_phrase(who.language), created_at=now, expires_at=now + LIFE,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _in_force(session: Session, creator: Creator, now: datetime) -> Consent:
    consent = consents.current(session, creator)
    grant = consents.believed(session, consent) if consent is not None else None
    if consent is None or grant is None or grant.revoked_at is not None or grant.ends_at <= now:
        raise Conflict("There is no consent to prove yet. Give it first.", code="consent_missing")
    return consent


def waiting(session: Session, who: Person, creator: Creator, now: datetime) -> ConsentProof | None:
    """The last sentence this person was given, while it is good."""
    query = select(ConsentProof).where(
        ConsentProof.creator_id == creator.id, ConsentProof.member_id == who.member_id,
        col(ConsentProof.recorded_at).is_(None), ConsentProof.expires_at > now,
    )  # fmt: skip
    return session.exec(query.order_by(col(ConsentProof.created_at).desc()).limit(1)).first()


def may_record(settings: Settings, who: Person, slug: str, proof_id: str, now: datetime) -> None:
    """Raises what `record` would raise, before the film is even sent."""
    with read_scope(settings) as session:
        _open(session, who, slug, proof_id, now)


def record(
    settings: Settings, who: Person, slug: str, proof_id: str, incoming: Incoming, filename: str, now: datetime
) -> None:
    """Opens the film in the sandbox, writes it anew, keeps it, and puts its hash and the sentence into the log.

    Raises Conflict when the sentence was used meanwhile or has ended: it is good once.
    """
    with accept.accepted(incoming, KIND, filename, uploads.folder(settings)) as made:
        blobs = Blobs(settings.blobs)
        with write_scope(settings) as session:
            row = _open(session, who, slug, proof_id, now)
            sha256 = blobs.put(made.path)  # while we write, nobody removes its twin
            _use(session, row, sha256, made.mime, now)
            said = {"phrase": row.phrase, "sha256": sha256, "original_sha256": incoming.sha256, "proof": row.id}
            audits.append(
                session,
                at=now,
                organization=row.organization_id,
                actor=who.member_id,
                action="consent.proven",
                noun="consent",
                noun_id=row.consent_id,
                data={**said, "proven_at": now.isoformat()},
            )


def _open(session: Session, who: Person, slug: str, proof_id: str, now: datetime) -> ConsentProof:
    creator = consents.creator_by_slug(session, who, slug)
    consents.may_give(session, who, creator)
    row = session.get(ConsentProof, proof_id)
    if row is None or row.creator_id != creator.id or row.member_id != who.member_id:
        raise NotFound("There is no such sentence. Ask for a new one.", code="no_phrase")
    if row.recorded_at is not None or row.expires_at <= now or _in_force(session, creator, now).id != row.consent_id:
        raise Conflict(GONE, code="phrase_over")
    return row


def _use(session: Session, row: ConsentProof, sha256: str, mime: str, now: datetime) -> None:
    once = (col(ConsentProof.id) == row.id, col(ConsentProof.recorded_at).is_(None))
    result = session.execute(update(ConsentProof).where(*once).values(recorded_at=now, sha256=sha256, mime=mime))
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        raise Conflict(GONE, code="phrase_over")


@dataclass(frozen=True)
class Proof:
    id: str
    phrase: str
    sha256: str
    recorded_at: datetime


def of_consent(session: Session, consent: Consent) -> Proof | None:
    """As the log has it: the last recording made for it."""
    said = audits.said(session, "consent", consent.id)
    if "proof" not in said:
        return None
    return Proof(said["proof"], said["phrase"], said["sha256"], datetime.fromisoformat(said["proven_at"]))


def film(session: Session, settings: Settings, who: Person, slug: str, proof_id: str) -> tuple[MediaFile, str]:
    """The recording and its hash, for whoever may read the log. Raises NotFound, or Refused when it was changed."""
    require(who, AUDIT, "watch a recording")
    row = session.get(ConsentProof, proof_id)
    creator = consents.creator_by_slug(session, who, slug)
    if row is None or row.creator_id != creator.id:
        raise NotFound("There is no such recording.")
    own(who, row)
    said = audits.said(session, "consent", row.consent_id)
    if said.get("proof") != row.id:
        raise NotFound("There is no such recording.")
    return MediaFile(vouching.intact(Blobs(settings.blobs), said["sha256"]), row.mime), said["sha256"]
