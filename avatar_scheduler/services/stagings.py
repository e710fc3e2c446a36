"""How a post is staged, held against what there is: the creator's avatars, uploads, voices, scenes, formats."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Avatar, Creator, Post
from avatar_scheduler.domain import staging
from avatar_scheduler.domain.errors import Invalid, NotFound
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.services import orders
from avatar_scheduler.studio.job import avatars as built_in

FORMS = ("video", "stills")


def text(values: Mapping[str, Any], form: str) -> str:
    """Checked, and always the same text for the same settings. What was set to None is as if never set."""
    given = {name: value for name, value in values.items() if value is not None}
    return dumps(staging.read({"format": staging.OWN_FORMAT[form], **given}).as_dict()) if given else "{}"


def changed(before: str, change: Mapping[str, Any], form: str) -> str:
    """The settings named in `change` replace their own; None takes one back to what it is by itself."""
    return text({**json.loads(before), **change}, form)


def dumps(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def form(name: str) -> str:
    if name not in FORMS:
        raise Invalid(f"There is no form “{name}”. Use one of: {', '.join(FORMS)}.", code="form")
    return name


def avatars(session: Session, creator: Creator) -> list[Avatar]:
    """The first made comes first: it is the one meant when none is named."""
    query = select(Avatar).where(Avatar.creator_id == creator.id)
    return list(session.exec(query.order_by(col(Avatar.created_at), col(Avatar.id))))


def avatar(session: Session, creator: Creator, name: str = "") -> Avatar:
    """By its name or its look, however it is spelled."""
    known = avatars(session, creator)
    if not known:
        raise NotFound(f"{creator.name} has no avatar yet. Run: avatar-scheduler creator add", code="no_avatar")
    wanted = name.strip().casefold()
    found = [a for a in known if wanted in ("", a.name.casefold(), a.pack.casefold(), a.id)]
    if not found:
        have = ", ".join(_each_once(a.name for a in known))
        told = f"{creator.name} has no avatar “{name}”. There are: {have}."
        if wanted in built_in():
            make = f"avatar-scheduler avatar add --name {wanted.title()} --look {wanted} --creator {creator.slug}"
            told += f" To make one with this look: {make}"
        raise NotFound(told, code="unknown_avatar")
    return found[0]


def _each_once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def check(session: Session, settings: Settings, post: Post, now: datetime) -> Order:
    """The order as a render would get it. Raises Invalid for what could not be rendered, before anything is spent."""
    order = orders.order_of(session, settings, post, now)
    orders.check(order)
    return order
