"""Changing who must agree. Stronger holds at once; weaker takes two owners and a day."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Creator, Member, Organization, Policy
from avatar_scheduler.domain import stages
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from avatar_scheduler.domain.interaction import check_kind, is_core
from avatar_scheduler.domain.stages import ALL_KINDS, Stage
from avatar_scheduler.services import policies
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.policies import NOUN, Said
from avatar_scheduler.services.roles import DECIDE, RULE, own

WAIT = timedelta(hours=24)
TO_SECOND = timedelta(days=7)


def put(session: Session, who: Person, creator: Creator, kind: str, wanted: tuple[Stage, ...], now: datetime) -> Policy:
    """Raises Invalid below the floor, Forbidden for a weaker one by the creator, Refused where no second owner is."""
    own(who, creator)
    mine = who.member_id == creator.member_id
    if who.role not in RULE and not mine:
        raise Forbidden(f"Your role ({who.role}) may not set policies. Ask an owner.", code="role")
    _check(session, creator, kind, wanted)
    weaker = _weaker(session, creator, kind, wanted, now)
    if weaker and who.role != "owner":
        raise Forbidden("Only owners make a policy weaker.", code="role")
    number = 1 + (session.exec(select(func.max(Policy.number)).where(Policy.creator_id == creator.id)).one() or 0)
    row = Policy(
        organization_id=creator.organization_id, creator_id=creator.id, kind=kind, number=number,
        stages=json.dumps(stages.plain(wanted)), set_by=who.member_id, created_at=now,
        effective_at=_effective(session, who, creator, now) if weaker else now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    record(session, who, creator, "policy.set", said(row), now)
    return row


def _weaker(session: Session, creator: Creator, kind: str, wanted: tuple[Stage, ...], now: datetime) -> bool:
    try:
        return stages.weaker(wanted, policies.of(session, creator, kind, now).stages)
    except Refused:  # what cannot be read may have asked for more
        return True


def _check(session: Session, creator: Creator, kind: str, wanted: tuple[Stage, ...]) -> None:
    core = kind == ALL_KINDS or is_core(check_kind(kind))
    stages.check(wanted, core=core)
    for selector in (selector for stage in wanted for selector in stage.by):
        noun, _, name = selector.partition(":")
        if noun == "role" and name not in DECIDE:
            raise Invalid(f"The role “{name}” does not decide.", code="stages")
        if noun == "member":
            member = session.get(Member, name)
            if member is None or member.organization_id != creator.organization_id or member.role not in DECIDE:
                raise Invalid("A stage names somebody who does not decide here.", code="stages")


def _effective(session: Session, who: Person, creator: Creator, now: datetime) -> datetime | None:
    """When a weaker one holds: after a day for an owner alone with themselves, else after the second owner and a day.

    The organization's kind alone is not believed: whoever turned an agency into solo would decide for its people.
    """
    organization = session.get_one(Organization, creator.organization_id)
    query = select(func.count()).where(
        Member.organization_id == organization.id, Member.role == "owner", col(Member.disabled_at).is_(None)
    )
    owners = session.exec(query).one()
    depicted = audits.said(session, "creator", creator.id).get("member", "")
    if organization.kind == "solo" and owners == 1 and depicted in ("", who.member_id):
        return now + WAIT
    if owners < 2:
        raise Refused("A weaker policy needs a second owner, and there is only one. Invite another.", code="one_owner")
    return None


def said(row: Policy) -> Said:
    return Said(row.kind, row.number, row.stages, row.effective_at, row.dropped_at is not None)


def pending(session: Session, who: Person, now: datetime) -> list[Policy]:
    """Weaker ones that do not hold yet: they wait for the second owner, or for their day."""
    query = select(Policy).where(
        Policy.organization_id == who.organization_id, col(Policy.dropped_at).is_(None),
        col(Policy.effective_at).is_(None) | (col(Policy.effective_at) > now),
    )  # fmt: skip
    rows = session.exec(query.order_by(col(Policy.created_at)))
    return [
        row for row in rows if who.reaches(row.creator_id) and (row.effective_at or row.created_at + TO_SECOND > now)
    ]


def _open(session: Session, who: Person, policy_id: str, now: datetime) -> tuple[Policy, Creator, Said]:
    row = session.get(Policy, policy_id)
    if row is None:
        raise NotFound("There is no such policy.")
    own(who, row)
    creator = session.get_one(Creator, row.creator_id)
    known = [p for p in policies.every(session, creator.id) if (p.kind, p.number) == (row.kind, row.number)]
    if not known or known[0].dropped or known[0] != said(row):
        raise Conflict("This policy was changed or dropped meanwhile. Set it again.", code="state")
    return row, creator, known[0]


def second(session: Session, who: Person, policy_id: str, now: datetime) -> Policy:
    """The second owner agrees: it holds a day from now."""
    row, creator, known = _open(session, who, policy_id, now)
    if who.role != "owner" or who.member_id == row.set_by:
        raise Forbidden("Another owner has to agree.", code="second_owner")
    if row.effective_at is not None or now >= row.created_at + TO_SECOND:
        raise Conflict("Nobody has to agree to this any more.", code="state")
    row.seconded_by, row.effective_at = who.member_id, now + WAIT
    record(session, who, creator, "policy.seconded", replace(known, effective_at=row.effective_at), now)
    return row


def drop(session: Session, who: Person, policy_id: str, now: datetime) -> None:
    """Before it holds; afterwards only another policy replaces it."""
    row, creator, known = _open(session, who, policy_id, now)
    if who.role not in RULE and who.member_id != creator.member_id:
        raise Forbidden(f"Your role ({who.role}) may not drop policies. Ask an owner.", code="role")
    if row.effective_at is not None and row.effective_at <= now:
        raise Conflict("It holds already. Set another one instead.", code="state")
    row.dropped_at = now
    record(session, who, creator, "policy.dropped", replace(known, dropped=True), now)


def record(session: Session, who: Person, creator: Creator, action: str, policy: Said, now: datetime) -> None:
    audits.append(
        session, at=now, organization=creator.organization_id, actor=who.member_id, action=action, noun=NOUN,
        noun_id=creator.id, data=policy.entry(),
    )  # fmt: skip
