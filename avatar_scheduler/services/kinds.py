"""Core or secondary, judged over everything the audience gets of a post."""

import re
from collections.abc import Mapping
from dataclasses import replace

from sqlmodel import Session, col, select

from avatar_scheduler.db.tables import Creator, Member, Post
from avatar_scheduler.domain.interaction import Judged, Reason, classify
from avatar_scheduler.rules.interacting import lexicons

MOST_NAMES = 5_000
_CUE = re.compile(r"\[[a-z][^\]\n]*\]")


def judge(session: Session, post: Post) -> Judged:
    """Over title, script and caption. What slides say to those who cannot see them stands in the script."""
    texts = {"title": post.title, "script": post.script, "caption": post.caption}
    creator = session.get_one(Creator, post.creator_id)
    return judge_texts(session, creator, post.kind, post.sponsored, texts, post.language)


def judge_texts(
    session: Session, creator: Creator, kind: str, sponsored: str, texts: Mapping[str, str], language: str
) -> Judged:
    """`texts` by field. The creator may be named: it is their own avatar that speaks."""
    spoken = {field: without_cues(text) for field, text in texts.items()}
    known = _names(session, creator)
    return classify(kind, sponsored, spoken, language, known, own=(creator.name, creator.slug), lexicons=lexicons())


def hints(
    session: Session, creator: Creator, sponsored: str, typed: Mapping[str, str], spoken: str, language: str
) -> list[Reason]:
    """What would make it core whatever kind it is: on the words as they were typed, and what only shows once spoken.

    The latter has no field.
    """
    language = language or creator.language
    found = judge_texts(session, creator, "", sponsored, typed, language).reasons
    heard = judge_texts(session, creator, "", sponsored, {"": spoken}, language).reasons
    known = {reason.what for reason in found}
    return [*found, *(replace(reason, words="") for reason in heard if reason.what not in known)]


def without_cues(text: str) -> str:
    """Directions such as [smile] are never spoken; blanks stand in their place, so that every place stays."""
    return _CUE.sub(lambda cue: " " * len(cue[0]), text)


def because(judged: Judged) -> list[list[str]]:
    """As a manifest keeps it: what, in which field, the words."""
    return [[reason.what, reason.field, reason.words] for reason in judged.reasons]


def _names(session: Session, creator: Creator) -> list[str]:
    mine = creator.organization_id
    members = select(Member.name).where(Member.organization_id == mine, Member.id != creator.member_id)
    others = select(Creator.name).where(Creator.organization_id == mine, Creator.id != creator.id)
    rows = [members.order_by(col(Member.name)), others.order_by(col(Creator.name))]
    return [name for query in rows for name in session.exec(query.limit(MOST_NAMES))]
