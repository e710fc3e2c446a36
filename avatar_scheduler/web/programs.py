"""JSON for programs and agents with a key: drafts and holds, never a decision. And the page where keys are made."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form, Header, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import Field
from sqlmodel import Session, col, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Creator
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.version import sha256
from avatar_scheduler.services import api_keys, holds, installation, pages, posts, renders
from avatar_scheduler.services.cards import Progress
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.posts import Edit, NewPost
from avatar_scheduler.services.roles import own
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Who, WriteSession
from avatar_scheduler.web.forms import Signed, Strict
from avatar_scheduler.web.incidents import around
from avatar_scheduler.web.templating import page

router = APIRouter()
Short = Annotated[str, Field(max_length=120)]
OnceKey = Annotated[str | None, Header(max_length=120)]


class Draft(Strict):
    creator: Annotated[str, Field(min_length=1, max_length=64)]
    title: Short
    kind: Annotated[str, Field(max_length=40)]
    template: str = Field(max_length=40_000)
    variables: dict[Short, Annotated[str, Field(max_length=2000)]] = Field(default_factory=dict, max_length=100)
    caption: str = Field(default="", max_length=10_000)
    language: str = Field(default="", max_length=20)
    channels: list[Short] = Field(default=["own_feed"], max_length=20)
    at: str = Field(max_length=40)
    zone: str = Field(default="", max_length=64)
    form: str = Field(default="video", max_length=20)
    sponsored: str = Field(default="no", max_length=10)
    avatar: str = Field(default="", max_length=64)


class Changed(Strict):
    title: str | None = Field(default=None, max_length=120)
    template: str | None = Field(default=None, max_length=40_000)
    variables: dict[Short, Annotated[str, Field(max_length=2000)]] | None = Field(default=None, max_length=100)
    caption: str | None = Field(default=None, max_length=10_000)
    at: str | None = Field(default=None, max_length=40)
    zone: str | None = Field(default=None, max_length=64)
    sponsored: str | None = Field(default=None, max_length=10)


class Stop(Strict):
    creator: Short = ""
    """Empty: everything of the organization."""
    reason: str = Field(min_length=1, max_length=200)


class NewKey(Signed):
    name: str = Field(max_length=api_keys.MOST_NAME)
    days: int = Field(ge=1, le=api_keys.LONGEST)
    creators: list[Short] = Field(default_factory=list, max_length=200)


@router.get("/api/posts")
def listing(session: ReadSession, who: Who, now: Now) -> JSONResponse:
    return JSONResponse([_told(row) for row in pages.listing(session, who, now)])


def _told(row: Progress) -> dict[str, Any]:
    return {
        "id": row.post_id, "title": row.title, "state": row.state, "percent": row.percent, "reason": row.reason,
        "version": row.version_id,
    }  # fmt: skip


@router.post("/api/posts")
def draft(
    body: Draft, session: WriteSession, settings: SettingsDep, who: Who, now: Now, idempotency_key: OnceKey = None
) -> JSONResponse:
    """The same key with the same body answers like the first time; with another body it is refused."""
    if idempotency_key and (made := _made_before(session, who, idempotency_key, body)):
        return JSONResponse(_told(pages.progress(session, who, made)), 200)
    creator = installation.creator_by_slug(session, who, body.creator)
    own(who, creator)
    new = NewPost(**{**body.model_dump(), "channels": tuple(body.channels)})
    post = posts.make(session, settings, who, new, creator, now)
    if idempotency_key:
        audits.append(
            session, at=now, organization=who.organization_id, actor=who.member_id, action="key.drafted",
            noun="request", noun_id=_request(who, idempotency_key), data={"post": post.id, "body": _body(body)},
        )  # fmt: skip
    return JSONResponse(_told(pages.progress(session, who, post.id)), 201)


def _request(who: Person, key: str) -> str:
    return sha256(f"{who.member_id}\n{key}")[:32]


def _body(body: Draft) -> str:
    return sha256(body.model_dump_json())


def _made_before(session: Session, who: Person, key: str, body: Draft) -> str:
    said = audits.said(session, "request", _request(who, key))
    if said and said["body"] != _body(body):
        raise Invalid("This Idempotency-Key was used with another body. Use a new one.", code="idempotency")
    return said.get("post", "")


@router.get("/api/posts/{post_id}")
def one(post_id: str, session: ReadSession, who: Who) -> JSONResponse:
    return JSONResponse(_told(pages.progress(session, who, post_id)))


@router.patch("/api/posts/{post_id}")
def change(
    post_id: str, body: Changed, session: WriteSession, settings: SettingsDep, who: Who, now: Now
) -> JSONResponse:
    post = posts.edit(session, settings, who, post_id, Edit(**body.model_dump()), now)
    return JSONResponse(_told(pages.progress(session, who, post.id)))


@router.post("/api/posts/{post_id}/submission")
def submit(post_id: str, session: WriteSession, settings: SettingsDep, who: Who, now: Now) -> JSONResponse:
    post = posts.get(session, who, post_id)
    renders.submit(session, settings, who, post, now)
    return JSONResponse(_told(pages.progress(session, who, post.id)), 202)


@router.post("/api/holds")
def stop(body: Stop, session: WriteSession, who: Who, now: Now) -> JSONResponse:
    target = installation.creator_by_slug(session, who, body.creator).id if body.creator else ""
    hold = holds.put(session, who, "creator" if target else "organization", target, body.reason, now)
    return JSONResponse({"id": hold.id, "since": hold.since.isoformat()}, 201)


@router.get("/people/keys")
def keys(request: Request, session: ReadSession, who: Who, now: Now) -> Response:
    return _keys(request, session, who, now, "")


def _keys(request: Request, session: Session, who: Person, now: Now, made: str) -> Response:
    query = select(Creator).where(Creator.organization_id == who.organization_id).order_by(col(Creator.name))
    creators = list(session.exec(query))
    names = {creator.id: creator.name for creator in creators}
    rows = [(row, [names[one] for one in json.loads(row.creator_ids) if one in names])
            for row in api_keys.listing(session, who)]  # fmt: skip
    found = around(session, who, now)
    return page(request, "keys.html", rows=rows, creators=creators, made=made, usual=api_keys.USUAL, **found)


@router.post("/people/keys")
def make_key(request: Request, form: Annotated[NewKey, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    """Shown once, on the answer itself."""
    _, token = api_keys.make(session, who, form.name, tuple(form.creators), form.days, now)
    return _keys(request, session, who, now, token)


@router.post("/people/keys/{key_id}/revocation")
def revoke_key(key_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    api_keys.revoke(session, who, key_id, now)
    return RedirectResponse("/people/keys", 303)
