"""The cookies of signing in: out of reach of scripts, and of other sites."""

from datetime import timedelta

from fastapi import Request
from fastapi.responses import Response

from avatar_scheduler.config import Settings
from avatar_scheduler.services import people
from avatar_scheduler.web.deps import SESSION, cookie_name

ASKED = "asked"
"""In which browser a sign-in link was asked for."""
LEFT = "left"
"""From which browser somebody left for their organization's sign-in."""


def device(request: Request) -> str:
    return request.headers.get("user-agent", "")[:200]


def with_session(response: Response, settings: Settings, token: str) -> Response:
    return set_cookie(response, settings, SESSION, token, people.SESSION_LIFE)


def cookie(request: Request, settings: Settings, name: str) -> str:
    return request.cookies.get(cookie_name(settings, name), "")


def set_cookie(response: Response, settings: Settings, name: str, value: str, life: timedelta) -> Response:
    response.set_cookie(
        cookie_name(settings, name), value, path="/", secure=settings.secure_cookies, httponly=True, samesite="lax",
        max_age=int(life.total_seconds()),
    )  # fmt: skip
    return response
