"""After a consent was withdrawn: what was made under it and never went out is removed, also from our own feed's store.

So is what was uploaded of a real person's face and voice. Kept: every row with its hashes, the log, the proof that the
person agreed, and all of a post that went out or may have, as evidence of what it was.
"""

import contextlib
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, func, not_, or_, select

from avatar_scheduler.clock import utc_now
from avatar_scheduler.config import Settings
from avatar_scheduler.crash import crashpoint
from avatar_scheduler.db import audits
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.db.tables import (
    Asset,
    Audit,
    Avatar,
    Consent,
    ConsentProof,
    Creator,
    Delivery,
    Post,
    Purchase,
    Receipt,
    Render,
    Upload,
)  # fmt: skip
from avatar_scheduler.domain.consent import FICTIONAL
from avatar_scheduler.services import comparing, uploads
from avatar_scheduler.services.withdrawal import LEAVING
from avatar_scheduler.storage import Blobs

ACTOR = "clock"
PURGED = "media.purged"
LENGTH = 64
"""Of a hash: a built-in look has a shorter name."""
OF_A_PERSON = ("photo", "audio", "clip", "pack")
"""Kinds of uploads that hold a face or a voice."""
BATCH = 50
"""Files removed in one transaction: each holds the writer's place."""


def job(settings: Settings) -> None:
    purge(settings, utc_now())


def purge(settings: Settings, now: datetime) -> int:
    """Files removed. Stopped half way, the next call goes on."""
    removed = 0
    with read_scope(settings) as session:
        query = select(Consent.creator_id, func.max(Consent.revoked_at)).group_by(col(Consent.creator_id))
        withdrawn = [(creator_id, at) for creator_id, at in session.exec(query) if at is not None]
    for creator_id, at in withdrawn:
        with read_scope(settings) as session:
            found = _there(session, settings, creator_id, at)
        if not found:
            continue
        with write_scope(settings) as session:  # said before it is done: nothing goes without a word
            creator = session.get_one(Creator, creator_id)
            audits.append(
                session, at=now, organization=creator.organization_id, actor=ACTOR, action=PURGED, noun="creator",
                noun_id=creator_id, data={"files": str(len(found))},
            )  # fmt: skip
        for start in range(0, len(found), BATCH):
            removed += _remove(settings, creator_id, at, found[start : start + BATCH], now)
            crashpoint("purge.removed")
    _forget_sentences(settings, max((at for _, at in withdrawn), default=None))
    return removed


def _forget_sentences(settings: Settings, until: datetime | None) -> None:
    """What was spoken before the last withdrawal does not say whose it is; whatever is still needed is spoken again."""
    if until is None or not settings.sentences.is_dir():
        return
    for path in settings.sentences.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # a render keeps its own house there meanwhile
            if path.is_file() and path.stat().st_mtime <= until.timestamp():
                path.unlink()


def last(session: Session, creator: Creator) -> datetime | None:
    """When something was removed after the last withdrawal."""
    cut = select(func.max(Consent.revoked_at)).where(Consent.creator_id == creator.id)
    at = session.exec(cut).one()
    query = select(func.max(Audit.at)).where(Audit.noun_id == creator.id, Audit.action == PURGED)
    return session.exec(query.where(col(Audit.at) >= at)).one() if at else None


def doomed(session: Session, creator_id: str, at: datetime) -> set[str]:
    """Hashes of what was made for a creator up to the last withdrawal, and is needed by nothing else."""
    went_out = (
        select(Delivery.post_id)
        .outerjoin(Receipt, col(Receipt.delivery_id) == Delivery.id)
        .where(or_(col(Receipt.id).is_not(None), col(Delivery.state).in_(LEAVING)))
    )
    posts = select(Post.id).where(Post.creator_id == creator_id, col(Post.id).not_in(went_out))
    renders = select(Render.id).where(col(Render.post_id).in_(posts), col(Render.created_at) <= at)
    of_render = col(Asset.render_id).in_(renders), col(Purchase.render_id).in_(renders)
    of_creator = and_(col(Avatar.creator_id) == creator_id, col(Avatar.created_at) <= at)
    uploaded = _uploaded(creator_id, at)
    made = (
        select(Upload.sha256).where(uploaded),
        select(Asset.sha256).where(of_render[0]),
        select(Purchase.media_sha256).where(of_render[1]),
        select(Avatar.pack).where(of_creator, func.length(Avatar.pack) == LENGTH),
    )
    needed = (
        select(Asset.sha256).where(not_(of_render[0])),
        select(Purchase.media_sha256).where(not_(of_render[1])),
        select(Avatar.pack).where(not_(of_creator)),
        select(Upload.sha256).where(not_(uploaded)),
        select(ConsentProof.sha256),
    )
    found = {sha256 for query in made for sha256 in session.exec(query)} - {""}
    return found.difference(*(session.exec(query) for query in needed)) if found else found


def _uploaded(creator_id: str, at: datetime) -> ColumnElement[bool]:
    """Of a real person; of somebody made up nothing needs to go."""
    real = select(Avatar.id).where(Avatar.creator_id == creator_id, Avatar.performer != FICTIONAL).exists()
    mine = and_(col(Upload.creator_id) == creator_id, col(Upload.created_at) <= at)
    return and_(mine, col(Upload.kind).in_(OF_A_PERSON), real)


def _there(session: Session, settings: Settings, creator_id: str, at: datetime) -> list[str]:
    """A killed task may have deleted a file and not yet its upload's row."""
    rows = set(session.exec(select(Upload.sha256).where(_uploaded(creator_id, at))))
    found = doomed(session, creator_id, at)
    return sorted(sha for sha in found if sha in rows or any(path.exists() for path in _places(settings, sha)))


def _places(settings: Settings, sha256: str) -> tuple[Path, ...]:
    """The feed has its own copy from the upload on, also when nothing came of it."""
    return (
        *comparing.frames_of(settings, sha256), uploads.thumbnail_of(settings, sha256),
        Blobs(settings.feed / "media").path(sha256), Blobs(settings.blobs).path(sha256),
    )  # fmt: skip


def _remove(settings: Settings, creator_id: str, at: datetime, hashes: list[str], now: datetime) -> int:
    """Looked at again in the writer's place: a row that names one of them by now keeps it."""
    with write_scope(settings) as session:
        certain = doomed(session, creator_id, at).intersection(hashes)
        for sha256 in sorted(certain):
            for path in _places(settings, sha256):
                path.unlink(missing_ok=True)
        query = select(Upload).where(_uploaded(creator_id, at), col(Upload.sha256).in_(certain))
        for row in session.exec(query):
            audits.append(
                session, at=now, organization=row.organization_id, actor=ACTOR, action="upload.removed", noun="upload",
                noun_id=row.id, data={"kind": row.kind, "name": row.name, "sha256": row.sha256},
            )  # fmt: skip
            session.delete(row)
    return len(certain)
