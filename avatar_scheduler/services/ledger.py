"""The consents of an organization as its people see them."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Approval, Channel, Consent, Creator, Member
from avatar_scheduler.domain.approval import Scope
from avatar_scheduler.domain.consent import SOON, Grant
from avatar_scheduler.domain.errors import Forbidden, Refused
from avatar_scheduler.services import asked, consent_proofs, consents, standing, withdrawal
from avatar_scheduler.services.consent_proofs import Proof
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import AUDIT, reached, require

MISSING, IN_FORCE, ENDING, ENDED, WITHDRAWN, CHANGED = "missing", "in_force", "ending", "ended", "withdrawn", "changed"
PRACTISED = "creator.practised"


@dataclass(frozen=True)
class Entry:
    slug: str
    name: str
    zone: str
    creator_id: str
    person: str
    """Name of the person depicted, once they are here."""
    state: str
    """One of the words above; "changed" when the row says more than the log."""
    grant: Grant | None
    given_by: str
    at_terminal: bool
    proof: Proof | None
    may_give: bool
    may_withdraw: bool
    practised: bool

    @property
    def holds(self) -> bool:
        return self.state in (IN_FORCE, ENDING)


def listing(session: Session, who: Person, now: datetime) -> list[Entry]:
    """Every creator this person reaches, oldest first."""
    require(who, AUDIT, "see consents")
    query = select(Creator).where(Creator.organization_id == who.organization_id)
    if (near := reached(who)) is not None:
        query = query.where(col(Creator.id).in_(near))
    return [_entry(session, who, creator, now) for creator in session.exec(query.order_by(col(Creator.created_at)))]


def of(session: Session, who: Person, slug: str, now: datetime) -> Entry:
    require(who, AUDIT, "see consents")
    return _entry(session, who, consents.creator_by_slug(session, who, slug), now)


def own_slug(session: Session, who: Person) -> str:
    """Of the creator this person is; empty for everybody else."""
    query = select(Creator.slug).where(
        Creator.member_id == who.member_id, Creator.organization_id == who.organization_id
    )
    return session.exec(query.order_by(col(Creator.created_at)).limit(1)).first() or ""


def standing_of(session: Session, who: Person, creator: Creator, now: datetime) -> list[tuple[Approval, Scope]]:
    return [(row, scope) for row, scope in standing.in_force(session, who, now) if scope.creator == creator.id]


def channels(session: Session, creator: Creator) -> list[Channel]:
    query = select(Channel).where(Channel.creator_id == creator.id, col(Channel.disabled_at).is_(None))
    return list(session.exec(query.order_by(col(Channel.created_at))))


def practised(session: Session, who: Person, slug: str, now: datetime) -> None:
    """Written down once, so that the first minutes are over."""
    creator = consents.creator_by_slug(session, who, slug)
    consents.may_give(session, who, creator)
    if not audits.happened(session, PRACTISED, creator.id):
        audits.append(
            session, at=now, organization=creator.organization_id, actor=who.member_id, action=PRACTISED,
            noun="creator", noun_id=creator.id,
        )  # fmt: skip


def _entry(session: Session, who: Person, creator: Creator, now: datetime) -> Entry:
    row = consents.current(session, creator)
    state, grant = _state(session, row, now)
    said = audits.said(session, "consent", row.id) if row is not None else {}
    by = session.get(Member, row.recorded_by) if row is not None and grant is not None else None
    person = session.get(Member, _person(session, creator))
    return Entry(
        slug=creator.slug,
        name=creator.name,
        zone=creator.zone,
        creator_id=creator.id,
        person=person.name if person else "",
        state=state,
        grant=grant,
        given_by=by.name if by else "",
        at_terminal=said.get("way", "terminal") == "terminal",
        proof=consent_proofs.of_consent(session, row) if row is not None else None,
        may_give=_may_give(session, who, creator),
        may_withdraw=bool(grant) and withdrawal.may_withdraw(session, who, creator, now),
        practised=audits.happened(session, PRACTISED, creator.id),
    )


def _person(session: Session, creator: Creator) -> str:
    try:
        return asked.person_of(session, creator)
    except Refused:
        return ""


def _may_give(session: Session, who: Person, creator: Creator) -> bool:
    try:
        consents.may_give(session, who, creator)
    except (Forbidden, Refused):
        return False
    return True


def _state(session: Session, row: Consent | None, now: datetime) -> tuple[str, Grant | None]:
    try:
        grant = consents.believed(session, row) if row is not None else None
    except Refused:
        return CHANGED, None
    if grant is None:
        return MISSING, None
    if grant.revoked_at is not None:
        return WITHDRAWN, grant
    if now >= grant.ends_at:
        return ENDED, grant
    return (ENDING if now >= grant.ends_at - SOON else IN_FORCE), grant
