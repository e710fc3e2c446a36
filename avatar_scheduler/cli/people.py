"""People at the terminal: what the organization is, who is in it, who must say yes, and keys for programs."""

from collections.abc import Callable
from typing import Annotated

import typer
from sqlmodel import Session, select

from avatar_scheduler.cli.common import Json, console, now, operator, settings, shown, table, when
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.db.tables import Creator, Member
from avatar_scheduler.domain.errors import Invalid, NotFound
from avatar_scheduler.domain.stages import ALL_KINDS, Stage
from avatar_scheduler.services import api_keys, installation, members, policies, policy_changes
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import PEOPLE, RULE, require

Slug = Annotated[str, typer.Option("--creator", help="Short name of the creator; the first one when left out.")]
Slugs = Annotated[
    list[str] | None, typer.Option("--creator", help="Only this creator, by short name; repeat. Left out: all of them.")
]
Email = Annotated[str, typer.Argument(help="Their address.")]
Role = Annotated[str, typer.Argument(help=f"One of: {', '.join(sorted(PEOPLE))}.")]
Kind = Annotated[str, typer.Option(help="A kind of post; * is every kind that has none of its own.")]
STAGE = "Who is asked: anyone, creator, client, role:NAME or member:ID, with commas between. Stages come in this order."


def register(app: typer.Typer) -> None:
    app.command()(agency)
    groups: tuple[tuple[str, str, dict[str, Callable[..., None]]], ...] = (
        ("member", "The people of the organization.", {
            "list": member_list, "invite": member_invite, "role": member_role, "remove": member_remove,
            "return": member_return,
        }),
        ("policy", "Who must say yes to a post.", {"show": policy_show, "set": policy_set}),
        ("key", "Keys for programs: they draft and stop, and never decide.", {
            "make": key_make, "list": key_list, "revoke": key_revoke,
        }),
    )  # fmt: skip
    for name, text, commands in groups:
        group = typer.Typer(no_args_is_help=True, help=text)
        for verb, command in commands.items():
            group.command(verb)(command)
        app.add_typer(group, name=name)


def agency(state: Annotated[str, typer.Argument(help="on or off")]) -> None:
    """Say whether this is an agency, where nobody approves or consents for somebody else, or one person's own."""
    if state not in ("on", "off"):
        raise Invalid(f"“{state}” is neither on nor off.", code="agency")
    with write_scope(settings()) as session:
        row = members.become(session, operator(), "agency" if state == "on" else "solo", now())
    console.print(f"{shown(row.name)} is {'an agency' if state == 'on' else 'one person’s own'}.")


def member_list(as_json: Json = False) -> None:
    """List people, their roles, and whom they reach."""
    with read_scope(settings()) as session:
        rows = [
            {
                "name": row.member.name,
                "email": row.member.email,
                "role": row.member.role,
                "creators": ", ".join(row.creators) or "all",
                "passkeys": str(row.passkeys),
                "state": "out" if row.member.disabled_at else "in",
                "id": row.member.id,
            }
            for row in members.listing(session, operator())
        ]
    table(rows, as_json, "Nobody yet. Run: avatar-scheduler init")


def member_invite(
    email: Email, role: Role, name: Annotated[str, typer.Option(prompt="Their name")], creator: Slugs = None
) -> None:
    """Print a link with which somebody joins. It works once, for 24 hours."""
    config = settings()
    with write_scope(config) as session:
        who = operator()
        ids = _ids(session, who, creator)
        _, token = members.invite(session, who, email, name, role, ids, now())
    console.print("Give them this link, shown only now:")
    console.print(f"{config.base_url}/invitation/{token}", soft_wrap=True)


def member_role(email: Email, role: Role, creator: Slugs = None) -> None:
    """Give somebody another role, or other creators. They sign in again."""
    with write_scope(settings()) as session:
        who = operator()
        row = members.change(session, who, _member(session, who, email).id, role, _ids(session, who, creator), now())
    console.print(f"{shown(row.name)} is {row.role}.")


