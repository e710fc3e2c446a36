"""Ways to reach a member beside e-mail: browsers and chats. Only what sends notices can open their addresses."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from avatar_scheduler import vault
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Member, Notice, Outlet
from avatar_scheduler.domain.errors import Conflict, Invalid, NotFound
from avatar_scheduler.services import chats, notices, push
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import PEOPLE, require

KEY_NAME = "notify"
MOST = 10
"""Outlets of one member."""
TEST_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Shown:
    id: str
    kind: str
    label: str
    since: datetime
    last_used_at: datetime | None


def mine(session: Session, who: Person) -> list[Shown]:
    query = select(Outlet).where(Outlet.member_id == who.member_id, col(Outlet.gone_at).is_(None))
    rows = session.exec(query.order_by(col(Outlet.created_at)))
    return [Shown(row.id, row.kind, row.label, row.created_at, row.last_used_at) for row in rows]


def add_browser(
    session: Session, settings: Settings, who: Person, subscription: str, label: str, now: datetime
) -> Outlet:
    """`subscription`: JSON of PushSubscription.toJSON(). The same browser again is the same outlet."""
    read = push.read(subscription, settings)
    return _add(session, settings, who, "push", read.endpoint, read.text(), label, now)


def add_chat(session: Session, settings: Settings, who: Person, address: str, now: datetime) -> Outlet:
    """An Apprise address of one of `chats.ADDRESSES`."""
    address = address.strip()
    return _add(session, settings, who, "chat", address, address, chats.service_of(address), now)


def _add(
    session: Session, settings: Settings, who: Person, kind: str, key: str, secret: str, label: str, now: datetime
) -> Outlet:
    require(who, PEOPLE, "be told in other ways")
    digest = hashlib.sha256(key.encode()).hexdigest()
    there = session.exec(select(Outlet).where(Outlet.key_sha256 == digest, col(Outlet.gone_at).is_(None))).first()
    if there is not None and there.member_id == who.member_id:
        return there
    if there is not None:  # somebody else signed in on this browser before
        _end(session, there, who.member_id, "Somebody else uses it now.", now)
    if len(mine(session, who)) >= MOST:
        raise Conflict(f"{MOST} ways to be told is the most. Remove one first.", code="outlets")
    row = Outlet(
        organization_id=who.organization_id, member_id=who.member_id, kind=kind, key_sha256=digest,
        label=_label(label, kind), created_at=now,
    )  # fmt: skip
    public, _ = vault.make_keys(settings.keys, KEY_NAME)
    row.sealed = vault.Sealer(public).seal(secret, _belongs(row))
    session.add(row)
    session.flush()
    _note(session, who.member_id, row, "outlet.added", now, {"kind": kind, "label": row.label})
    return row


def _label(label: str, kind: str) -> str:
    clean = " ".join("".join(sign if sign.isprintable() else " " for sign in label).split())[:60]
    return clean or {"push": "Browser", "chat": "Chat"}[kind]


def remove(session: Session, who: Person, outlet_id: str, now: datetime) -> None:
    row = session.get(Outlet, outlet_id)
    if row is None or row.member_id != who.member_id or row.gone_at is not None:
        raise NotFound("There is no such way of being told.")
    _end(session, row, who.member_id, "Removed.", now)


def lose(session: Session, row: Outlet, now: datetime) -> None:
    """The push service said that the browser is gone."""
    if row.gone_at is None:
        _end(session, row, "notify", "The browser ended its subscription.", now)


def _end(session: Session, row: Outlet, actor: str, reason: str, now: datetime) -> None:
    row.gone_at, row.sealed = now, ""
    _note(session, actor, row, "outlet.removed", now, {"reason": reason})


def opened(settings: Settings, row: Outlet) -> str:
    """Only where the private key is: the process that sends notices."""
    private = settings.keys / f"{KEY_NAME}.private.pem"
    return vault.Opener(private).open(row.sealed, _belongs(row))


def test(session: Session, who: Person, now: datetime) -> int:
    """Sends a notice to every way of theirs, once a minute at most. Returns how many."""
    require(who, PEOPLE, "be told")
    query = select(Notice.created_at).where(
        Notice.member_id == who.member_id, col(Notice.kind).startswith(notices.TEST)
    )
    last = session.exec(query.order_by(col(Notice.created_at).desc()).limit(1)).first()
    if last is not None and now < last + TEST_AGAIN:
        raise Conflict("A test notice went out less than a minute ago. Wait a little.", code="nudged")
    kind = f"{notices.TEST}-{int(now.timestamp())}"
    return notices.tell(session, session.get_one(Member, who.member_id), who.member_id, kind, now, now)


def _belongs(row: Outlet) -> vault.Belongs:
    if not row.id or row.kind not in ("push", "chat"):
        raise Invalid("This is no outlet.")
    return vault.Belongs(row.organization_id, f"{row.member_id}/{row.id}", row.kind)


def _note(session: Session, actor: str, row: Outlet, action: str, now: datetime, data: dict[str, str]) -> None:
    audits.append(
        session, at=now, organization=row.organization_id, actor=actor, action=action, noun="outlet", noun_id=row.id,
        data={**data, "member": row.member_id},
    )  # fmt: skip
