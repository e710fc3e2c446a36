"""Holds: stop everything that has not left. And the phone's menu, where that is one tap."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from avatar_scheduler.i18n import N_
from avatar_scheduler.services import holds
from avatar_scheduler.services.holds import LIFT, MAX_REASON
from avatar_scheduler.services.roles import HOLD
from avatar_scheduler.web.deps import Now, ReadSession, Who, WriteSession
from avatar_scheduler.web.forms import Signed
from avatar_scheduler.web.forms_review import Stopping
from avatar_scheduler.web.incidents import around
from avatar_scheduler.web.templating import page

router = APIRouter()

REASONS = (
    N_("A post is wrong"), N_("It looks or sounds wrong"), N_("Something happened, nothing should go out now"),
    N_("Somebody may be signed in as one of us"), N_("Just to be safe"),
)  # fmt: skip


@router.get("/holds")
def stops(request: Request, session: ReadSession, who: Who, now: Now) -> Response:
    context = {
        "stoppable": holds.stoppable(session, who) if who.role in HOLD else [],
        "reasons": REASONS,
        "may_lift": who.role in LIFT,
        **around(session, who, now),
    }
    return page(request, "holds.html", **context)


@router.post("/holds")
def stop(form: Annotated[Stopping, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    reason = ": ".join(part for part in (form.reason.strip(), form.text.strip()) if part)[:MAX_REASON]
    scope, _, target = form.what.partition(":")
    holds.put(session, who, scope, target, reason, now)
    return RedirectResponse("/holds", 303)


@router.post("/holds/{hold_id}/lifting")
def lift(hold_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    holds.lift_one(session, who, hold_id, now)
    return RedirectResponse("/holds", 303)


@router.get("/menu")
def menu(request: Request, session: ReadSession, who: Who, now: Now) -> Response:
    return page(request, "menu.html", may_hold=who.role in HOLD, **around(session, who, now))
