"""After a consent was withdrawn: films and pictures made under it that never went out are removed from the store.

Kept: every row with its hashes, the log, the proof that the person agreed, what people uploaded, and all of a post that
went out or may have, as evidence of what it was.
"""

from datetime import datetime

from sqlmodel import Session, and_, col, func, not_, or_, select

from avatar_scheduler.clock import utc_now
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.db.tables import (
    Asset,
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
from avatar_scheduler.services import comparing, uploads
from avatar_scheduler.services.withdrawal import LEAVING
from avatar_scheduler.storage import Blobs

ACTOR = "clock"
PURGED = "media.purged"
LENGTH = 64
"""Of a hash: a built-in look has a shorter name."""
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
            found = _there(settings, doomed(session, creator_id, at))
        if not found:
            continue
        with write_scope(settings) as session:  # said before it is done: nothing goes without a word
            creator = session.get_one(Creator, creator_id)
            audits.append(
                session, at=now, organization=creator.organization_id, actor=ACTOR, action=PURGED, noun="creator",
                noun_id=creator_id, data={"files": str(len(found))},
            )  # fmt: skip
        for start in range(0, len(found), BATCH):
            removed += _remove(settings, creator_id, at, found[start : start + BATCH])
    return removed


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
    made = (
        select(Asset.sha256).where(of_render[0]),
        select(Purchase.media_sha256).where(of_render[1]),
        select(Avatar.pack).where(of_creator, func.length(Avatar.pack) == LENGTH),
    )
    needed = (
        select(Asset.sha256).where(not_(of_render[0])),
        select(Purchase.media_sha256).where(not_(of_render[1])),
        select(Avatar.pack).where(not_(of_creator)),
        select(Upload.sha256),
        select(ConsentProof.sha256),
    )
    found = {sha256 for query in made for sha256 in session.exec(query)} - {""}
    return found.difference(*(session.exec(query) for query in needed)) if found else found


def _there(settings: Settings, hashes: set[str]) -> list[str]:
    blobs = Blobs(settings.blobs)
    return sorted(sha256 for sha256 in hashes if blobs.path(sha256).exists())


def _remove(settings: Settings, creator_id: str, at: datetime, hashes: list[str]) -> int:
    """Looked at again in the writer's place: a row that names one of them by now keeps it."""
    with write_scope(settings) as session:
        certain = doomed(session, creator_id, at).intersection(hashes)
        for sha256 in sorted(certain):
            for path in (
                *comparing.frames_of(settings, sha256), uploads.thumbnail_of(settings, sha256),
                Blobs(settings.blobs).path(sha256),
            ):  # fmt: skip
                path.unlink(missing_ok=True)
    return len(certain)
