"""The composer's form: as it was sent, as an empty one begins, as a post that is there fills it."""

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from pydantic import ValidationError
from sqlmodel import Session
from starlette.datastructures import FormData

from avatar_scheduler.db.tables import Channel, Creator, Post
from avatar_scheduler.domain import staging
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.scripts import starters
from avatar_scheduler.services import composing
from avatar_scheduler.services.composing import Problem
from avatar_scheduler.services.posts import NewPost
from avatar_scheduler.web.forms import Composed

LATER = timedelta(hours=1)
"""The time a new post begins with: enough to render it and to look at it."""


_HEAD = re.compile(r"\s*\{#.*?#\}[ \t]*\n?", re.DOTALL)


@dataclass(frozen=True)
class Written:
    """The form as it was sent."""

    fields: Composed
    values: dict[str, str]
    """Of the script's variables."""

    @property
    def head(self) -> str:
        return f"{self.fields.head.strip()}\n" if self.fields.head.strip() else ""

    @property
    def script(self) -> str:
        return self.head + self.fields.template

    def placed(self, problem: Problem) -> Problem:
        """Lines are counted in the field a person sees."""
        above = self.head.count("\n")
        if not problem.line or not above:
            return problem
        if problem.line <= above:
            return replace(problem, field="head")
        line = problem.line - above
        message = problem.message.replace(f"Line {problem.line}", f"Line {line}", 1)
        return replace(problem, line=line, message=message)


def halves(script: str) -> dict[str, str]:
    """A script as the form shows it: what it says of itself, and its words."""
    found = _HEAD.match(script)
    end = found.end() if found else 0
    return {"head": script[:end].strip(), "template": script[end:]}


async def written(request: Request) -> Written:
    """Variables are whatever the script names; every other field must be one of ours."""
    sent: FormData = await request.form()
    values = {name[4:]: str(value) for name, value in sent.items() if name.startswith("var.")}
    plain: dict[str, Any] = {name: value for name, value in sent.items() if not name.startswith("var.")}
    plain["channels"] = sent.getlist("channels")
    try:
        return Written(Composed.model_validate(plain), values)
    except ValidationError as error:
        fields = ", ".join(sorted({str(problem["loc"][0]) for problem in error.errors()}))
        raise Invalid(f"Check: {fields}.", code="invalid") from None


WrittenForm = Annotated[Written, Depends(written)]


def new_post(session: Session, form: Written, creator: Creator) -> NewPost:
    fields = form.fields
    staged = composing.staged(
        format_=fields.format,
        place=fields.place,
        background=fields.background,
        voice=fields.voice,
        captions=fields.captions,
        found=composing.materials(session, creator, form.script),
    )
    return NewPost(
        creator=creator.slug,
        title=fields.title,
        kind=fields.kind,
        template=form.script,
        variables={name: value for name, value in form.values.items() if value.strip()},
        caption=fields.caption,
        language=fields.language,
        channels=tuple(fields.channels),
        at=fields.at,
        zone=fields.zone,
        form=fields.form,
        sponsored=fields.sponsored,
        avatar=fields.avatar,
        staging=staged,
    )


def blank(creator: Creator, channels: tuple[str, ...], starter: str, now: datetime) -> Written:
    """What an empty composer holds."""
    chosen = starters.load(starter) if starter else None
    script = chosen.script if chosen else None
    at = (now + LATER).astimezone(ZoneInfo(creator.zone)).strftime("%Y-%m-%dT%H:%M")
    fields = Composed(
        creator=creator.slug,
        title=script.title if script else "",
        kind=script.kind if script else "tip",
        **halves(chosen.source if chosen else ""),
        language=script.language if script else creator.language,
        channels=list(channels[:1]),
        at=at,
        zone=creator.zone,
    )
    return Written(fields, {})


def reopened(session: Session, post: Post) -> Written:
    """A post that is there, as its form."""
    creator, staged = session.get_one(Creator, post.creator_id), staging.read(json.loads(post.staging))
    targets = json.loads(post.targets)
    channels = [session.get_one(Channel, target["channel"]) for target in targets]
    behind = staged.background
    fields = Composed(
        creator=creator.slug,
        avatar=post.avatar_id,
        title=post.title,
        kind=post.kind,
        sponsored=post.sponsored,
        form=post.form,
        **halves(post.template),
        caption=post.caption,
        language=post.language,
        channels=[f"{channel.platform}:{channel.address}" for channel in channels],
        at=targets[0]["local"][:16].replace(" ", "T"),
        zone=targets[0]["zone"],
        format=staged.format,
        place=staged.place,
        background=f"{behind.kind}:{behind.value}" if behind.value else "",
        voice=staged.voice,
        captions=staged.captions,
    )
    return Written(fields, json.loads(post.variables))
