"""The composer: write a post, hear what is wrong while typing, see a draft, send it for review."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from sqlmodel import Session

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.db.tables import Creator, Post
from avatar_scheduler.domain import interaction, staging
from avatar_scheduler.domain.disclosure import SPONSORED
from avatar_scheduler.domain.errors import Invalid, NotFound, Refused, SchedulerError
from avatar_scheduler.renderers.preview import Previews
from avatar_scheduler.scripts import starters
from avatar_scheduler.services import composing, installation, kinds, orders, posts, renders
from avatar_scheduler.services.composing import Checked
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.posts import Edit
from avatar_scheduler.storage import Blobs
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Who, WriteSession
from avatar_scheduler.web.forms import NewTime
from avatar_scheduler.web.incidents import around
from avatar_scheduler.web.templating import language_of, page, render
from avatar_scheduler.web.written import Written, WrittenForm, blank, new_post, reopened

router = APIRouter()

OK = 200
OPTIONS = {
    "secondary": tuple(sorted(interaction.SECONDARY)),
    "core": tuple(sorted(interaction.CORE)),
    "sponsored": SPONSORED,
    "formats": tuple(staging.FORMATS),
    "places": staging.PLACES,
    "captions": staging.CAPTION_STYLES,
}


def previews(request: Request) -> Previews:
    found: Previews = request.app.state.previews
    return found


PreviewsDep = Annotated[Previews, Depends(previews)]


def context(session: Session, settings: Settings, who: Person, form: Written, now: datetime) -> dict[str, Any]:
    creator = installation.creator_by_slug(session, who, form.fields.creator)
    looked = composing.look_over(session, settings, who, new_post(session, form, creator), creator, now)
    looked = replace(looked, problems=tuple(form.placed(problem) for problem in looked.problems))
    typed = {name: text.replace("\r\n", "\n") for name, text in _typed(form).items()}
    return {
        "form": form.fields,
        "values": form.values,
        "hints": kinds.hints(session, creator, form.fields.sponsored, typed, looked.spoken, form.fields.language),
        "creator": creator,
        "check": looked,
        "core": interaction.is_core(form.fields.kind, form.fields.sponsored),
    }


def _typed(form: Written) -> dict[str, str]:
    """By the form's own names, as problems are."""
    fields = form.fields
    values = {f"var.{name}": value for name, value in form.values.items()}
    return {"title": fields.title, "template": fields.template, "caption": fields.caption, **values}


def show(
    request: Request, session: Session, settings: Settings, who: Person, form: Written, now: datetime, *,
    post_id: str = "", status: int = 200,
) -> Response:  # fmt: skip
    """What is wrong is listed only once somebody tried to send it."""
    found = context(session, settings, who, form, now)
    return page(
        request,
        "compose.html",
        status=status,
        post_id=post_id,
        sent=status != OK,
        choices=composing.choices(session, who, found["creator"]),
        starters=starters.starters(),
        options=OPTIONS,
        **around(session, who, now),
        **found,
    )


@router.get("/compose")
def empty(
    request: Request,
    session: ReadSession,
    settings: SettingsDep,
    who: Who,
    now: Now,
    warm: PreviewsDep,
    creator: str = "",
    starter: str = "",
) -> Response:
    row = installation.creator_by_slug(session, who, creator)
    form = blank(row, composing.choices(session, who, row).channels, starter, now)
    answer = show(request, session, settings, who, form, now)
    warm.warm(form.fields.language)
    return answer


@router.get("/posts/{post_id}/compose")
def again(
    request: Request, post_id: str, session: ReadSession, settings: SettingsDep, who: Who, now: Now, warm: PreviewsDep
) -> Response:
    post = posts.get(session, who, post_id)
    answer = show(request, session, settings, who, reopened(session, post), now, post_id=post.id)
    warm.warm(post.language)
    return answer


