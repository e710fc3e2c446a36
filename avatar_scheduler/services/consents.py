"""The ledger of consents: who may give one, what was given, and whether it covers a post.

What counts is the entry of the log, not the row: a row that permits more than was said is refused.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Avatar, Channel, Consent, Creator, Organization, Post
from avatar_scheduler.domain import consent
from avatar_scheduler.domain.consent import FICTIONAL, LIFE, LIVE_KINDS, LONGEST, RIGHTS, Grant
from avatar_scheduler.domain.errors import Forbidden, Invalid, NotFound, Refused
from avatar_scheduler.domain.version import canonical, sha256
from avatar_scheduler.services import asked
from avatar_scheduler.services.people import API, Person
from avatar_scheduler.services.roles import ROLES, RULE, own, require

MOST_NAMES, LONGEST_NAME = 30, 60
"""Of brands, platforms or languages in one consent."""


@dataclass(frozen=True)
class Terms:
    """What somebody agrees to; the defaults are what the terminal records on one's own installation."""

    rights: tuple[str, ...] = RIGHTS
    platforms: tuple[str, ...] = ()
    """None named: every one."""
    live: bool = False
    sponsored: bool = True
    brands_excluded: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    """None named: any."""
    days: int = LIFE.days


def blank(creator: Creator, by: str, now: datetime) -> Consent:
    """A row for an avatar nobody was asked about yet. It permits nothing, and the log does not know it."""
    return Consent(
        organization_id=creator.organization_id, creator_id=creator.id, rights="[]", platforms="[]", recorded_by=by,
        starts_at=now, ends_at=now,
    )  # fmt: skip


def giver(session: Session, creator: Creator) -> str:
    """Member id of the one person who may give it; empty where an owner or admin speaks for somebody made up.

    Raises Refused while the person depicted is not here yet.
    """
    if person := asked.person_of(session, creator):
        return person
    solo = session.get_one(Organization, creator.organization_id).kind == "solo"
    if solo or _performer(session, creator) == FICTIONAL:
        return ""
    raise Refused(
        f"Only {creator.name} can consent to their likeness. Invite them on the page People; then the link is "
        f"/onboarding/{creator.slug}",
        code="person_missing",
    )


def _performer(session: Session, creator: Creator) -> str:
    """As the log has it."""
    query = select(Avatar.id).where(Avatar.creator_id == creator.id)
    first = session.exec(query.order_by(col(Avatar.created_at), col(Avatar.id)).limit(1)).first()
    return audits.said(session, "avatar", first).get("performer", "") if first else ""


def may_give(session: Session, who: Person, creator: Creator) -> None:
    """Raises Forbidden for everybody but the person depicted, or those who answer for somebody made up."""
    require(who, ROLES - {API}, "give a consent")
    own(who, creator)
    person = giver(session, creator)
    if person and person != who.member_id:
        raise Forbidden(
            f"Only {creator.name} can consent to their likeness. Ask them; the link is /onboarding/{creator.slug}",
            code="not_yours_to_give",
        )
    if not person:
        require(who, RULE, "consent for somebody made up")


def give(session: Session, who: Person, creator: Creator, terms: Terms, now: datetime) -> Consent:
    """From now on, for every avatar of the creator. One given before stays on record, and versions bound to it."""
    may_give(session, who, creator)
    _check(terms)
    row = current(session, creator)
    if row is None or audits.happened(session, "consent.recorded", row.id):
        row = blank(creator, who.member_id, now)
    row.rights, row.platforms = _list(terms.rights), _list(terms.platforms)
    row.brands_excluded, row.languages = _list(terms.brands_excluded), _list(terms.languages)
    row.live, row.sponsored, row.recorded_by = terms.live, terms.sponsored, who.member_id
    row.starts_at, row.ends_at = now, now + timedelta(days=terms.days)
    session.add(row)
    session.flush()
    for avatar in session.exec(select(Avatar).where(Avatar.creator_id == creator.id)):
        avatar.consent_id = row.id
    audits.append(
        session,
        at=now,
        organization=creator.organization_id,
        actor=who.member_id,
        action="consent.recorded",
        noun="consent",
        noun_id=row.id,
        data={"creator": creator.name, "creator_id": creator.id, "way": _way(who), **_written(row)},
    )
    return row


def _way(who: Person) -> str:
    return "terminal" if who.at_terminal else "page"


def _check(terms: Terms) -> None:
    if not 1 <= terms.days <= LONGEST.days:
        raise Invalid(f"A consent lasts 1 to {LONGEST.days} days.", code="consent_days")
    if not set(terms.rights) <= set(RIGHTS):
        raise Invalid(f"A consent is to: {', '.join(RIGHTS)}.", code="consent_rights")
    for names in (terms.platforms, terms.brands_excluded, terms.languages):
        if len(names) > MOST_NAMES or any(not 0 < len(n.strip()) <= LONGEST_NAME or not n.isprintable() for n in names):
            raise Invalid(
                f"Name at most {MOST_NAMES}, each with 1 to {LONGEST_NAME} letters, one a line.", code="consent_names"
            )


def _list(names: tuple[str, ...]) -> str:
    return json.dumps(sorted({name.strip() for name in names}), ensure_ascii=False)


def _written(row: Consent) -> dict[str, str]:
    """Everything that will be believed later."""
    return {
        "rights": row.rights,
        "platforms": row.platforms,
        "live": "yes" if row.live else "no",
        "sponsored": "yes" if row.sponsored else "no",
        "brands_excluded": row.brands_excluded,
        "languages": row.languages,
        "starts": row.starts_at.astimezone(UTC).isoformat(),
        "until": row.ends_at.astimezone(UTC).isoformat(),
    }


