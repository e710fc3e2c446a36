"""The composer: what can be chosen, what is wrong so far, and the order a preview is drawn from. Stores nothing."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from sqlmodel import Session, col, select

from avatar_scheduler import rules
from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Avatar, Channel, Creator, Upload
from avatar_scheduler.domain import slots
from avatar_scheduler.domain.disclosure import SPONSORED
from avatar_scheduler.domain.errors import Invalid, SchedulerError
from avatar_scheduler.domain.interaction import check_kind
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.rules import graphemes
from avatar_scheduler.rules.platforms import platforms
from avatar_scheduler.rules.renderers import BUILTIN
from avatar_scheduler.scripts import source
from avatar_scheduler.scripts.render import preview as with_examples
from avatar_scheduler.scripts.render import render as render_script
from avatar_scheduler.scripts.source import Script
from avatar_scheduler.services import disclosing, orders, posts, stagings, verdict
from avatar_scheduler.services.cards import Layer
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.posts import NewPost
from avatar_scheduler.services.roles import WRITE, own, require
from avatar_scheduler.services.verdict import Stopped, Verdict
from avatar_scheduler.studio import job as jobs
from avatar_scheduler.studio import voices

_PLACE = re.compile(r"Line (\d+)(?:, column (\d+))?:")
_VARIABLE = re.compile(r"(?:There is no variable )?'(\w+)'")
_SHOWN = re.compile(r"\[(?:show|clip) ([a-z0-9][a-z0-9_-]*)")
PICTURES = {"image": "image", "photo": "image", "clip": "video"}
"""Kinds of upload that can be a background, and what it then is."""
T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    field: str
    """The form's own name of it; empty for the post as a whole."""
    message: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class Counter:
    channel: str
    count: int
    most: int
    """0 when the platform has no limit we know."""

    @property
    def state(self) -> str:
        if not self.most or self.count * 100 < self.most * 95:
            return "fits"
        return "over" if self.count > self.most else "near"


@dataclass(frozen=True)
class Checked:
    problems: tuple[Problem, ...]
    script: Script
    spoken: str
    """With examples where values are missing; empty when the script cannot be read."""
    seconds: int
    lines: tuple[str, ...]
    """The lines that disclose, in every caption whatever anybody types."""
    layers: tuple[Layer, ...]
    """What its channels, its audience and the laws ask for, as far as known; empty while there is nothing to judge."""
    stopped: tuple[Stopped, ...]
    counters: tuple[Counter, ...]

    def of(self, field: str) -> list[Problem]:
        return [problem for problem in self.problems if problem.field == field]


@dataclass(frozen=True)
class Choices:
    creators: tuple[Creator, ...]
    avatars: tuple[Avatar, ...]
    channels: tuple[str, ...]
    scenes: tuple[str, ...]
    uploads: tuple[tuple[str, str], ...]
    """Background kind and name."""
    voices: tuple[voices.Voice, ...]
    languages: tuple[str, ...]


def choices(session: Session, who: Person, creator: Creator) -> Choices:
    require(who, WRITE, "write posts")
    own(who, creator)
    creators = select(Creator).where(Creator.organization_id == who.organization_id).order_by(col(Creator.created_at))
    channels = select(Channel).where(Channel.creator_id == creator.id, col(Channel.disabled_at).is_(None))
    return Choices(
        creators=tuple(session.exec(creators)),
        avatars=tuple(stagings.avatars(session, creator)),
        channels=tuple(f"{channel.platform}:{channel.address}" for channel in session.exec(channels)),
        scenes=tuple(jobs.scenes()),
        uploads=tuple((PICTURES[u.kind], u.name) for u in uploads(session, creator) if u.kind in PICTURES),
        voices=tuple(v for v in voices.every() if not all(voices.missing(v, lang) for lang in v.languages)),
        languages=tuple(lang for lang in voices.languages() if lang in rules.languages()),
    )


def uploads(session: Session, creator: Creator) -> list[Upload]:
    return list(session.exec(select(Upload).where(Upload.creator_id == creator.id).order_by(col(Upload.name))))


def materials(session: Session, creator: Creator, template: str) -> dict[str, str]:
    """Uploads a cue names by their own name: nobody has to list them a second time."""
    named = set(_SHOWN.findall(template))
    return {upload.name: upload.name for upload in uploads(session, creator) if upload.name in named}