@router.post("/compose")
def send(request: Request, form: WrittenForm, settings: SettingsDep, who: Who, now: Now) -> Response:
    """What cannot be sent comes back as it was typed, with what is wrong beside it."""
    try:
        with write_scope(settings) as session:
            creator = installation.creator_by_slug(session, who, form.fields.creator)
            post = posts.make(session, settings, who, new_post(session, form, creator), creator, now)
            renders.submit(session, settings, who, post, now)
            post_id = post.id
    except (Invalid, NotFound, Refused) as error:
        return _sent_back(request, settings, who, form, now, error)
    return RedirectResponse(f"/posts/{post_id}", 303)


@router.post("/posts/{post_id}/compose")
def change(request: Request, post_id: str, form: WrittenForm, settings: SettingsDep, who: Who, now: Now) -> Response:
    try:
        with write_scope(settings) as session:
            post = posts.get(session, who, post_id)
            posts.edit(session, settings, who, post.id, _edit(session, post, form), now)
            renders.submit(session, settings, who, post, now)
            post_id = post.id
    except (Invalid, NotFound, Refused) as error:
        return _sent_back(request, settings, who, form, now, error, post_id)
    return RedirectResponse(f"/posts/{post_id}", 303)


def _sent_back(
    request: Request, settings: Settings, who: Person, form: Written, now: datetime, error: SchedulerError,
    post_id: str = "",
) -> Response:  # fmt: skip
    with read_scope(settings) as session:
        found = context(session, settings, who, form, now)
        if not found["check"].problems:
            raise error  # not about anything in the form
        return show(request, session, settings, who, form, now, post_id=post_id, status=422)


def _edit(session: Session, post: Post, form: Written) -> Edit:
    """Creator, kind, language and channels stay what they are: another of these is another post."""
    new = new_post(session, form, session.get_one(Creator, post.creator_id))
    before = json.loads(post.staging).get("materials", {})
    found = {**before, **(new.staging["materials"] or {})}
    return Edit(
        title=new.title,
        template=new.template,
        variables=new.variables,
        caption=new.caption,
        at=new.at,
        zone=new.zone,
        form=new.form,
        sponsored=new.sponsored,
        avatar=new.avatar,
        staging={**new.staging, "materials": found or None},
    )


@router.post("/posts/{post_id}/time")
def move(
    post_id: str, form: Annotated[NewTime, Form()], session: WriteSession, settings: SettingsDep, who: Who, now: Now
) -> Response:
    post = posts.edit(session, settings, who, post_id, Edit(at=form.at, zone=form.zone), now)
    renders.submit(session, settings, who, post, now)
    return RedirectResponse(f"/posts/{post.id}", 303)


@router.post("/compose/check")
def check(
    request: Request, form: WrittenForm, session: ReadSession, settings: SettingsDep, who: Who, now: Now
) -> JSONResponse:
    """For the page's script: what is wrong, how long it is, what counts where, as ready fragments."""
    found = context(session, settings, who, form, now)
    language = language_of(request)
    looked: Checked = found["check"]
    return JSONResponse(
        {
            "problems": len(looked.problems),
            "fields": sorted({problem.field for problem in looked.problems}),
            "variables": [variable.name for variable in looked.script.variables],
            "parts": {
                name: render(f"_compose_{name}.html", language, sent=True, **found)
                for name in ("hints", "numbers", "inputs", "counters", "asks", "lines", "marks")
            },
        }
    )


@router.post("/compose/preview")
def begin(
    form: WrittenForm, session: ReadSession, settings: SettingsDep, who: Who, now: Now, warm: PreviewsDep
) -> JSONResponse:
    creator = installation.creator_by_slug(session, who, form.fields.creator)
    order = composing.preview_order(session, settings, who, new_post(session, form, creator), creator, now)
    blobs = Blobs(settings.blobs)
    preview_id = warm.make(who.member_id, order, lambda folder: orders.bring(order, blobs, folder))
    return JSONResponse({"url": f"/compose/preview/{preview_id}"})


@router.get("/compose/preview/{preview_id}")
def watch(preview_id: str, who: Who, warm: PreviewsDep) -> StreamingResponse:
    """The draft as it is drawn. Nothing of it is kept, here or in the browser."""
    return StreamingResponse(warm.stream(who.member_id, preview_id), media_type="video/mp4")
