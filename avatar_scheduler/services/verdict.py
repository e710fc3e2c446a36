"""What the rules say of a post while it is written: the marks it will carry, and where it cannot go as it is."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from avatar_scheduler import rules
from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Creator
from avatar_scheduler.domain import slides, slots
from avatar_scheduler.domain.disclosure import SPONSORED, Blocked, Mark, RequiredMark
from avatar_scheduler.domain.errors import SchedulerError
from avatar_scheduler.rules import Texts
from avatar_scheduler.services import disclosing, layers, posts, stagings
from avatar_scheduler.services.cards import Layer
from avatar_scheduler.services.posts import NewPost


@dataclass(frozen=True)
class Stopped:
    """Whatever marks it has."""

    channel: str
    why: Blocked


@dataclass(frozen=True)
class Verdict:
    layers: tuple[Layer, ...]
    stopped: tuple[Stopped, ...]


def texts(new: NewPost, creator: Creator) -> Texts:
    """Raises Invalid for a language or a form nobody wrote words for."""
    sponsored = new.sponsored if new.sponsored in SPONSORED else "no"
    return rules.texts(new.language or creator.language, form=new.form, name=creator.name, sponsored=sponsored)


def judge(session: Session, settings: Settings, new: NewPost, creator: Creator, spoken: str, now: datetime) -> Verdict:
    """From what is known so far: a title nobody wrote yet does not hide what the law asks.

    Raises like `posts.draft` for what has to be known: who pays, in which language, with which avatar, where it goes.
    """
    disclosing.check_sponsored(new.sponsored, new.kind)
    content, audience = _content(session, new, creator, spoken), disclosing.audience_of(session, creator)
    asked: dict[str, list[RequiredMark]] = {}
    stopped: dict[Stopped, None] = {}
    for channel in posts.channels_of(session, creator, new.channels):
        for instant in (now, max(now, _due(new, creator, now))):
            said = disclosing.required_for(settings, content, channel.platform, audience, instant)
            if isinstance(said, Blocked):
                stopped[Stopped(f"{channel.platform}:{channel.address}", said)] = None
            else:
                asked.setdefault(channel.platform, []).extend(said)
    without = [name for name, marks in asked.items() if not disclosing.asks_for(marks, Mark.platform_flag)]
    every = (mark for marks in asked.values() for mark in marks)
    return Verdict(layers.planned(every, texts(new, creator), without), tuple(stopped))


def _content(session: Session, new: NewPost, creator: Creator, spoken: str) -> dict[str, object]:
    """As the manifest will say it."""
    pictures = len(slides.read(spoken)) if new.form == disclosing.STILLS else 0
    return {
        "form": new.form,
        "media": {f"image{number}": {} for number in range(1, pictures + 1)},
        "avatar": {"performer": disclosing.performer_of(session, stagings.avatar(session, creator, new.avatar))},
        "sponsored": new.sponsored,
        "language": new.language or creator.language,
    }


def _due(new: NewPost, creator: Creator, now: datetime) -> datetime:
    try:
        return slots.resolve(new.at, new.zone or creator.zone, now=now).due_at
    except SchedulerError:
        return now  # said where the time stands
