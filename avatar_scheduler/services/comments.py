"""What people say about a post before it goes out: to each other, or for the client to read as well."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Comment, Member, Post, Version
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound
from avatar_scheduler.domain.folding import Word, words
from avatar_scheduler.services import notices, people, posts
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import AUDIT, COMMENT, require

INTERNAL, SHARED = "internal", "client"
AUDIENCES = (INTERNAL, SHARED)
LONGEST = 2000
LONGEST_QUOTE = 300
MOST = 500
"""Comments of one post."""
MOST_PEOPLE = 5_000


@dataclass(frozen=True)
class Remark:
    id: str
    by: str
    words: str
    """Empty once it was deleted."""
    at_ms: int | None
    quote: str
    quote_there: bool
    """Whether the script still says it."""
    shared: bool
    """The client reads it too."""
    created_at: datetime
    version: int
    """Number of the version it was written about; 0 before there was one."""
    resolved_by: str
    """Empty while it is open."""
    deleted: bool
    mine: bool


@dataclass(frozen=True)
class Thread:
    post_id: str
    version_id: str
    open: tuple[Remark, ...]
    settled: tuple[Remark, ...]
    may_write: bool
    audiences: tuple[str, ...]
    """Those this person may choose from."""
    people: tuple[str, ...]
    """Who can be mentioned."""
    timed: bool
    """There is a film to pin a comment to."""


def of_post(session: Session, who: Person, post_id: str) -> Thread:
    """Oldest first. A client sees what was written for clients, and not that there is anything else."""
    require(who, AUDIT | COMMENT, "read comments")
    post = posts.get(session, who, post_id)
    query = select(Comment).where(Comment.post_id == post.id, Comment.organization_id == who.organization_id)
    if who.role == SHARED:
        query = query.where(Comment.audience == SHARED)
    rows = [_remark(session, who, post, row) for row in session.exec(query.order_by(col(Comment.created_at)))]
    return Thread(
        post.id,
        post.version_id,
        tuple(row for row in rows if not row.resolved_by and not row.deleted),
        tuple(row for row in rows if row.resolved_by or row.deleted),
        who.role in COMMENT,
        (SHARED,) if who.role == SHARED else AUDIENCES,
        tuple(member.name for member in _readers(session, who, post, SHARED)),
        post.form == "video",
    )


def seen_by(session: Session, who: Person, post: Post) -> list[str]:
    """Ids of the comments on a post that this person may know of."""
    query = select(Comment.id).where(Comment.post_id == post.id)
    if who.role == SHARED:
        query = query.where(Comment.audience == SHARED)
    return list(session.exec(query)) if who.role in AUDIT | COMMENT else []


def _remark(session: Session, who: Person, post: Post, row: Comment) -> Remark:
    version = session.get(Version, row.version_id) if row.version_id else None
    return Remark(
        row.id, _name(session, row.by), row.words, row.at_ms, row.quote, _stands(row.quote, post.script),
        row.audience == SHARED, row.created_at, version.number if version else 0,
        _name(session, row.resolved_by) if row.resolved_at else "", row.deleted_at is not None, row.by == who.member_id,
    )  # fmt: skip


def _name(session: Session, member_id: str) -> str:
    member = session.get(Member, member_id)
    return member.name if member else member_id


def write(
    session: Session, who: Person, post_id: str, text: str, audience: str, at_ms: int | None, quote: str, now: datetime
) -> Comment:
    """Raises Invalid for words that are missing or too many, and for a quote the script does not say."""
    require(who, COMMENT, "write comments")
    post = posts.get(session, who, post_id)
    if audience not in AUDIENCES or (who.role == SHARED and audience != SHARED):
        raise Forbidden("You can only write comments the client reads too.", code="audience")
    text, quote = text.strip(), quote.strip()
    if not text or len(text) > LONGEST:
        raise Invalid(f"A comment has 1 to {LONGEST} characters; this one has {len(text)}.", code="comment")
    if len(quote) > LONGEST_QUOTE or not _stands(quote, post.script):
        raise Invalid(f"The script does not say “{quote[:60]}”. Copy the words from it.", code="quote")
    count = select(func.count()).select_from(Comment).where(Comment.post_id == post.id)
    if session.exec(count).one() >= MOST:
        raise Conflict(f"This post has {MOST} comments, which is the most.", code="comments")
    mentioned = [member.id for member in mentions(text, _readers(session, who, post, audience))]
    row = Comment(
        organization_id=post.organization_id, post_id=post.id, version_id=post.version_id, by=who.member_id,
        words=text, at_ms=at_ms, quote=quote, audience=audience, mentions=json.dumps(mentioned), created_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _note(session, row, who, "comment.written", now, {"audience": audience, "length": str(len(text)), "post": post.id})
    notices.mention(session, post, row.id, mentioned, who.member_id, now)
    return row


def _stands(quote: str, script: str) -> bool:
    """Line breaks are no difference: a browser copies them as it likes."""
    return " ".join(quote.split()) in " ".join(script.split())


def mentions(text: str, members: Iterable[Member]) -> list[Member]:
    """Who is meant by @Nadia or @Nadia Brandt. A first name two people share means neither of them."""
    row = words(text)
    names = [(tuple(word.folded for word in words(member.name)), member) for member in members]
    found: dict[str, Member] = {}
    for at, word in enumerate(row):
        if word.folded.startswith("@"):
            found |= {member.id: member for member in _meant(row, at, names)}
    return list(found.values())


def _meant(row: list[Word], at: int, names: list[tuple[tuple[str, ...], Member]]) -> list[Member]:
    said = (row[at].folded.lstrip("@"), *(word.folded for word in row[at + 1 : at + 6]))
    whole = [(len(name), member) for name, member in names if name and said[: len(name)] == name]
    if whole:
        longest = max(length for length, _ in whole)
        found = [member for length, member in whole if length == longest]
    else:
        found = [member for name, member in names if name[:1] == said[:1]]
    return found if len(found) == 1 else []


def _readers(session: Session, who: Person, post: Post, audience: str) -> list[Member]:
    """Members who can read such a comment on this post."""
    query = select(Member).where(Member.organization_id == who.organization_id, col(Member.disabled_at).is_(None))
    found = []
    for member in session.exec(query.order_by(col(Member.name)).limit(MOST_PEOPLE)):
        reach = people.reach_of(session, member)
        reads = audience == SHARED or member.role != SHARED
        if reads and member.role in AUDIT and (reach is None or post.creator_id in reach):
            found.append(member)
    return found


def settle(session: Session, who: Person, comment_id: str, now: datetime) -> Comment:
    """Marks it as dealt with. A second time changes nothing."""
    row = _readable(session, who, comment_id, "settle comments")
    if row.resolved_at is None:
        row.resolved_at, row.resolved_by = now, who.member_id
        _note(session, row, who, "comment.resolved", now, {})
    return row


def reopen(session: Session, who: Person, comment_id: str, now: datetime) -> Comment:
    row = _readable(session, who, comment_id, "reopen comments")
    if row.resolved_at is not None:
        row.resolved_at, row.resolved_by = None, ""
        _note(session, row, who, "comment.reopened", now, {})
    return row


def delete(session: Session, who: Person, comment_id: str, now: datetime) -> Comment:
    """Only one's own. That there was one stays to be seen; what it said does not."""
    row = _readable(session, who, comment_id, "delete comments")
    if row.by != who.member_id:
        raise Forbidden("Only who wrote a comment can delete it. You can settle it.", code="not_yours")
    row.deleted_at, row.words, row.quote, row.mentions = now, "", "", "[]"
    _note(session, row, who, "comment.deleted", now, {})
    return row


def _readable(session: Session, who: Person, comment_id: str, verb: str) -> Comment:
    require(who, COMMENT, verb)
    row = session.get(Comment, comment_id)
    hidden = row is None or row.organization_id != who.organization_id or row.deleted_at is not None
    if row is None or hidden or (who.role == SHARED and row.audience != SHARED):
        raise NotFound("There is no such comment, or it was deleted.", code="unknown_comment")
    posts.get(session, who, row.post_id)
    return row


def _note(session: Session, row: Comment, who: Person, action: str, now: datetime, data: dict[str, str]) -> None:
    """Who, when and how much. Never what: the log outlives what somebody deleted."""
    audits.append(
        session, at=now, organization=row.organization_id, actor=who.member_id, action=action,
        noun="comment", noun_id=row.id, data=data,
    )  # fmt: skip
