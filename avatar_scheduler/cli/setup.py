"""Setting up: the installation, creators, channels, standing approvals."""

import json
import unicodedata
from collections.abc import Callable
from typing import Annotated

import typer
from sqlmodel import col, select

from avatar_scheduler.cli import consents
from avatar_scheduler.cli.common import Json, console, now, operator, settings, shown, table, when
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.db.tables import Avatar, Channel, Consent, Creator, Member, Organization
from avatar_scheduler.domain.errors import Invalid, NotFound
from avatar_scheduler.publishers import platforms, publisher
from avatar_scheduler.publishers.base import Account
from avatar_scheduler.services import installation, ledger, people, standing
from avatar_scheduler.services.roles import DECIDE, require
from avatar_scheduler.studio.job import avatars, scenes

AUDIENCE = "Where it is seen, such as FR or US-NY; repeat. Left out: not known, and every rule applies."
Slug = Annotated[str, typer.Option("--creator", help="Short name of the creator; the first one when left out.")]


def register(app: typer.Typer) -> None:
    consents.register(app)
    app.command()(init)
    app.command()(link)
    groups: dict[str, tuple[str, dict[str, Callable[..., None]]]] = {
        "creator": ("Creators and their avatars.", {"add": creator_add, "set": creator_set, "list": creator_list}),
        "channel": ("Where posts go.", {"add": channel_add, "list": channel_list, "remove": channel_remove}),
        "standing": (
            "Standing approvals for secondary kinds.",
            {"grant": standing_grant, "list": standing_list, "revoke": standing_revoke},
        ),
    }
    for name, (text, commands) in groups.items():
        group = typer.Typer(no_args_is_help=True, help=text)
        for verb, command in commands.items():
            group.command(verb)(command)
        app.add_typer(group, name=name)


def init(
    organization: Annotated[str, typer.Option(prompt="Name of the agency or creator")],
    name: Annotated[str, typer.Option(prompt="Your name")],
    email: Annotated[str, typer.Option(prompt="Your e-mail")],
    language: Annotated[str, typer.Option(help="en or fr")] = "en",
) -> None:
    """Set up this installation and print the first owner's one-time sign-in link."""
    config = settings()
    installation.prepare(config, organization, now())
    with write_scope(config) as session:
        member = installation.first_owner(session, organization, name, email, language, now())
        token = people.make_link(session, member, now())
        named = session.get_one(Organization, member.organization_id).name
    console.print(f"Ready, in {config.data}.")
    if named != organization:
        console.print(f"This installation belongs to {shown(named)}; it keeps that name.")
    console.print(
        "Next: avatar-scheduler creator add NAME, then avatar-scheduler up, then open this link within 24 hours:"
    )
    console.print(f"{config.base_url}/welcome/{token}", soft_wrap=True)


def link(email: Annotated[str, typer.Argument(help="Whose; the first owner's when left out.")] = "") -> None:
    """Print a new one-time sign-in link."""
    config = settings()
    with write_scope(config) as session:
        query = select(Member).where(Member.email == email.lower()) if email else select(Member)
        member = session.exec(query.order_by(col(Member.created_at)).limit(1)).first()
        if member is None:
            raise NotFound(f"Nobody here has the address “{email}”." if email else "Run: avatar-scheduler init")
        token = people.make_link(session, member, now())
    console.print(f"{config.base_url}/welcome/{token}", soft_wrap=True)


def creator_add(
    name: Annotated[str, typer.Argument(help="Name as the audience knows it.")],
    slug: Annotated[str, typer.Option(help="Short name for addresses; made from the name when left out.")] = "",
    zone: Annotated[str, typer.Option(help="Time zone, such as Europe/Paris.")] = "UTC",
    language: Annotated[str, typer.Option(help="Language of the posts.")] = "en",
    avatar: Annotated[str, typer.Option(help=f"One of: {', '.join(avatars())}.")] = "maya",
    scene: Annotated[str, typer.Option(help=f"One of: {', '.join(scenes())}.")] = "kitchen",
    performer: Annotated[str, typer.Option(help="digital_twin, fictional or third_party_likeness")] = "digital_twin",
    consent_days: Annotated[int, typer.Option(min=1, max=366, help="How long the consent given now lasts.")] = 365,
    audience: Annotated[list[str] | None, typer.Option(help=AUDIENCE)] = None,
) -> None:
    """Add a creator with their own feed. On one's own, that is also their consent; in an agency they are asked."""
    if avatar not in avatars():
        raise Invalid(f"There is no avatar “{avatar}”. There are: {', '.join(avatars())}.", code="avatar")
    if scene not in scenes():
        raise Invalid(f"There is no scene “{scene}”. There are: {', '.join(scenes())}.", code="scene")
    slug = slug or _slug(name)
    if not slug:
        raise Invalid(f"“{name}” has no letters for an address. Give it a short name with --slug.", code="slug")
    new = installation.NewCreator(
        name, slug, language, zone, avatar, scene, performer, consent_days, tuple(audience or ())
    )
    with write_scope(settings()) as session:
        who = operator()
        creator = installation.add_creator(session, who, new, now())
        asked = not ledger.of(session, who, creator.slug, now()).holds
    console.print(f"Added {shown(creator.name)}. Feed: {settings().base_url}/f/{creator.slug}")
    if asked:
        told = f"Nothing of theirs is rendered before they consent: {settings().base_url}/onboarding/{creator.slug}"
        console.print(told, soft_wrap=True)


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower())
    kept = (c if c.isalnum() else "-" for c in plain if c.isascii() or not unicodedata.combining(c))
    return "".join(c if c.isascii() else "-" for c in kept).strip("-")[:40].strip("-")


