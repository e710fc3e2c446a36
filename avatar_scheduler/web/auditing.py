"""The log, for people: reading, checking and taking it along."""

from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import Field
from sqlmodel import Session

from avatar_scheduler.audit import Verdict
from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.services import audit_export, log_pages
from avatar_scheduler.services.people import Person
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Who
from avatar_scheduler.web.forms import Signed, Strict
from avatar_scheduler.web.incidents import around
from avatar_scheduler.web.templating import page

router = APIRouter()


class Wanted(Strict):
    person: str = Field(default="", max_length=64)
    action: str = Field(default="", max_length=80)
    day: str = Field(default="", max_length=10)
    before: Annotated[int, Field(ge=0, le=2**53)] = 0

    def filter(self) -> log_pages.Filter:
        return log_pages.Filter(self.person, self.action, self.day, self.before)


def view(
    found: log_pages.Listing, wanted: log_pages.Filter, who: Person, verdict: Verdict | None = None
) -> dict[str, object]:
    may_take = who.role in audit_export.ALL and who.reach is None
    return {"found": found, "wanted": wanted, "verdict": verdict, "may_take": may_take, "checked_at": None}


@router.get("/audit")
def log(request: Request, wanted: Annotated[Wanted, Query()], session: ReadSession, who: Who, now: Now) -> Response:
    found = log_pages.listing(session, who, wanted.filter())
    return page(request, "audit.html", **(view(found, wanted.filter(), who) | around(session, who, now)))  # type: ignore[arg-type]


@router.post("/audit/verification")
def verify(
    request: Request, form: Annotated[Signed, Form()], session: ReadSession, settings: SettingsDep, who: Who, now: Now
) -> Response:
    verdict = log_pages.verified(session, settings, who)
    wanted = log_pages.Filter()
    shown = view(log_pages.listing(session, who, wanted), wanted, who, verdict) | {"checked_at": now}
    return page(request, "audit.html", **(shown | around(session, who, now)))  # type: ignore[arg-type]


@router.get("/audit/export")
def export(settings: SettingsDep, who: Who, form: Literal["jsonl", "csv"] = "jsonl") -> StreamingResponse:
    """Sent as it is read: a log may be larger than memory."""
    audit_export.may(who)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/jsonl"
    headers = {"Content-Disposition": f'attachment; filename="audit-log.{form}"', "Cache-Control": "no-store"}
    return StreamingResponse(_lines(settings, who, form), media_type=kind, headers=headers)


def _lines(settings: Settings, who: Person, form: str) -> Iterator[str]:
    with read_scope(settings) as session:
        for line in _chosen(session, settings, who, form):
            yield f"{line}\n"


def _chosen(session: Session, settings: Settings, who: Person, form: str) -> Iterator[str]:
    if form == "csv":
        return audit_export.table(session, who)
    return audit_export.lines(session, settings, who)
