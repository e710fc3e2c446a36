"""Accounts at vendors: the key is sealed to the render worker, and where the vendor may call is given out once."""

import hashlib
import json
import secrets
from datetime import datetime

from sqlmodel import Session, col, select

from avatar_scheduler import vault
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import VendorAccount
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.renderers import renderer
from avatar_scheduler.renderers.contract import Account
from avatar_scheduler.rules.renderers import vendor
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import DECIDE, require

KEY_NAME = "vendors"


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def add(
    session: Session, settings: Settings, who: Person, name: str, endpoint: str, api_key: str, now: datetime
) -> VendorAccount:
    """Adding it again replaces endpoint and key."""
    require(who, DECIDE, "connect a vendor")
    vendor(name)
    if endpoint:
        from avatar_scheduler.outbound import Outbound

        Outbound(private_hosts=settings.allow_hosts).check(endpoint)
    public, _ = vault.make_keys(settings.keys, KEY_NAME)
    row = _account(session, who.organization_id, name)
    if row is None:
        row = VendorAccount(organization_id=who.organization_id, renderer=name, created_at=now)
        session.add(row)
        session.flush()
    row.endpoint = endpoint
    row.sealed = vault.Sealer(public).seal(json.dumps({"api_key": api_key}), _belongs(row))
    _note(session, who, row, "vendor.connected", now, {"renderer": name, "endpoint": endpoint})
    return row


def hook_address(settings: Settings, name: str) -> tuple[str, str]:
    """A new token, and the address it makes."""
    token = "hook_" + secrets.token_urlsafe(32)
    return token, f"{settings.base_url}/hooks/{name}/{token}"


def listen(session: Session, who: Person, name: str, token: str, secret: str, now: datetime) -> VendorAccount:
    """From now on the vendor's messages come to this token's address, signed with `secret`; the one before is dead."""
    require(who, DECIDE, "connect a vendor")
    row = account(session, who.organization_id, name)
    row.hook_sha256, row.hook_secret = digest(token), secret
    _note(session, who, row, "vendor.hook", now, {"renderer": name})
    return row


def account(session: Session, organization_id: str, name: str) -> VendorAccount:
    """Raises Refused with the way out when there is none."""
    row = _account(session, organization_id, name)
    if row is None:
        raise Refused(
            f"There is no account at {vendor(name).name} yet. Run: avatar-scheduler vendor add {name}",
            code="no_account",
        )
    return row


def open_account(settings: Settings, row: VendorAccount) -> Account:
    """Only where the render worker's key is: the pages cannot."""
    opener = vault.Opener(settings.keys / f"{KEY_NAME}.private.pem")
    return Account(row.endpoint, json.loads(opener.open(row.sealed, _belongs(row))))


def listing(session: Session, who: Person) -> list[VendorAccount]:
    query = select(VendorAccount).where(VendorAccount.organization_id == who.organization_id)
    return list(session.exec(query.order_by(col(VendorAccount.renderer))))


def check(settings: Settings, row: VendorAccount) -> str:
    """What the vendor says of this account. Raises when it says no."""
    return renderer(row.renderer, settings.allow_hosts).health(open_account(settings, row))


def _account(session: Session, organization_id: str, name: str) -> VendorAccount | None:
    return session.exec(
        select(VendorAccount).where(VendorAccount.organization_id == organization_id, VendorAccount.renderer == name)
    ).first()


def _belongs(row: VendorAccount) -> vault.Belongs:
    return vault.Belongs(row.organization_id, row.id, "vendor")


def _note(session: Session, who: Person, row: VendorAccount, action: str, now: datetime, data: dict[str, str]) -> None:
    audits.append(
        session,
        at=now,
        organization=who.organization_id,
        actor=who.member_id,
        action=action,
        noun="vendor_account",
        noun_id=row.id,
        data=data,
    )
