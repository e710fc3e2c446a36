"""The pages as one application."""

from pathlib import Path

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from avatar_scheduler.clock import Clock, utc_now
from avatar_scheduler.config import Settings
from avatar_scheduler.renderers.preview import Previews
from avatar_scheduler.web import (
    account,
    auditing,
    calendar,
    comments,
    compose,
    errors,
    events,
    health,
    hooks,
    icons,
    incidents,
    media,
    onboarding,
    people,
    policies,
    posts,
    programs,
    public,
    push,
    review,
    sessions,
    stopping,
    uploads,
    verify,
)
from avatar_scheduler.web.deps import gate
from avatar_scheduler.web.security import MAX_BODY, SecurityHeaders

STATIC = Path(__file__).parent / "static"
FONTS = {
    "/static/fonts/text": "fontpkg_atkinson_hyperlegible",
    "/static/fonts/mono": "fontpkg_ibm_plex_mono",
}
PARTS = (
    health, sessions, account, review, comments, posts, incidents, media, public, compose, calendar, uploads, people,
    policies, onboarding, stopping, auditing, events, push, programs, hooks, verify,
)  # fmt: skip


class Files(StaticFiles):
    """Asked for again with each page, answered "unchanged" unless they did change."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.setdefault("Cache-Control", "no-cache")
        return response


def mount_static(app: FastAPI) -> None:
    """Packed on the way, unlike pages: the length of a packed page would tell about the token inside (BREACH)."""
    for path, package in FONTS.items():
        app.mount(path, GZipMiddleware(Files(packages=[(package, "files")])), name=package)
    app.mount("/static", GZipMiddleware(Files(directory=STATIC)), name="static")


def create_app(settings: Settings, clock: Clock = utc_now) -> FastAPI:
    """Default deny: `gate` runs on every route, and only `deps.PUBLIC` passes it without a person."""
    app = FastAPI(
        title="Avatar Scheduler", openapi_url=None, dependencies=[Depends(gate)], max_body_size=MAX_BODY,
        redirect_slashes=False,
    )  # fmt: skip
    app.state.settings = settings
    app.state.clock = clock
    app.state.previews = Previews(settings.sentences)  # a process of its own, started when the first composer opens
    app.state.desk = verify.Desk()
    icons.drawings()
    app.add_middleware(SecurityHeaders, settings=settings)
    errors.install(app)
    mount_static(app)
    for part in PARTS:
        app.include_router(part.router)
    return app
