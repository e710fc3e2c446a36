"""Writing posts: making, editing, submitting, cancelling. Reading them is in `pages`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits, moves
from avatar_scheduler.db.tables import Channel, Creator, Delivery, Post, Render
from avatar_scheduler.domain import slots
from avatar_scheduler.domain.consent import check
from avatar_scheduler.domain.delivery import IN_FLIGHT, TRANSITIONS, DeliveryState
from avatar_scheduler.domain.errors import Conflict, Invalid, NotFound
from avatar_scheduler.domain.interaction import check_kind
from avatar_scheduler.domain.post import EDITABLE, PostState
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.scripts.render import render as render_script
from avatar_scheduler.services import consents, disclosing, stagings
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import WRITE, own, require

MAX_TITLE = 120
MAX_CAPTION = 2200


@dataclass(frozen=True)
class NewPost:
    creator: str
    title: str
    kind: str
    template: str
    variables: Mapping[str, str] = field(default_factory=dict)
    caption: str = ""
    language: str = ""
    channels: tuple[str, ...] = ("own_feed",)
    at: str = "+2m"
    zone: str = ""
    form: str = "video"
    sponsored: str = "no"
    avatar: str = ""
    """By name; empty means the creator's first."""
    staging: Mapping[str, Any] = field(default_factory=dict)


def make(session: Session, settings: Settings, who: Person, new: NewPost, creator: Creator, now: datetime) -> Post:
    """A draft. Everything that can be wrong is said here, before anything is rendered."""
    post = draft(session, settings, who, new, creator, now)
    session.add(post)
    session.flush()
    said = {"title": post.title, "kind": post.kind, "sponsored": post.sponsored}
    _note(session, post, who, "post.created", now, said)
    return post


def draft(session: Session, settings: Settings, who: Person, new: NewPost, creator: Creator, now: datetime) -> Post:
    """Checked as for `make`, and stored nowhere."""
    require(who, WRITE, "write posts")
    own(who, creator)
    avatar = stagings.avatar(session, creator, new.avatar)
    title, caption = title_of(new.title), caption_of(new.caption)
    slot = slots.resolve(new.at, new.zone or creator.zone, now=now)
    channels = channels_of(session, creator, new.channels)
    post = Post(
        organization_id=who.organization_id,
        creator_id=creator.id,
        avatar_id=avatar.id,
        title=title,
        kind=check_kind(new.kind),
        language=new.language or creator.language,
        template=new.template,
        variables=json.dumps(dict(new.variables), sort_keys=True, ensure_ascii=False),
        script=render_script(new.template, new.variables),
        caption=caption,
        form=stagings.form(new.form),
        sponsored=disclosing.check_sponsored(new.sponsored, new.kind),
        staging=stagings.text(new.staging, new.form),
        targets=json.dumps([_target(channel, slot) for channel in channels]),
        created_by=who.member_id,
        edited_by=who.member_id,
        created_at=now,
        updated_at=now,
    )
    consents.check_post(session, post, now)
    stagings.check(session, settings, post, now)
    return post


def title_of(text: str) -> str:
    if not text.strip() or len(text) > MAX_TITLE:
        raise Invalid(f"A title has 1 to {MAX_TITLE} characters.", code="title")
    return text.strip()


def caption_of(text: str) -> str:
    if len(text) > MAX_CAPTION:
        raise Invalid(f"The caption has {len(text)} characters; {MAX_CAPTION} is the most.", code="caption")
    return text.strip()


def channels_of(session: Session, creator: Creator, names: tuple[str, ...]) -> list[Channel]:
    """Each once: naming one twice would publish twice."""
    if not names:
        raise Invalid("Name at least one channel, such as own_feed.", code="no_channel")
    found = [_channel(session, creator, name) for name in names]
    if len({channel.id for channel in found}) < len(found):
        raise Invalid("The same channel is named twice.", code="channel_twice")
    return found


def _target(channel: Channel, slot: slots.Slot) -> dict[str, str]:
    return {"channel": channel.id, "due_at": slot.due_at.isoformat(), "local": slot.local, "zone": slot.zone}


def _channel(session: Session, creator: Creator, name: str) -> Channel:
    """By platform, or by platform:address where a creator has several."""
    platform, _, address = name.partition(":")
    query = select(Channel).where(Channel.creator_id == creator.id, col(Channel.disabled_at).is_(None))
    channels = list(session.exec(query))
    found = [c for c in channels if c.platform == platform and address in ("", c.address)]
    if not found:
        have = ", ".join(sorted(f"{c.platform}:{c.address}" for c in channels)) or "none"
        raise NotFound(f"{creator.name} has no channel “{name}”. There are: {have}.", code="unknown_channel")
    return found[0]


def get(session: Session, who: Person, post_id: str) -> Post:
    """By id, or by its first characters as the lists print them."""
    query = select(Post).where(Post.organization_id == who.organization_id, col(Post.id).startswith(post_id))
    found = list(session.exec(query.limit(2))) if len(post_id) >= 6 and post_id.isalnum() else []
    if len(found) != 1 or not who.reaches(found[0].creator_id):
        raise NotFound(f"There is no post {post_id[:40]}. See: avatar-scheduler post list", code="unknown_post")
    return found[0]


