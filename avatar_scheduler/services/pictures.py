"""Backgrounds from words: an organization's own picture service, and its pictures kept like uploads."""

import json
import tempfile
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, select

from avatar_scheduler import vault
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.db.tables import Creator, Upload, VendorAccount
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.outbound import Outbound
from avatar_scheduler.renderers import pictures
from avatar_scheduler.renderers.pictures import Generator
from avatar_scheduler.services import uploads
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import DECIDE, require
from avatar_scheduler.services.vendors import KEY_NAME

ACCOUNT = "pictures"
"""What its row among the vendor accounts is called."""


def connect(
    session: Session, settings: Settings, who: Person, endpoint: str, model: str, api_key: str, now: datetime
) -> VendorAccount:
    """Connecting again replaces address, model and key."""
    require(who, DECIDE, "connect a picture service")
    if not endpoint:
        raise Invalid("Name the address of the service, such as https://pictures.example/v1.", code="endpoint")
    Outbound(private_hosts=settings.allow_hosts).check(endpoint)
    public, _ = vault.make_keys(settings.keys, KEY_NAME)
    row = _account(session, who)
    if row is None:
        row = VendorAccount(organization_id=who.organization_id, renderer=ACCOUNT, created_at=now)
        session.add(row)
        session.flush()
    row.endpoint = endpoint
    row.sealed = vault.Sealer(public).seal(json.dumps({"api_key": api_key, "model": model}), _belongs(row))
    _note(session, who, "vendor.connected", row.id, now, {"renderer": ACCOUNT, "endpoint": endpoint})
    return row


def make(settings: Settings, who: Person, creator: Creator, name: str, prompt: str, size: str, now: datetime) -> Upload:
    """Asks once, and keeps the picture as an upload of kind image. Everything free is checked before it is asked."""
    new = uploads.New("image", name, f"{name}.png")
    pictures.check(prompt, size)
    uploads.may_add(settings, who, creator, new)
    generator = _open(settings, who)
    data = pictures.generate(Outbound(private_hosts=settings.allow_hosts), generator, prompt, size)
    with tempfile.TemporaryDirectory(prefix="avs-picture-") as folder:
        path = Path(folder) / "picture"
        path.write_bytes(data)
        row = uploads.add_file(settings, who, creator, new, path, now)
    with write_scope(settings) as session:
        said = {"name": row.name, "prompt": prompt[:400], "model": generator.model, "endpoint": generator.endpoint}
        _note(session, who, "picture.made", row.id, now, said)
    return row


def _open(settings: Settings, who: Person) -> Generator:
    with read_scope(settings) as session:
        row = _account(session, who)
    if row is None:
        raise Refused("No picture service is connected. Run: avatar-scheduler picture connect", code="no_account")
    opener = vault.Opener(settings.keys / f"{KEY_NAME}.private.pem")
    secrets = json.loads(opener.open(row.sealed, _belongs(row)))
    return Generator(row.endpoint, secrets["model"], secrets["api_key"])


def _account(session: Session, who: Person) -> VendorAccount | None:
    mine = VendorAccount.organization_id == who.organization_id
    return session.exec(select(VendorAccount).where(mine, VendorAccount.renderer == ACCOUNT)).first()


def _belongs(row: VendorAccount) -> vault.Belongs:
    return vault.Belongs(row.organization_id, row.id, "vendor")


def _note(session: Session, who: Person, action: str, noun_id: str, now: datetime, data: dict[str, str]) -> None:
    audits.append(
        session,
        at=now,
        organization=who.organization_id,
        actor=who.member_id,
        action=action,
        noun="picture",
        noun_id=noun_id,
        data=data,
    )
