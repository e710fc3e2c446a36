"""What routes ask for: the time, a session, the person. `gate` is on every route of the app."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from sqlmodel import Session

from avatar_scheduler.config import Settings
from avatar_scheduler.db import tenants
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.domain.errors import Forbidden
from avatar_scheduler.services import api_keys, holds, people
from avatar_scheduler.services.people import Person
from avatar_scheduler.web import security

PUBLIC = frozenset(
    {
        "/healthz",
        "/manifest.webmanifest",
        "/sw.js",
        "/offline",
        "/sign-in",
        "/sign-in/back",
        "/sign-in/code",
        "/sign-in/link",
        "/sign-in/link/{token}",
        "/sign-in/passkey",
        "/sign-in/passkey/options",
        "/sign-in/with/{provider_id}",
        "/welcome/{token}",
        "/invitation/{token}",
        "/licences",
        "/f/{slug}",
        "/f/{slug}/atom.xml",
        "/f/{slug}/feed.json",
        "/f/{slug}/media/{sha256}",
        "/f/{slug}/{item_id}",
        "/proof/{delivery_id}",
        "/verify",
        "/hooks/{renderer}/{token}",
    }
)
"""Reviewed by hand: the only routes a stranger reaches. Everything else needs a signed-in person."""


STREAMED = frozenset({"/uploads", "/onboarding/{slug}/proof"})
"""Reviewed by hand: forms with a file, whose routes check the token themselves as the body arrives."""


FROM_MACHINES = frozenset({"/hooks/{renderer}/{token}"})
"""Of these, called by other programs: no browser, so no origin. No cookie gives any right there."""


class SignInNeeded(Forbidden):
    code = "sign_in"

    def __init__(self, came_for: str) -> None:
        super().__init__("Sign in to go on.")
        self.sign_in_url = "/sign-in?next=" + quote(came_for, safe="")


def settings_of(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def current_time(request: Request) -> datetime:
    now: datetime = request.app.state.clock()
    return now


async def _settings(request: Request) -> Settings:
    """`async`, like the two below: a look at what is here already is not worth a thread."""
    return settings_of(request)


async def _now(request: Request) -> datetime:
    return current_time(request)


SettingsDep = Annotated[Settings, Depends(_settings)]
Now = Annotated[datetime, Depends(_now)]


def write_session(settings: SettingsDep) -> Iterator[Session]:
    with write_scope(settings) as session:
        yield session


def read_session(settings: SettingsDep) -> Iterator[Session]:
    with read_scope(settings) as session:
        yield session


# scope="function": the commit happens before the answer leaves, so a failed commit is not answered with a yes.
WriteSession = Annotated[Session, Depends(write_session, scope="function")]
ReadSession = Annotated[Session, Depends(read_session, scope="function")]


SESSION = "session"


def cookie_name(settings: Settings, name: str = SESSION) -> str:
    """With the prefix no other host can set it, one beside ours under the same domain neither (RFC 6265bis 4.1.3)."""
    return f"__Host-{name}" if settings.secure_cookies else name


PROGRAMS = "/api/"
"""Paths below it are for programs: there only a key counts, elsewhere only a cookie."""


def for_programs(request: Request) -> bool:
    return request.url.path.startswith(PROGRAMS)


def program(request: Request, settings: Settings, now: datetime) -> Person | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        return None
    with write_scope(settings) as session:
        person = api_keys.who_is(session, token.strip(), now)
        if person is not None:
            api_keys.touch(session, person, now)
    return person


def visitor(request: Request, settings: SettingsDep, now: Now) -> Person | None:
    """Who holds the session cookie, or the key. The role is read anew on every request."""
    with tenants.everybody():  # a connection may hand us what the request before it left
        return _visitor(request, settings, now)


def _visitor(request: Request, settings: Settings, now: datetime) -> Person | None:
    if for_programs(request):
        return program(request, settings, now)
    token = request.cookies.get(cookie_name(settings))
    if not token:
        return None
    with read_scope(settings) as session:
        person = people.who_is(session, token, now)
        # Said on every page while one is on, and asked for here: by the time a page is drawn its session may be closed.
        request.state.holds = holds.shown(session, person) if person else ()
    if person is not None and person.idle:
        with write_scope(settings) as session:
            people.touch(session, person, now)
    request.state.person = person
    return person


Visitor = Annotated[Person | None, Depends(visitor)]


async def gate(request: Request, settings: SettingsDep, person: Visitor) -> None:
    tenants.enter(tenants.NOBODY)
    if for_programs(request):  # no browser sends a key by itself, so there is nothing to forge
        tenants.enter((await signed_in(person)).organization_id)
        return
    if request.scope["route"].path not in FROM_MACHINES:
        security.check_origin(request, settings)
    if request.scope["route"].path in PUBLIC:
        return
    if person is None:
        came_for = request.url.path if request.method in security.SAFE_METHODS else "/review"
        raise SignInNeeded(came_for)
    tenants.enter(person.organization_id)
    if request.scope["route"].path not in STREAMED:
        await security.check_csrf(request, person.csrf)


async def signed_in(person: Visitor) -> Person:
    if person is None:
        raise SignInNeeded("/review")
    return person


Who = Annotated[Person, Depends(signed_in)]
