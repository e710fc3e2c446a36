"""What people say about a post before it goes out, and what changed since the version before."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from pydantic import Field
from sqlmodel import Session

from avatar_scheduler.db.tables import Comment, Post
from avatar_scheduler.services import comments, comparing
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Who, WriteSession
from avatar_scheduler.web.forms import Signed
from avatar_scheduler.web.incidents import around
from avatar_scheduler.web.templating import page

router = APIRouter()

SECOND = 1000
Number = Annotated[int, Path(ge=1, le=10_000)]
FramePlace = Annotated[int, Path(ge=0, le=len(comparing.FRAMES))]
FRAME_HEADERS = {"Cache-Control": "private, no-cache", "Content-Security-Policy": "default-src 'none'; sandbox"}


class Place(Signed):
    back: Literal["post", "review"] = "post"
    """Where the form stood."""


class NewComment(Place):
    words: str = Field(default="", max_length=20_000)
    audience: Literal["internal", "client"]
    at: Annotated[str, Field(pattern=r"^(\d{1,3}:[0-5]\d)?$")] = ""
    """Minutes and seconds of the film; empty when nothing is pinned."""
    quote: str = Field(default="", max_length=2_000)


CommentForm = Annotated[NewComment, Form()]
PlaceForm = Annotated[Place, Form()]


@router.post("/posts/{post_id}/comments")
def write(post_id: str, form: CommentForm, session: WriteSession, who: Who, now: Now) -> RedirectResponse:
    at_ms = milliseconds(form.at)
    return _back(
        session, form, comments.write(session, who, post_id, form.words, form.audience, at_ms, form.quote, now)
    )


@router.post("/comments/{comment_id}/resolution")
def settle(comment_id: str, form: PlaceForm, session: WriteSession, who: Who, now: Now) -> RedirectResponse:
    return _back(session, form, comments.settle(session, who, comment_id, now))


@router.post("/comments/{comment_id}/reopening")
def reopen(comment_id: str, form: PlaceForm, session: WriteSession, who: Who, now: Now) -> RedirectResponse:
    return _back(session, form, comments.reopen(session, who, comment_id, now))


@router.post("/comments/{comment_id}/deletion")
def delete(comment_id: str, form: PlaceForm, session: WriteSession, who: Who, now: Now) -> RedirectResponse:
    return _back(session, form, comments.delete(session, who, comment_id, now))


def milliseconds(clock: str) -> int | None:
    """Of "1:05"."""
    minutes, _, seconds = clock.partition(":")
    return (int(minutes) * 60 + int(seconds)) * SECOND if clock else None


def _back(session: Session, form: Place, row: Comment) -> RedirectResponse:
    version_id = session.get_one(Post, row.post_id).version_id
    where = f"/review/{version_id}" if form.back == "review" and version_id else f"/posts/{row.post_id}"
    return RedirectResponse(f"{where}#comments", 303)


@router.get("/posts/{post_id}/versions/{number}")
def compared(
    request: Request, post_id: str, number: Number, session: ReadSession, settings: SettingsDep, who: Who, now: Now
) -> Response:
    found = comparing.compare(session, settings, who, post_id, number)
    return page(request, "versions.html", found=found, **around(session, who, now))


@router.get("/posts/{post_id}/versions/{number}/frames/{place}")
def frame(
    post_id: str, number: Number, place: FramePlace, session: ReadSession, settings: SettingsDep, who: Who
) -> FileResponse:
    path = comparing.frame(session, settings, who, post_id, number, place)
    return FileResponse(path, media_type="image/jpeg", headers=FRAME_HEADERS)
