"""The list of posts and the page of one: how far it is, what happened, where it went."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from avatar_scheduler.i18n import translations
from avatar_scheduler.services import comments, pages
from avatar_scheduler.services.cards import PostPage
from avatar_scheduler.services.incidents import Notice
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import DECIDE
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Who
from avatar_scheduler.web.incidents import around
from avatar_scheduler.web.templating import language_of, page

router = APIRouter()

MOVING = frozenset({"rendering", "checking"})
"""Machine states: the page asks again until they are over."""


@router.get("/posts")
def listing(request: Request, session: ReadSession, who: Who, now: Now) -> Response:
    rows = pages.listing(session, who, now)
    return page(request, "posts.html", rows=rows, moving=MOVING, **around(session, who, now))


@router.get("/posts/{post_id}")
def one(request: Request, post_id: str, session: ReadSession, settings: SettingsDep, who: Who, now: Now) -> Response:
    found = around(session, who, now)
    shown = view(pages.post_page(session, settings, who, post_id, now), who, **found)
    return page(request, "post.html", comments=comments.of_post(session, who, post_id), **shown)


def view(post: PostPage, who: Person, *, waiting: int, incidents: Sequence[Notice]) -> dict[str, Any]:
    """Its own incidents stand on the page in full, so only those of other posts need the banner."""
    mine = [row for row in incidents if row.post_id == post.progress.post_id]
    return {
        "post": post,
        "moving": post.progress.state in MOVING,
        "zone": post.targets[0].zone if post.targets else "UTC",
        "troubles": mine,
        "can_decide": who.role in DECIDE,
        "waiting": waiting,
        "incidents": [row for row in incidents if row not in mine],
    }


@router.get("/posts/{post_id}/progress")
def progress(request: Request, post_id: str, session: ReadSession, who: Who) -> JSONResponse:
    row = pages.progress(session, who, post_id)
    step = translations(language_of(request)).gettext(row.step) if row.step else ""
    moving = row.state in MOVING
    return JSONResponse({"state": row.state, "percent": row.percent, "step": step, "moving": moving})
