"""Signing in and out, and the single-use invitation."""

import logging
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused, SchedulerError
from avatar_scheduler.services import ledger, links, mail, oidc, one_time_codes, passkeys, people
from avatar_scheduler.services.people import Person
from avatar_scheduler.web import oidc as oidc_pages
from avatar_scheduler.web.cookies import ASKED, cookie, device, set_cookie, with_session
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Visitor, WriteSession, cookie_name
from avatar_scheduler.web.forms import NewPassword, Signed, SignIn
from avatar_scheduler.web.forms_sign_in import AskLink, PasskeySignIn, RedeemLink, TypeCode
from avatar_scheduler.web.security import local_path
from avatar_scheduler.web.templating import page
from avatar_scheduler.web.throttle import LinkTry, SignInTry, count

router = APIRouter()
router.include_router(oidc_pages.router)
log = logging.getLogger(__name__)


@router.get("/")
def home() -> Response:
    return RedirectResponse("/review", 303)


def door(request: Request, settings: Settings, status: int = 200, **context: Any) -> HTMLResponse:
    """The sign-in page. Passkeys belong to a name, so at a bare address of this machine it points to its name."""
    with read_scope(settings) as session:
        providers = oidc.standing(session)
    here = f"{request.url.scheme}://{request.url.netloc}"
    shown = {"next": "", "email": "", "problem": "", "providers": providers, **context}
    elsewhere = "" if here == passkeys.origin(settings) else f"{passkeys.origin(settings)}/sign-in"
    return page(request, "sign_in.html", status=status, elsewhere=elsewhere, **shown)


@router.get("/sign-in")
def sign_in_page(
    request: Request, person: Visitor, settings: SettingsDep, came_for: Annotated[str, Query(alias="next")] = ""
) -> Response:
    if person is not None:
        return RedirectResponse(local_path(came_for), 303)
    return door(request, settings, next=came_for)


@router.post("/sign-in")
def sign_in(request: Request, form: Annotated[SignIn, Form()], settings: SettingsDep, now: Now) -> Response:
    context = {"next": form.next, "email": form.email}
    try:
        count(request, "password", 30, now)
        with read_scope(settings) as session:
            candidate = people.candidate(session, form.email, now)
        people.check_password(candidate, form.password)
        with write_scope(settings) as session:
            token = people.enter(session, candidate, now, device(request))
    except Forbidden as error:
        # Its own transaction: the refused one was rolled back, the count must stay.
        with write_scope(settings) as session:
            people.count_failure(session, form.email, now)
        return door(request, settings, 403, problem=error.message, **context)
    except Conflict as error:
        return door(request, settings, 429, problem=error.message, **context)
    return entered(settings, token, form.next, now)


def entered(settings: Settings, token: str, came_for: str, now: Now) -> Response:
    """To where they wanted, to what has to come first, or to the second half."""
    with read_scope(settings) as session:
        who = people.who_is(session, token, now)
        there = local_path(came_for or _comes_first(session, who, now)) if who else "/sign-in/code"
    return with_session(RedirectResponse(there, 303), settings, token)


def _comes_first(session: Session, who: Person, now: datetime) -> str:
    """A creator nobody has a consent of yet is asked for it, and need not look for where."""
    try:
        slug = ledger.own_slug(session, who)
        missing = slug and ledger.of(session, who, slug, now).state == ledger.MISSING
    except SchedulerError:  # nobody is kept out because the log is damaged; its own page says so
        return ""
    return f"/onboarding/{slug}" if missing else ""


@router.post("/sign-in/passkey/options")
def passkey_options(session: WriteSession, settings: SettingsDep, now: Now, _: SignInTry) -> Response:
    return Response(passkeys.sign_in_options(session, settings, now), media_type="application/json")


@router.post("/sign-in/passkey")
def passkey_sign_in(
    request: Request, form: Annotated[PasskeySignIn, Form()], settings: SettingsDep, now: Now, _: SignInTry
) -> Response:
    try:
        if not form.assertion:
            raise Refused("This needs scripts and a passkey. Sign in another way.", code="passkey")
        with write_scope(settings) as session:
            member = passkeys.sign_in(session, settings, form.assertion, now)
            token = people.open_session(session, member, now, device(request), "passkey")
    except passkeys.Cloned as error:
        with write_scope(settings) as session:
            passkeys.record_clone(session, error, now)
        return door(request, settings, 403, problem=error.message, next=form.next)
    except Refused as error:
        return door(request, settings, 403, problem=error.message, next=form.next)
    return entered(settings, token, form.next, now)