def creator_set(
    creator: Slug = "",
    audience: Annotated[list[str] | None, typer.Option(help=AUDIENCE + " “unknown” takes all back.")] = None,
    takedown: Annotated[
        str | None, typer.Option(help="When a published item lost its marks: ask (a person), or auto.")
    ] = None,
) -> None:
    """Say who sees a creator's posts, and what happens when a platform drops their marks."""
    codes = [] if audience == ["unknown"] else audience
    with write_scope(settings()) as session:
        who = operator()
        row = installation.creator_by_slug(session, who, creator)
        installation.set_rules(session, who, row, codes, takedown, now())
        known = ", ".join(json.loads(row.audience)) or "not known, so the strictest of every rule applies"
    console.print(f"{shown(row.name)}: audience {known}; takedown {row.takedown}.", soft_wrap=True)


def creator_list(as_json: Json = False) -> None:
    """List creators with their avatar and consent."""
    with read_scope(settings()) as session:
        query = select(Creator, Avatar, Consent).where(
            Avatar.creator_id == Creator.id, Avatar.consent_id == Consent.id,
            Creator.organization_id == operator().organization_id,
        )  # fmt: skip
        rows = [
            {
                "creator": c.slug,
                "name": c.name,
                "language": c.language,
                "zone": c.zone,
                "avatar": a.pack,
                "audience": ", ".join(json.loads(c.audience)) or "unknown",
                "consent_until": "withdrawn" if k.revoked_at else k.ends_at.date().isoformat(),
            }
            for c, a, k in session.exec(query)
        ]
    table(rows, as_json, "No creators yet. Run: avatar-scheduler creator add NAME")


def channel_add(
    platform: Annotated[str, typer.Argument(help=f"One of: {', '.join(platforms())}.")],
    address: Annotated[str, typer.Argument(help="Handle on the platform.")],
    endpoint: Annotated[str, typer.Option(help="Base URL of the service.")] = "",
    creator: Slug = "",
    password: Annotated[str, typer.Option(help="Asked for, unseen, when left out.")] = "",
) -> None:
    """Connect a channel. The password is sealed: only the publish worker can open it."""
    from avatar_scheduler import vault

    config = settings()
    if platform not in platforms() or platform == "own_feed":
        names = ", ".join(p for p in platforms() if p != "own_feed")
        raise Invalid(f"“{platform}” cannot be connected. There are: {names}. Every creator has own_feed already.")
    who = operator()
    with read_scope(config) as session:
        owner = installation.creator_by_slug(session, who, creator)
    password = password or typer.prompt("App password", hide_input=True)
    secrets = {"identifier": address, "password": password}
    there = publisher(platform, config)
    endpoint = endpoint or there.home
    lasting, handle = there.connect(Account("", platform, address, endpoint, secrets))
    with write_scope(config) as session:
        row = installation.add_channel(session, who, owner, platform, lasting, endpoint, "", now())
        belongs = vault.Belongs(row.organization_id, row.id, "credentials")
        row.sealed = vault.Sealer(config.keys / "vault.public.pem").seal(json.dumps(secrets), belongs)
    console.print(f"Connected {platform}: {shown(handle)} ({shown(lasting)}).")


def channel_list(as_json: Json = False) -> None:
    """List connected channels."""
    with read_scope(settings()) as session:
        query = select(Channel, Creator).where(
            Channel.creator_id == Creator.id, Channel.organization_id == operator().organization_id
        )
        rows = [
            {"creator": c.slug, "channel": f"{ch.platform}:{ch.address}", "on": ch.disabled_at is None}
            for ch, c in session.exec(query)
        ]
    table(rows, as_json, "No channels yet.")


def channel_remove(
    channel: Annotated[str, typer.Argument(help="platform, or platform:address as `channel list` prints it.")],
    creator: Slug = "",
) -> None:
    """Disconnect a channel and forget its password. What waits for it is kept back; what is out stays out."""
    with write_scope(settings()) as session:
        who = operator()
        owner = installation.creator_by_slug(session, who, creator)
        row = installation.remove_channel(session, who, owner, channel, now())
    console.print(f"Disconnected {row.platform}:{shown(row.address)}.")


def standing_list(json: Json = False) -> None:
    """List the standing approvals in force."""
    with read_scope(settings()) as session:
        rows = [
            {
                "standing": row.id[:12],
                "kinds": ", ".join(scope.kinds),
                "per_day": scope.per_day,
                "until": when(scope.ends_at),
            }
            for row, scope in standing.in_force(session, operator(), now())
        ]
    table(rows, json, "No standing approvals.")


def standing_revoke(standing_id: Annotated[str, typer.Argument(help="As `standing list` prints it.")]) -> None:
    """Withdraw a standing approval: from now on nothing more goes out under it."""
    with write_scope(settings()) as session:
        standing.revoke(session, operator(), standing_id, now())
    console.print("Withdrawn. Nothing more goes out under it.")


def standing_grant(
    kinds: Annotated[list[str], typer.Argument(help="Secondary kinds, such as tip recap.")],
    creator: Slug = "",
    per_day: Annotated[int, typer.Option(min=1, max=50)] = 3,
    days: Annotated[int, typer.Option(min=1, max=366)] = 30,
) -> None:
    """Let secondary kinds go out without asking each time. Core kinds are never covered."""
    config, who = settings(), operator()
    require(who, DECIDE, "give a standing approval")
    with write_scope(config) as session:
        row = installation.creator_by_slug(session, who, creator)
        given = standing.grant(session, config, who, row, tuple(kinds), per_day, days, now())
    ends = when(standing.read_scope(given).ends_at)
    console.print(f"Given for {shown(row.name)}: {', '.join(kinds)}, {per_day} a day, until {ends} UTC.")
