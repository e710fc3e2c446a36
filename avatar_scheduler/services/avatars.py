"""A creator's avatars: a look, drawn or from a photograph, or one that lives at a vendor. Never without consent."""

import json
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlmodel import Session, col, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.db.tables import Avatar, Creator, Upload
from avatar_scheduler.domain import consent
from avatar_scheduler.domain.consent import PERFORMERS
from avatar_scheduler.domain.errors import Conflict, Invalid, NotFound
from avatar_scheduler.rules.renderers import BUILTIN, vendor
from avatar_scheduler.services import consents, stagings, uploads, vendors
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import WRITE, own, require
from avatar_scheduler.storage import Blobs
from avatar_scheduler.studio import voices
from avatar_scheduler.studio.job import avatars as built_in
from avatar_scheduler.studio.job import scenes
from avatar_scheduler.studio.photo import NOTE

MOST_LETTERS = 60


@dataclass(frozen=True)
class New:
    name: str = ""
    """Empty means the creator's."""
    look: str = ""
    """A built-in look, or an uploaded one by name; empty means the look of the creator's first avatar."""
    scene: str = ""
    voice: str = ""
    performer: str = ""
    renderer: str = BUILTIN
    vendor_avatar: str = ""
    vendor_voice: str = ""


def add(session: Session, settings: Settings, who: Person, creator: Creator, new: New, now: datetime) -> Avatar:
    """Under the creator's consent as it stands now. Posts can name it from then on; their first is core like any."""
    require(who, WRITE, "add an avatar")
    own(who, creator)
    first = _permitted(session, creator, now)
    row = Avatar(
        organization_id=who.organization_id,
        creator_id=creator.id,
        consent_id=first.consent_id,
        name=_name(new.name or creator.name, stagings.avatars(session, creator)),
        performer=new.performer or first.performer,
        renderer=new.renderer,
        pack=_pack(session, who, creator, new.look) if new.look else first.pack,
        scene=new.scene or first.scene,
        vendor=json.dumps(_known_as(session, who, creator, new), sort_keys=True, ensure_ascii=False),
        created_at=now,
    )
    _check(settings, row)
    session.add(row)
    session.flush()
    audits.append(
        session,
        at=now,
        organization=who.organization_id,
        actor=who.member_id,
        action="avatar.added",
        noun="avatar",
        noun_id=row.id,
        data={
            "creator": creator.name,
            "name": row.name,
            "renderer": row.renderer,
            "pack": row.pack,
            "performer": row.performer,
        },
    )
    return row


def _permitted(session: Session, creator: Creator, now: datetime) -> Avatar:
    """The creator's first avatar, whose consent holds now. Raises Refused with the reason when it does not."""
    first = stagings.avatar(session, creator)
    consent.check(consents.grant_of(session, first), creator=creator.name, platforms=frozenset(), at=now)
    return first


def _name(given: str, known: list[Avatar]) -> str:
    name = " ".join(given.split())
    if not name.isprintable() or not 0 < len(name) <= MOST_LETTERS:
        raise Invalid(f"Give the avatar a name of 1 to {MOST_LETTERS} letters.", code="avatar_name")
    if name.casefold() in {avatar.name.casefold() for avatar in known}:
        raise Conflict(f"There is an avatar “{name}” already. Choose another name with --name.", code="avatar_twice")
    return name


def _pack(session: Session, who: Person, creator: Creator, look: str) -> str:
    if look in built_in():
        return look
    ours = f"Built in: {', '.join(built_in())}."
    try:
        row = uploads.by_name(session, who, creator, look)
    except NotFound as error:
        raise NotFound(f"There is no look “{look}”. {ours} {error.message}", code="unknown_look") from None
    if row.kind != "pack":
        raise Invalid(f"“{row.name}” is a file of the kind {row.kind}, not a look. {ours}", code="unknown_look")
    return row.sha256


def _known_as(session: Session, who: Person, creator: Creator, new: New) -> dict[str, str]:
    if new.renderer == BUILTIN:
        if new.vendor_avatar or new.vendor_voice:
            raise Invalid("A vendor's ids need --renderer with the vendor's name.", code="vendor_avatar")
        if new.voice:
            voices.choose(creator.language, new.voice)
        return {"voice": new.voice} if new.voice else {}
    about = vendor(new.renderer)
    vendors.account(session, who.organization_id, new.renderer)
    if not new.vendor_avatar:
        raise Invalid(f"Say what {about.name} knows the avatar by: --vendor-avatar ID.", code="vendor_avatar")
    if new.voice:
        raise Invalid(f"{about.name} speaks with its own voices: --vendor-voice ID.", code="vendor_avatar")
    ids = {about.avatar_key: new.vendor_avatar}
    return ids | ({"voice_id": new.vendor_voice} if new.vendor_voice else {})


def _check(settings: Settings, row: Avatar) -> None:
    if row.performer not in PERFORMERS:
        raise Invalid(f"Say what kind of avatar it is: --performer {', '.join(sorted(PERFORMERS))}.", code="performer")
    if row.scene not in scenes():
        raise Invalid(f"There is no scene “{row.scene}”. There are: {', '.join(scenes())}.", code="scene")
    if row.performer == "fictional" and row.pack not in built_in() and from_photograph(settings, row.pack):
        raise Invalid(
            "This look shows a real person, so it is not fictional: --performer digital_twin or third_party_likeness.",
            code="performer",
        )


def from_photograph(settings: Settings, pack: str) -> bool:
    with zipfile.ZipFile(Blobs(settings.blobs).verified(pack)) as archive:
        return NOTE in archive.read("avatar.toml").decode("utf-8")


def look_from_photo(settings: Settings, who: Person, creator: Creator, photo: Path, name: str, now: datetime) -> Upload:
    """Makes a look and keeps it like an uploaded one. A face is not even measured without consent to its likeness."""
    from avatar_scheduler.studio.avatar import pack_zip
    from avatar_scheduler.studio.photo import environment, make

    with read_scope(settings) as session:
        _permitted(session, creator, now)
    new = uploads.New("pack", name, f"{name or photo.stem}.zip")
    uploads.may_add(settings, who, creator, new)
    environment.python(settings.data)
    with tempfile.TemporaryDirectory(prefix="look-") as room:
        folder, packed = Path(room) / "look", Path(room) / "look.zip"
        make.make(photo, partial(environment.find, settings.data), folder, name=creator.name)
        pack_zip.pack(folder, packed)
        return uploads.add_file(settings, who, creator, new, packed, now)


@dataclass(frozen=True)
class Row:
    avatar_id: str
    creator: str
    name: str
    look: str
    scene: str
    performer: str
    renderer: str
    known_as: Mapping[str, str]


def listing(session: Session, who: Person, creator: Creator | None = None) -> list[Row]:
    """In the order posts take them: a creator's first is the one meant when none is named."""
    query = select(Avatar, Creator).where(
        Avatar.creator_id == Creator.id, Avatar.organization_id == who.organization_id
    )
    if creator is not None:
        own(who, creator)
        query = query.where(Avatar.creator_id == creator.id)
    packs = select(Upload).where(Upload.kind == "pack", Upload.organization_id == who.organization_id)
    looks = {row.sha256: row.name for row in session.exec(packs)}
    return [
        Row(
            a.id, c.slug, a.name, looks.get(a.pack, a.pack[:12]), a.scene, a.performer, a.renderer, json.loads(a.vendor)
        )
        for a, c in session.exec(query.order_by(col(Creator.slug), col(Avatar.created_at), col(Avatar.id)))
    ]
