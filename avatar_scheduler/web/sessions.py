"""Signing in and out, and the single-use invitation."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import write_scope
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid
from avatar_scheduler.services import people
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Visitor, WriteSession, cookie_name
from avatar_scheduler.web.forms import NewPassword, Signed, SignIn
from avatar_scheduler.web.security import local_path
from avatar_scheduler.web.templating import page

router = APIRouter()


def device(request: Request) -> str:
    return request.headers.get("user-agent", "")[:200]


def with_session(response: Response, settings: Settings, token: str) -> Response:
    response.set_cookie(
        cookie_name(settings), token, path="/", secure=settings.secure_cookies, httponly=True, samesite="lax",
        max_age=int(people.SESSION_LIFE.total_seconds()),
    )  # fmt: skip
    return response


@router.get("/")
def home() -> Response:
    return RedirectResponse("/review", 303)


@router.get("/sign-in")
def sign_in_page(request: Request, person: Visitor, came_for: Annotated[str, Query(alias="next")] = "") -> Response:
    if person is not None:
        return RedirectResponse(local_path(came_for), 303)
    return page(request, "sign_in.html", next=came_for, email="", problem="")


@router.post("/sign-in")
def sign_in(request: Request, form: Annotated[SignIn, Form()], settings: SettingsDep, now: Now) -> Response:
    context = {"next": form.next, "email": form.email}
    try:
        with write_scope(settings) as session:
            token = people.sign_in(session, form.email, form.password, now, device(request))
    except Forbidden as error:
        # Its own transaction: the refused one was rolled back, the count must stay.
        with write_scope(settings) as session:
            people.count_failure(session, form.email, now)
        return page(request, "sign_in.html", status=403, problem=error.message, **context)
    except Conflict as error:
        return page(request, "sign_in.html", status=429, problem=error.message, **context)
    return with_session(RedirectResponse(local_path(form.next), 303), settings, token)


@router.get("/welcome/{token}")
def welcome_page(request: Request, token: str, session: ReadSession, now: Now) -> Response:
    name = people.peek_link(session, token, now)
    return page(request, "welcome.html", name=name, token=token, problem="")


@router.post("/welcome/{token}")
def welcome(
    request: Request,
    token: str,
    form: Annotated[NewPassword, Form()],
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
) -> Response:
    name = people.peek_link(session, token, now)
    try:
        new = people.redeem_link(session, token, form.password, now, device(request))
    except Invalid as error:
        return page(request, "welcome.html", status=422, name=name, token=token, problem=error.message)
    return with_session(RedirectResponse("/review", 303), settings, new)


@router.post("/sign-out")
def sign_out(
    request: Request, form: Annotated[Signed, Form()], session: WriteSession, settings: SettingsDep
) -> Response:
    people.sign_out(session, request.cookies.get(cookie_name(settings), ""))
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(
        cookie_name(settings), path="/", secure=settings.secure_cookies, httponly=True, samesite="lax"
    )
    return response
