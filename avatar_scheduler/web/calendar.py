"""When what goes out, and moving it by keys or by a plain form."""

from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field
from sqlmodel import Session, col, select

from avatar_scheduler.db.tables import Creator, Member
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.slots import zone_of
from avatar_scheduler.services import rescheduling, week
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import WRITE, reached
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Who, WriteSession
from avatar_scheduler.web.forms import Signed
from avatar_scheduler.web.incidents import around
from avatar_scheduler.web.templating import page

router = APIRouter()


class Moved(Signed):
    at: str = Field(max_length=40)
    zone: str = Field(max_length=64)


@router.get("/calendar")
def calendar(
    request: Request, session: ReadSession, who: Who, now: Now, first: Annotated[str, Query(alias="week")] = "",
    creator: str = "", moved: str = "", back: str = "", kept: str = "",
) -> Response:  # fmt: skip
    creators = _creators(session, who)
    zone = _zone(session, who, creators)
    begin = _monday(first, now.astimezone(zone_of(zone)).date())
    days = week.week(session, who, begin, zone, now, creator)
    undo = next((e for day in days for e in day.events if e.post_id == moved and e.movable), None)
    context = {
        "days": days, "zone": zone, "begin": begin, "before": begin - timedelta(days=7), "undo": undo, "back": back,
        "after": begin + timedelta(days=7), "creators": creators, "chosen": creator, "kept": kept,
        "may_move": who.role in WRITE, **around(session, who, now),
    }  # fmt: skip
    return page(request, "calendar.html", **context)


def _monday(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text) if text else today
        return day - timedelta(days=day.weekday())
    except (ValueError, OverflowError):
        raise Invalid("That is not a day. Write it as 2026-11-23.", code="bad_time") from None


def _zone(session: Session, who: Person, creators: list[Creator]) -> str:
    member = session.get(Member, who.member_id)
    return (member.zone if member else "") or (creators[0].zone if creators else "UTC")


def _creators(session: Session, who: Person) -> list[Creator]:
    query = select(Creator).where(Creator.organization_id == who.organization_id).order_by(col(Creator.name))
    if (limit := reached(who)) is not None:
        query = query.where(col(Creator.id).in_(limit))
    return list(session.exec(query))


@router.post("/calendar/{post_id}/move")
def move(
    post_id: str, form: Annotated[Moved, Form()], session: WriteSession, settings: SettingsDep, who: Who, now: Now
) -> Response:
    """To the week it is in now, with the way back for those who change their mind."""
    at = form.at.replace("T", " ")
    found = rescheduling.move(session, settings, who, post_id, at, form.zone, now)
    day = datetime.fromisoformat(at).date() if at[:1].isdigit() else now.date()
    back = f"&back={found.before.local.replace(' ', 'T')}" if found.kept and found.before else ""
    kept = "yes" if found.kept else "no"
    return RedirectResponse(f"/calendar?week={day}&moved={found.post.id}&kept={kept}{back}#p-{found.post.id}", 303)
