"""Setting up: keys, schema, the first owner, creators with their avatar, consent and channels."""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, col, select

from avatar_scheduler import rules
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits, schema
from avatar_scheduler.db.engine import write_scope
from avatar_scheduler.db.tables import Avatar, Channel, Consent, Creator, Member, Organization
from avatar_scheduler.domain.approval import PURPOSE
from avatar_scheduler.domain.consent import LIFE, PERFORMERS
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from avatar_scheduler.domain.slots import zone_of
from avatar_scheduler.services import consents, withdrawal
from avatar_scheduler.services.consents import Terms
from avatar_scheduler.services.evidence_pack import EVIDENCE
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import CONNECT, HOLD, MANAGE, own, require
from avatar_scheduler.services.versions import SEAL

CONSENT_LIFE = LIFE
TAKEDOWN = ("ask", "auto")
SET_UP = "set-up"
"""Who the log says did it."""


def prepare(settings: Settings, organization: str, now: datetime) -> None:
    """Keys and schema. Idempotent; existing keys are never replaced."""
    from avatar_scheduler import signing, vault
    from avatar_scheduler.marks import chain
    from avatar_scheduler.marks.watermark import keys as watermark
    from avatar_scheduler.services import one_time_codes, outlets, push, vendors

    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    schema.upgrade(settings)
    vault.make_keys(settings.keys)
    for name in (vendors.KEY_NAME, outlets.KEY_NAME, one_time_codes.KEY_NAME):
        vault.make_keys(settings.keys, name)
    push.make_key(settings)
    for purpose in (PURPOSE, SEAL, EVIDENCE):
        signing.make_signing_key(settings.keys, purpose)
    chain.make_chain(settings.keys / "credentials", organization, now)
    watermark.make_key(settings.keys / "credentials")
    with write_scope(settings) as session:
        audits.prepare(session)
        _log_people(session, now)


def _log_people(session: Session, now: datetime) -> None:
    """Roles, and who a creator is, are believed as the log has them: what is older than that is written down once."""
    for member in session.exec(select(Member)):
        if "role" not in audits.said(session, "member", member.id):
            _note(session, member.organization_id, "member.joined", "member", member.id, {"role": member.role}, now)
    for creator in session.exec(select(Creator)):
        if "member" not in audits.said(session, "creator", creator.id):
            said = {"member": creator.member_id}
            _note(session, creator.organization_id, "creator.person", "creator", creator.id, said, now)


def _note(
    session: Session, organization: str, action: str, noun: str, noun_id: str, said: dict[str, str], now: datetime
) -> None:
    audits.append(
        session, at=now, organization=organization, actor=SET_UP, action=action, noun=noun, noun_id=noun_id, data=said
    )


def first_owner(session: Session, organization: str, name: str, email: str, language: str, now: datetime) -> Member:
    """The owner of a new installation, or the one there is when it is called again."""
    email = email.strip().lower()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise Invalid(f"“{email}” is not an e-mail address.", code="email")
    known = session.exec(select(Member).where(Member.email == email)).first()
    if known is not None:
        return known
    if session.exec(select(Organization)).first() is not None:
        raise Conflict("This installation has an owner already. Sign in, or run: avatar-scheduler link", code="set_up")
    org = Organization(name=organization, created_at=now)
    session.add(org)
    session.flush()
    member = Member(organization_id=org.id, name=name, email=email, role="owner", language=language, created_at=now)
    session.add(member)
    session.flush()
    audits.append(
        session,
        at=now,
        organization=org.id,
        actor=member.id,
        action="organization.created",
        noun="organization",
        noun_id=org.id,
        data={"name": organization, "kind": org.kind},
    )
    audits.append(
        session,
        at=now,
        organization=org.id,
        actor=member.id,
        action="member.joined",
        noun="member",
        noun_id=member.id,
        data={"role": member.role},
    )
    return member


@dataclass(frozen=True)
class NewCreator:
    name: str
    slug: str
    language: str
    zone: str
    pack: str
    scene: str
    performer: str
    consent_days: int = CONSENT_LIFE.days
    audience: tuple[str, ...] = ()
    """Jurisdictions, such as FR or US-NY. None named: not known, so the strictest of each applies."""


def add_creator(session: Session, who: Person, new: NewCreator, now: datetime) -> Creator:
    """A creator with an avatar and their own feed. Where whoever adds them may consent, that is recorded too."""
    require(who, MANAGE, "add a creator")
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", new.slug):
        raise Invalid(f"“{new.slug}” is not a short name. Use a-z, 0-9 and dashes.", code="slug")
    if new.performer not in PERFORMERS:
        raise Invalid(
            f"“{new.performer}” is not a kind of avatar. Use {', '.join(sorted(PERFORMERS))}.", code="performer"
        )
    zone_of(new.zone)
    audience = audience_of(new.audience)
    if session.exec(select(Creator).where(Creator.slug == new.slug)).first():
        raise Conflict(f"There is a creator “{new.slug}” already.", code="slug_taken")
    org = who.organization_id
    solo = session.get_one(Organization, org).kind == "solo"
    creator = Creator(
        organization_id=org, member_id=who.member_id if solo else "", name=new.name, slug=new.slug,
        language=new.language, zone=new.zone, audience=audience, created_at=now,
    )  # fmt: skip
    session.add(creator)
    session.flush()
    consent = consents.blank(creator, who.member_id, now)
    session.add(consent)
    session.flush()
    avatar = Avatar(
        organization_id=org,
        creator_id=creator.id,
        consent_id=consent.id,
        name=new.name,
        performer=new.performer,
        pack=new.pack,
        scene=new.scene,
        created_at=now,
    )
    session.add(avatar)
    session.flush()
    _note_added(session, who, creator, avatar, now)
    add_channel(session, who, creator, "own_feed", new.slug, "", "", now)
    with suppress(Forbidden, Refused):  # the person depicted is asked on their own page, and nothing is rendered before
        consents.give(session, who, creator, Terms(days=new.consent_days), now)
    return creator