def look_over(
    session: Session, settings: Settings, who: Person, new: NewPost, creator: Creator, now: datetime
) -> Checked:
    """Everything that is wrong at once, each with the field it stands in."""
    require(who, WRITE, "write posts")
    own(who, creator)
    problems: list[Problem] = []
    script, spoken = _script(new, problems)
    parts: tuple[tuple[str, Callable[[], object]], ...] = (
        ("title", lambda: posts.title_of(new.title)),
        ("kind", lambda: check_kind(new.kind)),
        ("sponsored", lambda: disclosing.check_sponsored(new.sponsored, new.kind)),
        ("caption", lambda: posts.caption_of(new.caption)),
        ("channels", lambda: posts.channels_of(session, creator, new.channels)),
        ("at", lambda: slots.resolve(new.at, new.zone or creator.zone, now=now)),
        ("avatar", lambda: stagings.avatar(session, creator, new.avatar)),
        ("staging", lambda: stagings.text(new.staging, stagings.form(new.form))),
    )
    for field, part in parts:
        _try(problems, field, part)
    texts = _try([], "", lambda: verdict.texts(new, creator))
    judged = _try([], "", lambda: verdict.judge(session, settings, new, creator, spoken, now)) or Verdict((), ())
    problems += [
        Problem("channels", f"{stop.channel}: {stop.why.reason} ({stop.why.rule}) {stop.why.way_out}")
        for stop in judged.stopped
    ]
    if not problems:
        # What only shows when everything is together: consent, voices, cues, and the uploads they name.
        _try(problems, "", lambda: posts.draft(session, settings, who, new, creator, now))
    lines = (texts.caption_line, texts.sponsor_line) if texts else ()
    return Checked(
        problems=tuple(problems),
        script=script,
        spoken=spoken,
        seconds=round(jobs.estimate_seconds(spoken)) if spoken else 0,
        lines=tuple(line for line in lines if line),
        layers=judged.layers,
        stopped=judged.stopped,
        counters=tuple(_counters(new, "\n".join(line for line in lines if line))),
    )


def _script(new: NewPost, problems: list[Problem]) -> tuple[Script, str]:
    script = _try(problems, "template", lambda: source.parse(new.template))
    if script is None:
        return Script("", "", "", (), ""), ""
    spoken = _try(problems, "template", lambda: render_script(new.template, new.variables))
    if spoken is None:
        spoken = _try([], "", lambda: with_examples(new.template, new.variables))
    elif not spoken.strip():
        problems.append(Problem("template", "The script is empty. Write at least one word to speak."))
    return script, spoken or ""


def _try(problems: list[Problem], field: str, part: Callable[[], T]) -> T | None:
    try:
        return part()
    except SchedulerError as error:
        place = _PLACE.match(error.message)
        if error.code == "script_value" and (variable := _VARIABLE.match(error.message)):
            field = f"var.{variable[1]}"
        line, column = (int(place[1]), int(place[2] or 0)) if place else (0, 0)
        problems.append(Problem(field, error.message, line, column))
        return None


def _counters(new: NewPost, line: str) -> Iterator[Counter]:
    """As the platform itself counts; the disclosure line is part of what is sent, so it counts."""
    count = graphemes.count(f"{line}\n\n{new.caption}".strip())
    for channel in new.channels:
        known = platforms().get(channel.partition(":")[0])
        most = known.number("text_graphemes") if known and "text_graphemes" in known.facts else 0
        yield Counter(channel, count, most)


def preview_order(
    session: Session, settings: Settings, who: Person, new: NewPost, creator: Creator, now: datetime
) -> Order:
    """Of the film alone: examples stand where values are missing, and when and where it goes does not matter yet."""
    script = source.parse(new.template)
    examples = {v.name: v.example for v in script.variables if v.required and v.example}
    given = {name: value for name, value in new.variables.items() if value.strip()}
    shown = replace(
        new,
        title="Preview",
        kind="tip",
        sponsored=new.sponsored if new.sponsored in SPONSORED else "no",
        caption="",
        variables={**examples, **given},
        channels=choices(session, who, creator).channels[:1],
        at="+1h",
        zone="",
    )
    draft = posts.draft(session, settings, who, shown, creator, now)
    order = orders.order_of(session, settings, draft, now)
    if order.form != "video":
        raise Invalid("Pictures are drawn when you send it. A draft is for videos.", code="no_draft")
    if order.renderer != BUILTIN:
        raise Invalid(f"This avatar is rendered by {order.renderer}. No draft would look like it.", code="no_draft")
    return order


def staged(
    *, format_: str, place: str, background: str, voice: str, captions: str, found: dict[str, str]
) -> dict[str, object]:
    """The composer's few fields as settings; what is left empty is None, so that it stays as it is by itself."""
    kind, _, value = background.partition(":")
    if kind in ("image", "video"):
        found = {**found, value: value}
    return {
        "format": format_ or None,
        "place": place or None,
        "background": {"kind": kind, "value": value} if kind else None,
        "voice": voice or None,
        "captions": captions or None,
        "materials": found or None,
    }