@dataclass(frozen=True)
class Edit:
    """What to change; None leaves it as it is."""

    title: str | None = None
    template: str | None = None
    variables: Mapping[str, str] | None = None
    caption: str | None = None
    at: str | None = None
    zone: str | None = None
    form: str | None = None
    sponsored: str | None = None
    avatar: str | None = None
    staging: Mapping[str, Any] | None = None
    """Only what is to change; None inside takes a setting back to what it is by itself."""


def edit(session: Session, settings: Settings, who: Person, post_id: str, change: Edit, now: datetime) -> Post:
    """Back to draft. Any approval is void with its version; deliveries that have not left are withdrawn."""
    require(who, WRITE, "edit posts")
    post = get(session, who, post_id)
    if post.state not in EDITABLE:
        raise Conflict(f"This post is {post.state}; it cannot be edited. Make a new one.", code="state")
    if post.state is not PostState.draft:
        back_to_draft(session, post, who.member_id, now)
    values = _changed(post, change, now) | _restaged(session, post, change, now)
    for name, value in values.items():
        setattr(post, name, value)
    if values.keys() & {"script", "staging", "form", "sponsored", "avatar_id"}:
        stagings.check(session, settings, post, now)
    post.edited_by, post.updated_at = who.member_id, now
    said = {"fields": ", ".join(sorted(values)), "sponsored": post.sponsored}
    _note(session, post, who, "post.edited", now, said)
    session.flush()
    return post


def _changed(post: Post, change: Edit, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if change.title is not None:
        values["title"] = title_of(change.title)
    if change.caption is not None:
        values["caption"] = caption_of(change.caption)
    if change.template is not None or change.variables is not None:
        values["template"] = post.template if change.template is None else change.template
        variables = json.loads(post.variables) if change.variables is None else dict(change.variables)
        values["variables"] = json.dumps(variables, sort_keys=True, ensure_ascii=False)
        values["script"] = render_script(values["template"], variables)
    if change.sponsored is not None:
        values["sponsored"] = disclosing.check_sponsored(change.sponsored, post.kind)
    if change.zone is not None and change.at is None:
        raise Invalid("A zone alone moves nothing. Give the time with it: --at.", code="zone_alone")
    if change.at is not None:
        targets = json.loads(post.targets)
        slot = slots.resolve(change.at, change.zone or targets[0]["zone"], now=now)
        times = {"due_at": slot.due_at.isoformat(), "local": slot.local, "zone": slot.zone}
        values["targets"] = json.dumps([{**target, **times} for target in targets])
    return values


def _restaged(session: Session, post: Post, change: Edit, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if change.form is not None:
        values["form"] = stagings.form(change.form)
    if change.staging is not None:
        values["staging"] = stagings.changed(post.staging, change.staging, values.get("form", post.form))
    if change.avatar is not None:
        creator = session.get_one(Creator, post.creator_id)
        avatar = stagings.avatar(session, creator, change.avatar)
        platforms = {session.get_one(Channel, t["channel"]).platform for t in json.loads(post.targets)}
        check(consents.grant_of(session, avatar), creator=creator.name, platforms=frozenset(platforms), at=now)
        values["avatar_id"] = avatar.id
    return values


def back_to_draft(session: Session, post: Post, actor: str, now: datetime) -> None:
    withdraw(session, post, actor, now, "A newer version replaces it.")
    _stop_render(session, post, actor, now)
    moves.move(session, post, PostState.draft, at=now, actor=actor, reason="", version_id="", render_id="")


def withdraw(session: Session, post: Post, actor: str, now: datetime, reason: str) -> None:
    """Takes back what has not left. Raises Conflict while something is on its way out."""
    for delivery in session.exec(select(Delivery).where(Delivery.post_id == post.id)):
        if delivery.state in IN_FLIGHT:
            raise Conflict("It is going out right now. Wait a moment, then look again.", code="in_flight")
        if delivery.state is DeliveryState.published:
            raise Conflict("It is published. What is out cannot be changed; make a new post.", code="published")
        if DeliveryState.withdrawn in TRANSITIONS[delivery.state]:
            moves.move(session, delivery, DeliveryState.withdrawn, at=now, actor=actor, reason=reason)


def _stop_render(session: Session, post: Post, actor: str, now: datetime) -> None:
    render = session.get(Render, post.render_id) if post.render_id else None
    if render is not None and render.state in (RenderState.queued, RenderState.running, RenderState.waiting):
        moves.move(session, render, RenderState.cancelled, at=now, actor=actor, finished_at=now, look_at=None)


def cancel(session: Session, who: Person, post_id: str, now: datetime) -> Post:
    require(who, WRITE, "cancel posts")
    post = get(session, who, post_id)
    withdraw(session, post, who.member_id, now, "The post was cancelled.")
    _stop_render(session, post, who.member_id, now)
    moves.move(session, post, PostState.cancelled, at=now, actor=who.member_id)
    return post


def _note(session: Session, post: Post, who: Person, action: str, now: datetime, data: dict[str, str]) -> None:
    audits.append(
        session,
        at=now,
        organization=post.organization_id,
        actor=who.member_id,
        action=action,
        noun="post",
        noun_id=post.id,
        data=data,
    )
