"""The list of posts and the page of one: how far it is, what happened, where it went."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from avatar_scheduler.i18n import translations
from avatar_scheduler.services import pages
from avatar_scheduler.web.deps import Now, ReadSession, Who
from avatar_scheduler.web.templating import language_of, page

router = APIRouter()

MOVING = frozenset({"rendering", "checking"})
"""Machine states: the page asks again until they are over."""


@router.get("/posts")
def listing(request: Request, session: ReadSession, who: Who, now: Now) -> Response:
    rows = pages.listing(session, who, now)
    waiting = len(pages.waiting(session, who, now))
    return page(request, "posts.html", rows=rows, moving=MOVING, waiting=waiting)


@router.get("/posts/{post_id}")
def one(request: Request, post_id: str, session: ReadSession, who: Who, now: Now) -> Response:
    post = pages.post_page(session, who, post_id)
    waiting = len(pages.waiting(session, who, now))
    zone = post.targets[0].zone if post.targets else "UTC"
    return page(request, "post.html", post=post, moving=post.progress.state in MOVING, waiting=waiting, zone=zone)


@router.get("/posts/{post_id}/progress")
def progress(request: Request, post_id: str, session: ReadSession, who: Who) -> JSONResponse:
    row = pages.progress(session, who, post_id)
    step = translations(language_of(request)).gettext(row.step) if row.step else ""
    moving = row.state in MOVING
    return JSONResponse({"state": row.state, "percent": row.percent, "step": step, "moving": moving})
