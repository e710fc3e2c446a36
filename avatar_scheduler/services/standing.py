"""Standing approvals: a creator's signed yes to a kind of secondary post, for a time and a number a day."""

import json
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Approval, Channel, Creator, Post, Version
from avatar_scheduler.domain.approval import STANDING, Scope, check_scope
from avatar_scheduler.domain.errors import Forbidden, Invalid, NotFound, Refused
from avatar_scheduler.domain.interaction import is_core
from avatar_scheduler.domain.stages import ANYONE, CREATOR, Yes, next_open
from avatar_scheduler.domain.version import sha256
from avatar_scheduler.scripts import starters
from avatar_scheduler.services import approvals, asked
from avatar_scheduler.services.approvals import How
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import DECIDE, own, require

MAX_PER_DAY = 100
MAX_DAYS = 365


def grant(
    session: Session,
    settings: Settings,
    who: Person,
    creator: Creator,
    kinds: tuple[str, ...],
    per_day: int,
    days: int,
    now: datetime,
    templates: tuple[str, ...] = (),
    channels: tuple[str, ...] = (),
) -> Approval:
    """`templates` are ids of script starters, bound as they read today; `channels` ids of the creator's own.

    None named: any. Raises Invalid for a core kind or bounds that are none, Forbidden unless the creator asks.
    """
    require(who, DECIDE, "give a standing approval")
    if core := [kind for kind in kinds if is_core(kind)]:
        raise Invalid(f"{', '.join(core)} always needs a person; no standing approval covers it.", code="core")
    if not kinds or not 1 <= per_day <= MAX_PER_DAY or not 1 <= days <= MAX_DAYS:
        raise Invalid(
            f"A standing approval names a kind, 1 to {MAX_PER_DAY} posts a day and 1 to {MAX_DAYS} days.", code="scope"
        )
    own(who, creator)
    person = asked.person_of(session, creator)
    if person and person != who.member_id:
        raise Forbidden(f"Only {creator.name} can say what goes out without them.", code="not_yours_to_give")
    platforms = tuple(sorted(set(session.exec(select(Channel.platform).where(Channel.creator_id == creator.id)))))
    scope = Scope(
        creator.id, tuple(sorted(kinds)), platforms, per_day, now + timedelta(days=days),
        tuple(sorted(sha256(starters.load(one).source) for one in set(templates))),
        _own_channels(session, creator, channels),
    )  # fmt: skip
    return approvals.sign_in_ledger(
        session,
        settings,
        organization=who.organization_id,
        decision="standing",
        post="",
        version=None,
        by=who.member_id,
        parent="",
        scope=scope.text(),
        now=now,
        effective_at=now,
        how=How(STANDING, CREATOR),
    )


def _own_channels(session: Session, creator: Creator, wanted: tuple[str, ...]) -> tuple[str, ...]:
    there = set(session.exec(select(Channel.id).where(Channel.creator_id == creator.id)))
    if not set(wanted) <= there:
        raise NotFound(f"{creator.name} has no such channel.", code="unknown_channel")
    return tuple(sorted(set(wanted)))


def read_scope(row: Approval) -> Scope:
    data = json.loads(row.scope)
    ends = datetime.fromisoformat(data["ends_at"])
    limits = tuple(data.get("templates", ())), tuple(data.get("channels", ()))
    return Scope(data["creator"], tuple(data["kinds"]), tuple(data["platforms"]), data["per_day"], ends, *limits)


def apply(session: Session, settings: Settings, post: Post, version: Version, now: datetime) -> None:
    """Approves a secondary version under the first standing approval that covers it; else it waits for a person."""
    data = json.loads(version.manifest)
    if data["core"] or not _enough(data):
        return
    query = select(Approval).where(Approval.organization_id == post.organization_id, Approval.decision == "standing")
    for row in session.exec(query.order_by(col(Approval.decided_at))):
        try:
            check(session, settings, row, post, now, counting=True)
        except Refused:
            continue
        # It counts as one yes, for the first stage: where others have to agree too, people are asked.
        how = How(STANDING, stands_for(data))
        approvals.approve_version(session, settings, post, version, by=row.by, parent=row.id, now=now, how=how)
        return


def stands_for(data: dict[str, Any]) -> str:
    """The creator gave it, or, where nobody is depicted, whoever decides."""
    first = asked.stages_of(data)[:1]
    return CREATOR if first and CREATOR in first[0].by else ANYONE


def _enough(data: dict[str, Any]) -> bool:
    """Whether one yes of the creator's, given beforehand, is all this post waits for."""
    one = Yes(0, asked.creator_of(data) or "creator", stands_for(data))
    return next_open(asked.stages_of(data), [one]) is None


def check(session: Session, settings: Settings, row: Approval, post: Post, now: datetime, *, counting: bool) -> None:
    """Raises Refused unless this standing approval, as signed, covers the post now."""
    approvals.check_signature(settings, row)
    if row.revoked_at is not None or audits.happened(session, "standing.revoked", row.id):
        raise Refused("The standing approval was withdrawn.", code="standing_revoked")
    channels = [target["channel"] for target in json.loads(post.targets)]
    platforms = set(session.exec(select(Channel.platform).where(col(Channel.id).in_(channels))))
    used = 0
    if counting:
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        counted = select(func.count()).select_from(Approval)
        used = session.exec(counted.where(Approval.parent_id == row.id, col(Approval.decided_at) >= day)).one()
    check_scope(
        read_scope(row), creator=post.creator_id, kind=post.kind, platforms=platforms, used_today=used, at=now,
        template=sha256(post.template), channels=frozenset(channels),
    )  # fmt: skip


def in_force(session: Session, who: Person, now: datetime) -> list[tuple[Approval, Scope]]:
    query = select(Approval).where(Approval.organization_id == who.organization_id, Approval.decision == "standing")
    rows = session.exec(query.where(col(Approval.revoked_at).is_(None)).order_by(col(Approval.decided_at)))
    return [(row, scope) for row in rows if (scope := read_scope(row)).ends_at > now]


def revoke(session: Session, who: Person, standing_id: str, now: datetime) -> None:
    """Withdraws one at once; what was scheduled under it is kept back when its time comes."""
    found = [row for row, _ in in_force(session, who, now) if standing_id and row.id.startswith(standing_id)]
    if len(found) != 1:
        raise NotFound(f"There is no standing approval {standing_id[:40]}. See: avatar-scheduler standing list")
    own(who, session.get_one(Creator, read_scope(found[0]).creator))
    _revoke(session, found[0], who, now)


def revoke_all(session: Session, who: Person, creator: Creator, now: datetime) -> int:
    """Those of one creator; how many there were."""
    found = [row for row, scope in in_force(session, who, now) if scope.creator == creator.id]
    for row in found:
        _revoke(session, row, who, now)
    return len(found)


def _revoke(session: Session, row: Approval, who: Person, now: datetime) -> None:
    row.revoked_at = now
    audits.append(
        session,
        at=now,
        organization=who.organization_id,
        actor=who.member_id,
        action="standing.revoked",
        noun="approval",
        noun_id=row.id,
    )
