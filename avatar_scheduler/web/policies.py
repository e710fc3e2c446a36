"""Who must say yes, for each creator and kind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field
from sqlmodel import Session, col, select

from avatar_scheduler.db.tables import Creator, Member
from avatar_scheduler.domain import stages
from avatar_scheduler.domain.interaction import CORE, SECONDARY
from avatar_scheduler.domain.stages import ALL_KINDS, ANYONE, CLIENT, CREATOR, Stage
from avatar_scheduler.i18n import N_
from avatar_scheduler.services import members, policies, policy_changes
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.policies import InForce
from avatar_scheduler.services.roles import DECIDE, RULE, reached
from avatar_scheduler.web.deps import Now, ReadSession, Who, WriteSession
from avatar_scheduler.web.forms import Signed
from avatar_scheduler.web.incidents import around
from avatar_scheduler.web.role_words import ROLES
from avatar_scheduler.web.templating import page

router = APIRouter()
STAGES = 3
"""Offered on the page; a policy set in the terminal may have more."""
Selectors = Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=stages.MOST)]
WORDS = {ANYONE: N_("anybody who decides"), CREATOR: N_("the creator"), CLIENT: N_("the client")}


class Written(Signed):
    creator: str = Field(max_length=40)
    kind: str = Field(max_length=40)
    stage1: Selectors = Field(default_factory=list)
    stage2: Selectors = Field(default_factory=list)
    stage3: Selectors = Field(default_factory=list)
    all1: str = Field(default="", max_length=3)
    all2: str = Field(default="", max_length=3)
    all3: str = Field(default="", max_length=3)

    def stages(self) -> tuple[Stage, ...]:
        """Empty ones are left out."""
        rows = ((self.stage1, self.all1), (self.stage2, self.all2), (self.stage3, self.all3))
        return tuple(Stage(tuple(by), every == "all") for by, every in rows if by)


@dataclass(frozen=True)
class Shown:
    creator: Creator
    policies: tuple[InForce, ...]
    """The one for all kinds first, then those of single kinds."""


@router.get("/policies")
def policies_page(request: Request, session: ReadSession, who: Who, now: Now) -> Response:
    creators = _creators(session, who)
    rows = session.exec(select(Member).where(Member.organization_id == who.organization_id))
    deciders = [m for m in rows if m.role in DECIDE and m.disabled_at is None]
    context: dict[str, Any] = {
        "shown": [_shown(session, creator, now) for creator in creators],
        "pending": [(row, session.get_one(Creator, row.creator_id), stages.read(row.stages)) for row in
                    policy_changes.pending(session, who, now)],
        "settable": [c for c in creators if who.role in RULE or c.member_id == who.member_id],
        "kinds": [ALL_KINDS, *sorted(CORE), *sorted(SECONDARY)], "secondary": SECONDARY,
        "deciders": deciders, "names": _names(deciders), "numbers": range(1, STAGES + 1), "roles": ROLES,
        "role_names": sorted(DECIDE - {CREATOR, CLIENT}), "may_rule": who.role in RULE, "all_kinds": ALL_KINDS,
        "words_of": WORDS, **around(session, who, now),
    }  # fmt: skip
    return page(request, "policies.html", **context)


def _creators(session: Session, who: Person) -> list[Creator]:
    query = select(Creator).where(Creator.organization_id == who.organization_id).order_by(col(Creator.name))
    if (limit := reached(who)) is not None:
        query = query.where(col(Creator.id).in_(limit))
    return list(session.exec(query))


def _shown(session: Session, creator: Creator, now: datetime) -> Shown:
    kinds = sorted({p.kind for p in policies.every(session, creator.id)} - {ALL_KINDS})
    own = [found for kind in kinds if (found := policies.of(session, creator, kind, now)).kind == kind]
    return Shown(creator, (policies.of(session, creator, "", now), *own))


def _names(deciders: list[Member]) -> dict[str, str]:
    return {f"member:{member.id}": member.name for member in deciders}


@router.post("/policies")
def put(form: Annotated[Written, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    creator = members.creator_of(session, who, form.creator)
    policy_changes.put(session, who, creator, form.kind, form.stages(), now)
    return RedirectResponse("/policies", 303)


@router.post("/policies/{policy_id}/agreement")
def agree(policy_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    policy_changes.second(session, who, policy_id, now)
    return RedirectResponse("/policies", 303)


@router.post("/policies/{policy_id}/removal")
def drop(policy_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    policy_changes.drop(session, who, policy_id, now)
    return RedirectResponse("/policies", 303)
