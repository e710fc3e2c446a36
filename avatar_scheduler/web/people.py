"""Members, invitations and delegates."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field
from sqlmodel import Session, col, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Creator
from avatar_scheduler.domain.errors import SchedulerError
from avatar_scheduler.domain.interaction import KINDS
from avatar_scheduler.services import delegates, mail, members
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import DECIDE, MANAGE, RULE, reached
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Who, WriteSession
from avatar_scheduler.web.forms import Signed, Strict
from avatar_scheduler.web.incidents import around
from avatar_scheduler.web.role_words import ROLES
from avatar_scheduler.web.templating import page

router = APIRouter()
Id = Annotated[str, Field(max_length=40)]


class Invited(Signed):
    email: str = Field(max_length=254)
    name: str = Field(max_length=80)
    role: str = Field(max_length=20)
    creators: list[Id] = Field(default_factory=list, max_length=200)


class Changed(Signed):
    role: str = Field(max_length=20)
    creators: list[Id] = Field(default_factory=list, max_length=200)


class Named(Signed):
    creator: Id
    member: Id
    kinds: list[Annotated[str, Field(max_length=40)]] = Field(default_factory=list, max_length=40)
    days: int = Field(ge=1, le=366)


class Nothing(Strict):
    """An invitation's form: nobody is signed in yet, so there is no token of a session to carry."""


@router.get("/people")
def people_page(request: Request, session: ReadSession, who: Who, now: Now) -> Response:
    return _page(request, session, who, now)


def _page(request: Request, session: Session, who: Person, now: Now, **more: Any) -> Response:
    query = select(Creator).where(Creator.organization_id == who.organization_id).order_by(col(Creator.name))
    if (limit := reached(who)) is not None:
        query = query.where(col(Creator.id).in_(limit))
    creators = list(session.exec(query))
    rows = members.listing(session, who)
    mine = [c for c in creators if c.member_id == who.member_id or (not c.member_id and who.role == "owner")]
    context = {
        "rows": rows, "roles": ROLES, "creators": creators, "mine": mine, "kinds": sorted(KINDS),
        "invitations": members.invitations(session, who, now) if who.role in MANAGE else [],
        "named": [(c, *row) for c in creators for row in delegates.of_creator(session, c.id, now)],
        "deciders": [r.member for r in rows if r.member.role in DECIDE and r.member.id != who.member_id
                     and r.member.disabled_at is None],
        "may_rule": who.role in RULE, "may_invite": who.role in MANAGE, "link": "", "told": "", "problem": "",
        **around(session, who, now), **more,
    }  # fmt: skip
    return page(request, "people.html", **context)


@router.post("/people/invitations")
def invite(
    request: Request, form: Annotated[Invited, Form()], session: WriteSession, settings: SettingsDep, who: Who, now: Now
) -> Response:
    """The link is shown once, and sent where e-mail is set up."""
    row, token = members.invite(session, who, form.email, form.name, form.role, tuple(form.creators), now)
    link = f"{settings.base_url}/invitation/{token}"
    return _page(request, session, who, now, link=link, told=_sent(settings, row.email, who.name, link))


def _sent(settings: Settings, email: str, inviter: str, link: str) -> str:
    """Whom it was sent to, or nothing where no e-mail can be sent: then the link is handed over by hand."""
    text = f"Somebody invites you to Avatar Scheduler. The link works once, for 24 hours:\n\n{link}\n"
    try:
        mail.send(settings, email, "You are invited to Avatar Scheduler", text)
    except SchedulerError:
        return ""
    return email


@router.post("/people/invitations/{invitation_id}/withdrawal")
def withdraw(
    invitation_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now
) -> Response:
    members.withdraw(session, who, invitation_id, now)
    return RedirectResponse("/people", 303)


@router.post("/people/delegates")
def name_delegate(form: Annotated[Named, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    creator = members.creator_of(session, who, form.creator)
    delegates.name(session, who, creator, form.member, tuple(form.kinds), form.days, now)
    return RedirectResponse("/people#delegates", 303)


@router.post("/people/delegates/{delegate_id}/end")
def end_delegate(
    delegate_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now
) -> Response:
    delegates.revoke(session, who, delegate_id, now)
    return RedirectResponse("/people#delegates", 303)


@router.post("/people/{member_id}/role")
def change(member_id: str, form: Annotated[Changed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    members.change(session, who, member_id, form.role, tuple(form.creators), now)
    return RedirectResponse("/people", 303)


@router.post("/people/{member_id}/removal")
def remove(member_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    members.disable(session, who, member_id, now)
    return RedirectResponse("/people", 303)


@router.post("/people/{member_id}/return")
def let_in(member_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    members.enable(session, who, member_id, now)
    return RedirectResponse("/people", 303)


@router.get("/invitation/{token}")
def invitation(request: Request, token: str, session: ReadSession, now: Now) -> Response:
    return page(request, "invitation.html", offer=members.peek(session, token, now), token=token, roles=ROLES)


@router.post("/invitation/{token}")
def join(token: str, form: Annotated[Nothing, Form()], session: WriteSession, now: Now) -> Response:
    return RedirectResponse(f"/welcome/{members.accept(session, token, now)}", 303)