def member_remove(email: Email) -> None:
    """Shut somebody out at once; what they approved and has not left is void."""
    with write_scope(settings()) as session:
        who = operator()
        row = _member(session, who, email)
        void = members.disable(session, who, row.id, now())
    console.print(f"{shown(row.name)} is out. Approvals that are void now: {void}.")


def member_return(email: Email) -> None:
    """Let somebody in again. What was void stays void."""
    with write_scope(settings()) as session:
        who = operator()
        row = members.enable(session, who, _member(session, who, email).id, now())
    console.print(f"{shown(row.name)} is in again.")


def policy_show(creator: Slug = "", kind: Kind = ALL_KINDS, as_json: Json = False) -> None:
    """Say who must approve a creator's posts."""
    with read_scope(settings()) as session:
        found = policies.of(session, installation.creator_by_slug(session, operator(), creator), kind, now())
    rows = [
        {"stage": str(number), "who": ", ".join(stage.by), "how_many": "all" if stage.all else "one"}
        for number, stage in enumerate(found.stages, 1)
    ]
    table(rows, as_json, "Nobody has to approve this kind; it still needs a standing approval.")


def policy_set(
    stage: Annotated[list[str] | None, typer.Option(help=STAGE + " End with ! for all of them; else one is enough.")]
    = None,
    creator: Slug = "",
    kind: Kind = ALL_KINDS,
) -> None:  # fmt: skip
    """Set who must approve. Stronger holds at once; weaker takes a day, and in an agency a second owner."""
    wanted = tuple(_stage(text) for text in stage or ())
    with write_scope(settings()) as session:
        who = operator()
        row = policy_changes.put(
            session, who, installation.creator_by_slug(session, who, creator), kind, wanted, now()
        )  # fmt: skip
    holds = f"holds from {when(row.effective_at)} UTC" if row.effective_at else "waits for a second owner, then a day"
    console.print(f"Policy {row.number} {holds}.")


def _stage(text: str) -> Stage:
    names = tuple(name.strip() for name in text.removesuffix("!").split(","))
    return Stage(names, text.endswith("!"))


def key_make(
    name: Annotated[str, typer.Argument(help="What the program is called.")],
    days: Annotated[int, typer.Option(min=1, max=api_keys.LONGEST)] = api_keys.USUAL,
    creator: Slugs = None,
) -> None:
    """Make a key, and print it once."""
    with write_scope(settings()) as session:
        who = operator()
        _, token = api_keys.make(session, who, name, _ids(session, who, creator), days, now())
    console.print("Send it as “Authorization: Bearer KEY”. Shown only now:")
    console.print(token, soft_wrap=True)


def key_list(as_json: Json = False) -> None:
    """List keys that still work."""
    with read_scope(settings()) as session:
        rows = [
            {"key": row.id, "name": row.name, "until": when(row.expires_at), "last_used": when(row.last_used_at)}
            for row in api_keys.listing(session, operator())
            if row.expires_at > now()
        ]
    table(rows, as_json, "No keys.")


def key_revoke(key: Annotated[str, typer.Argument(help="As `key list` prints it.")]) -> None:
    """End a key at once."""
    with write_scope(settings()) as session:
        api_keys.revoke(session, operator(), key, now())
    console.print("Revoked. It opens nothing any more.")


def _member(session: Session, who: Person, email: str) -> Member:
    require(who, RULE, "change people")
    query = select(Member).where(Member.organization_id == who.organization_id, Member.email == email.strip().lower())
    row = session.exec(query).first()
    if row is None:
        raise NotFound(f"Nobody here has the address “{email}”. See: avatar-scheduler member list")
    return row


def _ids(session: Session, who: Person, slugs: list[str] | None) -> tuple[str, ...]:
    found: list[Creator] = [installation.creator_by_slug(session, who, slug) for slug in slugs or ()]
    return tuple(row.id for row in found)
