"""What vendors tell us. Nothing of it is believed: a message is a reason to ask them again, sooner than we would."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, select

from avatar_scheduler.db.engine import ring_after_commit
from avatar_scheduler.db.tables import HookEvent, Purchase, Render, VendorAccount
from avatar_scheduler.domain.errors import NotFound
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.queue import CLOCK
from avatar_scheduler.renderers import renderer
from avatar_scheduler.renderers.contract import Hook, NotTheirs
from avatar_scheduler.services.vendors import digest


def hear(session: Session, name: str, token: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """True when it was new and about something we wait for. Raises NotFound for an address we never gave out.

    An address is of one purchase, unguessable and known to the vendor alone, or of an account; then it must be signed.
    """
    address = digest(token)
    one = session.exec(select(Purchase).where(Purchase.hook_sha256 == address, Purchase.renderer == name)).first()
    account = session.exec(
        select(VendorAccount).where(VendorAccount.hook_sha256 == address, VendorAccount.renderer == name)
    ).first()
    if one is None and account is None:
        raise NotFound("There is nothing here.", code="hook")
    if account is not None and not account.hook_secret:
        raise NotTheirs
    hook = renderer(name).hook(headers, body, account.hook_secret if account else "", now)
    if not _first(session, name, f"{address[:16]} {hook.event_id[:200]}", now):
        return False
    found = one or (_about(session, account, hook) if account else None)
    return found is not None and _wake(session, found, now)


def _first(session: Session, name: str, event_id: str, now: datetime) -> bool:
    """Each message counts once, however often it comes. Per address: nobody can use up another's."""
    known = select(HookEvent.id).where(HookEvent.renderer == name, HookEvent.event_id == event_id)
    if session.exec(known).first():
        return False
    session.add(HookEvent(renderer=name, event_id=event_id, received_at=now))
    return True


def _about(session: Session, account: VendorAccount, hook: Hook) -> Purchase | None:
    """By our key, or by theirs. A message may come before we wrote their id down, so ours goes first."""
    mine = select(Purchase).where(
        Purchase.organization_id == account.organization_id, Purchase.renderer == account.renderer
    )
    if hook.key and (found := session.exec(mine.where(Purchase.id == hook.key)).first()):
        return found
    return session.exec(mine.where(Purchase.vendor_id == hook.vendor_id)).first() if hook.vendor_id else None


def _wake(session: Session, purchase: Purchase, now: datetime) -> bool:
    render = session.get_one(Render, purchase.render_id)
    if render.state is not RenderState.waiting:
        return False
    render.look_at = now
    ring_after_commit(session, CLOCK, "")
    return True
