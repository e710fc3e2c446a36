"""Whose yes a version waits for, and whom a person may stand for.

Roles, who a creator is, and who wrote a post are believed as the log says them: columns can be written by anybody with
the database's password.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Approval, Creator, Member, Post
from avatar_scheduler.domain import stages
from avatar_scheduler.domain.approval import DELEGATE, SELF
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.domain.stages import ANYONE, CLIENT, CREATOR, Stage, Yes
from avatar_scheduler.services import delegates, people, policies
from avatar_scheduler.services.roles import DECIDE

LEGACY = (Stage((ANYONE,)),)
"""Of versions frozen before there were policies."""


def person_of(session: Session, creator: Creator) -> str:
    """Member id of the person depicted, or empty. Raises Refused where the log says otherwise than the row."""
    said = audits.said(session, "creator", creator.id).get("member", "")
    if said != creator.member_id:
        raise Refused(f"Who {creator.name} is was changed behind everybody's back.", code="person_changed")
    return said


def wrote(session: Session, post: Post) -> list[str]:
    """Everybody who wrote or edited it."""
    return sorted(audits.actors(session, post.id, "post.created", "post.edited"))


def demanded(session: Session, post: Post, at: datetime) -> dict[str, Any]:
    """The part of a manifest that says whose yes it needs."""
    creator = session.get_one(Creator, post.creator_id)
    policy = policies.of(session, creator, post.kind, at)
    return {
        "policy": {"kind": policy.kind, "number": policy.number, "stages": stages.plain(policy.stages)},
        "people": {"creator": person_of(session, creator), "wrote": wrote(session, post)},
    }


def stages_of(data: dict[str, Any]) -> tuple[Stage, ...]:
    """Raises Refused for a policy that was frozen as something else than stages."""
    if "policy" not in data:
        return LEGACY
    try:
        return stages.parse(data["policy"]["stages"])
    except (Invalid, TypeError, LookupError) as why:
        raise Refused("These stages cannot be read. Set the policy again.", code="policy_unreadable") from why


def authors_of(data: dict[str, Any]) -> frozenset[str]:
    return frozenset(data["people"]["wrote"]) if "people" in data else frozenset({data["author"]})


def creator_of(data: dict[str, Any]) -> str:
    """Member id of the person depicted, as frozen."""
    return str(data["people"]["creator"]) if "people" in data else ""


def yes_of(row: Approval) -> Yes:
    return Yes(row.stage, row.by, (row.acted_as or ANYONE).partition("+")[0])


def open_stage(data: dict[str, Any], given: Collection[Approval]) -> tuple[int, Stage] | None:
    """Number and stage that waits for somebody; None once all are met."""
    wanted = stages_of(data)
    number = stages.next_open(wanted, [yes_of(row) for row in given])
    return None if number is None else (number, wanted[number])


def stands_for(
    session: Session, member: Member, data: dict[str, Any], stage: Stage, given: Collection[Yes], at: datetime
) -> str:
    """Which entry of the stage this member may say yes for, with "+self" or "+delegate"; empty when for none.

    The author never counts, but for the person depicted, who speaks for themselves. An entry somebody stood for already
    is passed over.
    """
    reach = people.reach_of(session, member)
    if member.disabled_at is not None or (reach is not None and data["creator"]["id"] not in reach):
        return ""
    own = member.id == creator_of(data)
    author = member.id in authors_of(data)
    taken = {yes.selector for yes in given}
    for selector in stage.by:
        if stage.all and selector in taken:
            continue
        if selector == CREATOR and own:
            return CREATOR + (SELF if author else "")
        if author and not own:
            continue
        if _fits(session, member, data, selector, at):
            delegated = selector == CREATOR and creator_of(data) != ""
            return selector + (DELEGATE if delegated else SELF if author else "")
    return ""


def _fits(session: Session, member: Member, data: dict[str, Any], selector: str, at: datetime) -> bool:
    if selector == ANYONE:
        return member.role in DECIDE - {CLIENT}
    if selector == CREATOR:
        if not creator_of(data):  # nobody is depicted: the owner speaks for who was made up
            return member.role == "owner"
        return delegates.named(session, data["creator"]["id"], member.id, data["kind"], at)
    if selector == CLIENT:
        return member.role == CLIENT
    noun, _, name = selector.partition(":")
    return member.role == name and name in DECIDE if noun == "role" else member.id == name and member.role in DECIDE


def check_role(session: Session, member: Member) -> None:
    """Raises Refused when the log does not say that this member has this role."""
    if audits.said(session, "member", member.id).get("role") != member.role:
        raise Refused(
            "Your role was changed behind everybody's back. Ask an owner to set it again.", code="role_changed"
        )


def members(session: Session, data: dict[str, Any], stage: Stage, given: Collection[Yes], at: datetime) -> list[Member]:
    """Everybody who could say the yes this stage waits for. Those who said theirs already are not asked again."""
    query = select(Member).where(Member.organization_id == data["organization"], col(Member.disabled_at).is_(None))
    done = {yes.member for yes in given}
    return [
        member
        for member in session.exec(query.order_by(col(Member.created_at)))
        if member.id not in done and stands_for(session, member, data, stage, given, at)
    ]