def current(session: Session, creator: Creator) -> Consent | None:
    """The one the creator's first avatar stands under."""
    query = select(Consent).where(Avatar.creator_id == creator.id, Avatar.consent_id == Consent.id)
    row = session.exec(query.order_by(col(Avatar.created_at), col(Avatar.id)).limit(1)).first()
    return row if row is not None and row.creator_id == creator.id else None


def believed(session: Session, row: Consent) -> Grant | None:
    """None when the log knows of no such consent. Raises Refused for a row that permits more than was said."""
    said = audits.said(session, "consent", row.id)
    if "until" not in said:
        return None
    there = Grant(
        rights=_names(row.rights), platforms=_names(row.platforms), starts_at=row.starts_at, ends_at=row.ends_at,
        revoked_at=row.revoked_at, live=row.live, sponsored=row.sponsored,
        brands_excluded=_names(row.brands_excluded), languages=_names(row.languages),
    )  # fmt: skip
    if said.get("creator_id", row.creator_id) != row.creator_id or consent.widened(there, _given(said, row)):
        raise Refused("The consent is not the one that was given. Ask for it again.", code="consent_changed")
    if there.revoked_at is None and audits.happened(session, "consent.revoked", row.id):
        return replace(there, revoked_at=row.starts_at)
    return there


def _given(said: Mapping[str, str], row: Consent) -> Grant:
    """Entries older than scopes were all to likeness and voice, everywhere, sponsored too and never live."""
    starts = datetime.fromisoformat(said["starts"]) if "starts" in said else row.starts_at
    return Grant(
        rights=_names(said.get("rights", json.dumps(RIGHTS))), platforms=_names(said.get("platforms", "[]")),
        starts_at=starts, ends_at=datetime.fromisoformat(said["until"]), revoked_at=None,
        live=said.get("live") == "yes", sponsored=said.get("sponsored", "yes") == "yes",
        brands_excluded=_names(said.get("brands_excluded", "[]")), languages=_names(said.get("languages", "[]")),
    )  # fmt: skip


def _names(text: str) -> frozenset[str]:
    return frozenset(json.loads(text))


def grant_of(session: Session, avatar: Avatar) -> Grant | None:
    row = session.get(Consent, avatar.consent_id)
    return believed(session, row) if row is not None and row.creator_id == avatar.creator_id else None


def digest(grant: Grant | None) -> str:
    """What was consented to, as the manifest binds it. Withdrawing does not change it: that is checked by itself.

    What stands at its default is left out, so that versions from before there were scopes keep their digest.
    """
    if grant is None:
        return ""
    scope: dict[str, Any] = {
        "brands_excluded": sorted(grant.brands_excluded),
        "languages": sorted(grant.languages),
        "live": grant.live,
        "unsponsored": not grant.sponsored,
    }
    return sha256(
        canonical(
            {
                **{name: value for name, value in scope.items() if value},
                "ends_at": grant.ends_at.isoformat(),
                "platforms": sorted(grant.platforms),
                "rights": sorted(grant.rights),
                "starts_at": grant.starts_at.isoformat(),
            }
        )
    )


def of_manifest(data: Mapping[str, Any]) -> dict[str, Any]:
    """What `domain.consent.check` wants to know of a frozen version."""
    return _use(
        data["kind"], data["language"], data["sponsored"], data["title"], data["script"]["text"], data["caption"]
    )


def _use(kind: str, language: str, sponsored: str, *words: str) -> dict[str, Any]:
    return {"language": language, "sponsored": sponsored, "live": kind in LIVE_KINDS, "words": " ".join(words)}


def check_post(session: Session, post: Post, at: datetime) -> None:
    """Raises Refused unless the creator's consent covers this post, as it is written, now."""
    avatar, creator = session.get_one(Avatar, post.avatar_id), session.get_one(Creator, post.creator_id)
    there = [session.get_one(Channel, target["channel"]).platform for target in json.loads(post.targets)]
    said = _use(post.kind, post.language, post.sponsored, post.title, post.script, post.caption)
    consent.check(grant_of(session, avatar), creator=creator.name, platforms=frozenset(there), at=at, **said)


def check_version(session: Session, post: Post, data: Mapping[str, Any], at: datetime) -> None:
    """Raises Refused unless what this version was made under is still in force: nobody says yes to what cannot go."""
    check_post(session, post, at)
    avatar = session.get_one(Avatar, post.avatar_id)
    if avatar.consent_id != data["consent"] or digest(grant_of(session, avatar)) != data["grant"]:
        raise Refused("The consent was given anew since this was made. Render the post again.", code="consent_changed")


def creator_by_slug(session: Session, who: Person, slug: str) -> Creator:
    """Raises NotFound for one this person does not reach."""
    row = session.exec(select(Creator).where(Creator.slug == slug)).first()
    if row is None:
        raise NotFound("There is nothing of that name here.", code="not_yours")
    own(who, row)
    return row


def terms_of(session: Session, creator: Creator) -> Terms:
    """As they were last given; what the terminal records where nothing was."""
    row = current(session, creator)
    grant = believed(session, row) if row is not None else None
    if grant is None:
        return Terms()
    return Terms(
        tuple(sorted(grant.rights)), tuple(sorted(grant.platforms)), grant.live, grant.sponsored,
        tuple(sorted(grant.brands_excluded)), tuple(sorted(grant.languages)),
    )  # fmt: skip