@router.post("/sign-in/link")
def ask_link(
    request: Request,
    form: Annotated[AskLink, Form()],
    settings: SettingsDep,
    now: Now,
    later: BackgroundTasks,
    _: LinkTry,
) -> Response:
    """The same answer for every address, and as fast: the letter leaves afterwards."""
    token = links.new_token()
    with write_scope(settings) as session:
        letter = links.ask(session, form.email, token, settings.base_url, now)
    if letter is not None:
        later.add_task(_send, settings, letter)
    answer = page(request, "sign_in_link.html", step="asked", token="", problem="")
    set_cookie(answer, settings, ASKED, links.browser_of(token), links.LIFE)
    return answer


def _send(settings: Settings, letter: links.Letter) -> None:
    try:
        mail.send(settings, letter.to, letter.subject, letter.text)
    except SchedulerError as error:
        log.warning("A sign-in link was not sent: %s", error.message)


@router.get("/sign-in/link/{token}")
def link_page(request: Request, token: str, session: ReadSession, settings: SettingsDep, now: Now) -> Response:
    """Inert: scanners look too."""
    links.peek(session, token, now)
    same = cookie(request, settings, ASKED) == links.browser_of(token)
    return page(request, "sign_in_link.html", step="here" if same else "code", token=token, problem="")


@router.post("/sign-in/link/{token}")
def redeem_link(
    request: Request, token: str, form: Annotated[RedeemLink, Form()], settings: SettingsDep, now: Now, _: LinkTry
) -> Response:
    try:
        with write_scope(settings) as session:
            asked = cookie(request, settings, ASKED)
            new = links.redeem(session, token, asked, form.code, now, device(request))
    except Forbidden as error:
        return page(request, "sign_in_link.html", status=403, step="code", token=token, problem=error.message)
    return entered(settings, new, "", now)


@router.get("/sign-in/code")
def code_page(request: Request, session: ReadSession, settings: SettingsDep, now: Now) -> Response:
    try:
        people.half_of(session, request.cookies.get(cookie_name(settings), ""), now)
    except NotFound:
        return RedirectResponse("/sign-in", 303)
    return page(request, "sign_in_code.html", problem="")


@router.post("/sign-in/code")
def type_code(
    request: Request, form: Annotated[TypeCode, Form()], settings: SettingsDep, now: Now, _: SignInTry
) -> Response:
    half = request.cookies.get(cookie_name(settings), "")
    try:
        with write_scope(settings) as session:
            token = one_time_codes.redeem(session, settings, half, form.code, now, device(request))
    except Forbidden as error:
        with write_scope(settings) as session:
            people.count_failure(session, people.half_of(session, half, now)[1].email, now)
        return page(request, "sign_in_code.html", status=403, problem=error.message)
    except Conflict as error:
        return page(request, "sign_in_code.html", status=429, problem=error.message)
    return entered(settings, token, "", now)


@router.get("/welcome/{token}")
def welcome_page(request: Request, token: str, session: ReadSession, now: Now) -> Response:
    name = people.peek_link(session, token, now)
    return page(request, "welcome.html", name=name, token=token, problem="")


@router.post("/welcome/{token}")
def welcome(
    request: Request,
    token: str,
    form: Annotated[NewPassword, Form()],
    settings: SettingsDep,
    now: Now,
) -> Response:
    with read_scope(settings) as session:
        name = people.peek_link(session, token, now)
    try:
        hashed = people.hash_password(form.password)
    except (Invalid, Conflict) as error:
        status = 422 if isinstance(error, Invalid) else 429
        return page(request, "welcome.html", status=status, name=name, token=token, problem=error.message)
    with write_scope(settings) as session:
        new = people.redeem_link(session, token, hashed, now, device(request))
    return entered(settings, new, "", now)


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