def _note_added(session: Session, who: Person, creator: Creator, avatar: Avatar, now: datetime) -> None:
    """Audience and kind of avatar decide the marks, and are believed as the log has them."""
    look = {"creator": creator.name, "name": avatar.name, "pack": avatar.pack, "performer": avatar.performer}
    for noun, noun_id, said in (
        ("creator", creator.id, {"name": creator.name, "audience": creator.audience, "member": creator.member_id}),
        ("avatar", avatar.id, look),
    ):
        audits.append(
            session,
            at=now,
            organization=creator.organization_id,
            actor=who.member_id,
            action=f"{noun}.added",
            noun=noun,
            noun_id=noun_id,
            data=said,
        )


def audience_of(codes: Iterable[str]) -> str:
    """As it is stored. Raises Invalid for a place no rule knows."""
    wanted = sorted({code.strip().upper() for code in codes})
    if unknown := [code for code in wanted if code not in rules.book().reach]:
        known = ", ".join(sorted(rules.book().reach))
        raise Invalid(f"No rules are known for {', '.join(unknown)}. Leave it out, or use: {known}.", code="audience")
    return json.dumps(wanted)


def set_rules(
    session: Session, who: Person, creator: Creator, audience: Iterable[str] | None, takedown: str | None, now: datetime
) -> None:
    """Who sees the posts, and what happens to a published one that lost its marks; None leaves it as it is."""
    require(who, HOLD, "change a creator's rules")
    own(who, creator)
    if takedown not in (None, *TAKEDOWN):
        raise Invalid(f"“{takedown}” is no way to take down. Use one of: {', '.join(TAKEDOWN)}.", code="takedown")
    creator.audience = creator.audience if audience is None else audience_of(audience)
    creator.takedown = takedown or creator.takedown
    audits.append(
        session,
        at=now,
        organization=creator.organization_id,
        actor=who.member_id,
        action="creator.rules",
        noun="creator",
        noun_id=creator.id,
        data={"audience": creator.audience, "takedown": creator.takedown},
    )


def add_channel(
    session: Session,
    who: Person,
    creator: Creator,
    platform: str,
    address: str,
    endpoint: str,
    sealed: str,
    now: datetime,
) -> Channel:
    require(who, CONNECT, "connect a channel")
    own(who, creator)
    if platform == "own_feed" and address != creator.slug:
        raise Invalid(f"The feed of {creator.name} is “{creator.slug}”; no other can be theirs.", code="address")
    there = (Channel.organization_id == who.organization_id, Channel.platform == platform, Channel.address == address)
    channel = session.exec(select(Channel).where(*there)).first()
    if channel is None:
        channel = Channel(
            organization_id=who.organization_id,
            creator_id=creator.id,
            platform=platform,
            address=address,
            created_at=now,
        )
    elif channel.disabled_at is None or channel.creator_id != creator.id:
        raise Conflict(f"{platform}:{address} is connected already.", code="channel_taken")
    channel.endpoint, channel.sealed, channel.disabled_at = endpoint, sealed, None
    session.add(channel)
    session.flush()
    audits.append(
        session,
        at=now,
        organization=who.organization_id,
        actor=who.member_id,
        action="channel.connected",
        noun="channel",
        noun_id=channel.id,
        data={"platform": platform, "address": address},
    )
    return channel


def remove_channel(session: Session, who: Person, creator: Creator, name: str, now: datetime) -> Channel:
    """From this transaction on the gate refuses it. Its credentials are forgotten; what was posted stays on record."""
    require(who, CONNECT, "disconnect a channel")
    own(who, creator)
    platform, _, address = name.partition(":")
    query = select(Channel).where(
        Channel.creator_id == creator.id, Channel.platform == platform, col(Channel.disabled_at).is_(None)
    )
    found = [channel for channel in session.exec(query) if address in ("", channel.address)]
    if len(found) != 1:
        raise NotFound(
            f"{creator.name} has no one channel “{name}”. See: avatar-scheduler channel list", code="channel"
        )
    channel = found[0]
    channel.disabled_at, channel.sealed = now, ""
    audits.append(
        session,
        at=now,
        organization=who.organization_id,
        actor=who.member_id,
        action="channel.disconnected",
        noun="channel",
        noun_id=channel.id,
        data={"platform": channel.platform, "address": channel.address},
    )
    return channel


def creator_by_slug(session: Session, who: Person, slug: str) -> Creator:
    query = select(Creator).where(Creator.organization_id == who.organization_id)
    creators = [c for c in session.exec(query.order_by(col(Creator.created_at))) if who.reaches(c.id)]
    found = [c for c in creators if c.slug == slug] if slug else creators[:1]
    if not found:
        names = ", ".join(c.slug for c in creators) or "none yet; run: avatar-scheduler creator add"
        raise NotFound(f"There is no creator “{slug}”. There are: {names}.", code="unknown_creator")
    return found[0]


def renew_consent(session: Session, who: Person, creator: Creator, days: int, now: datetime) -> Consent:
    """On the same terms as before, or to all of likeness and voice where there were none."""
    return consents.give(session, who, creator, replace(consents.terms_of(session, creator), days=days), now)


def revoke_consent(session: Session, who: Person, creator: Creator, now: datetime) -> int:
    """How many consents it took back."""
    return withdrawal.withdraw(session, who, creator, now).consents
