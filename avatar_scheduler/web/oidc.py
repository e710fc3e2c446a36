"""Leaving for an organization's own sign-in, and coming back."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.services import oidc, people
from avatar_scheduler.web.cookies import LEFT, cookie, device, set_cookie, with_session
from avatar_scheduler.web.deps import Now, SettingsDep, Visitor, Who
from avatar_scheduler.web.forms_sign_in import Leave
from avatar_scheduler.web.security import local_path
from avatar_scheduler.web.templating import page
from avatar_scheduler.web.throttle import SignInTry

router = APIRouter()


@router.post("/sign-in/with/{provider_id}")
def leave(
    request: Request, provider_id: str, form: Annotated[Leave, Form()], settings: SettingsDep, now: Now, _: SignInTry
) -> Response:
    browser = "left_" + secrets.token_urlsafe(32)
    url = _leave(settings, provider_id, browser, form.next, now)
    return set_cookie(_leaving(request, url), settings, LEFT, browser, oidc.LIFE)


@router.post("/account/identities/{provider_id}")
def link(
    request: Request, provider_id: str, form: Annotated[Leave, Form()], who: Who, settings: SettingsDep, now: Now
) -> Response:
    return _leaving(request, _leave(settings, provider_id, oidc.linking(who), "/account", now))


@router.get(oidc.BACK)
def back(
    request: Request,
    person: Visitor,
    settings: SettingsDep,
    now: Now,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4096)] = "",
    iss: Annotated[str, Query(max_length=512)] = "",
) -> Response:
    with write_scope(settings) as session:
        visit = oidc.come_back(session, state, cookie(request, settings, LEFT), person, now)
    found = oidc.claims(settings, visit, code, iss, now)
    with write_scope(settings) as session:
        member = oidc.arrive(session, visit, found, person, now)
        token = "" if visit.linking else people.open_session(session, member, now, device(request), "oidc")
    answer = RedirectResponse(local_path(visit.came_for), 303)
    return with_session(answer, settings, token) if token else answer


def _leave(settings: Settings, provider_id: str, browser: str, came_for: str, now: Now) -> str:
    with read_scope(settings) as session:
        provider = oidc.provider(session, provider_id)
    about = oidc.discover(settings, provider)
    with write_scope(settings) as session:
        return oidc.leave(session, settings, provider, about, browser, came_for, now)


def _leaving(request: Request, url: str) -> Response:
    """A page that goes on by itself: `form-action` lets no form of ours end on another site, not by redirect either."""
    answer = page(request, "sign_in_leaving.html", url=url)
    answer.headers["Refresh"] = f"0; url={url}"
    return answer
