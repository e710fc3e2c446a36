"""Files a creator's posts are made with: brought in, listed, named in posts, removed. Opening one is in `uploads`."""

import re
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePath

from sqlmodel import Session, col, func, or_, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits, tenants
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.db.tables import Asset, Avatar, ConsentProof, Creator, Delivery, Post, Upload
from avatar_scheduler.domain.delivery import SETTLED
from avatar_scheduler.domain.errors import Conflict, Invalid, NotFound, Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import orders, origins, vouching
from avatar_scheduler.services.media import MediaFile
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import WRITE, own, require
from avatar_scheduler.storage import Blobs
from avatar_scheduler.uploads import accept, kinds
from avatar_scheduler.uploads.incoming import Incoming, from_path
from avatar_scheduler.uploads.sandbox import Progress, silent

MOST_FILES, MOST_BYTES = 500, 5 << 30
"""Of one creator."""
CANONICAL = "avatar_scheduler.studio.avatar.pack_zip:canonical"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_OVER = (PostState.rejected, PostState.cancelled)
_LEFT_BEHIND = timedelta(hours=6)


@dataclass(frozen=True)
class New:
    kind: str
    name: str
    """Empty: made from the file's own."""
    filename: str


def folder(settings: Settings) -> Path:
    """Where a file is while it comes in; on the same disk as the blobs."""
    return settings.data / "incoming"


def _thumbnails(settings: Settings) -> Path:
    return settings.data / "thumbnails"


def thumbnail(settings: Settings, row: Upload) -> Path:
    """A JPEG; not there for sounds and looks."""
    return thumbnail_of(settings, row.sha256)


def thumbnail_of(settings: Settings, sha256: str) -> Path:
    return _thumbnails(settings) / f"{sha256}.jpg"


def may_add(settings: Settings, who: Person, creator: Creator, new: New) -> str:
    """The name it will have. Raises what `add` would raise, before the file is even sent."""
    kinds.kind_of(new.kind)
    name = _name(new)
    with read_scope(settings) as session:
        _check(session, who, creator, name)
    return name


def add(
    settings: Settings,
    who: Person,
    creator: Creator,
    new: New,
    incoming: Incoming,
    now: datetime,
    progress: Progress = silent,
) -> Upload:
    """Opens the file, which may take minutes, and only then asks the database for its one writer's place."""
    name = may_add(settings, who, creator, new)
    _sweep(folder(settings), now)
    blobs = Blobs(settings.blobs)
    with accept.accepted(
        incoming, new.kind, new.filename, folder(settings), progress, CANONICAL if new.kind == "pack" else ""
    ) as made:
        sha256, kept = blobs.put(made.path), False
        row = Upload(
            organization_id=who.organization_id,
            creator_id=creator.id,
            kind=new.kind,
            name=name,
            sha256=sha256,
            original_sha256=incoming.sha256,
            mime=made.mime,
            size=made.size,
            width=made.width,
            height=made.height,
            duration_ms=made.duration_ms,
            made_by_ai=origins.made_by_ai(incoming.file),
            created_by=who.member_id,
            created_at=now,
        )
        try:
            with write_scope(settings) as session:
                _check(session, who, creator, name, made.size)
                session.add(row)
                _note(session, who, row, "upload.added", now)
                if not blobs.path(sha256).is_file():  # its twin was removed since; while we write, nobody can
                    blobs.put(made.path)
            if made.thumbnail.stat().st_size:
                _thumbnails(settings).mkdir(exist_ok=True)
                shutil.copyfile(made.thumbnail, thumbnail(settings, row))
            kept = True
        finally:
            if not kept:
                _forget(settings, sha256)
    return row


def add_file(
    settings: Settings,
    who: Person,
    creator: Creator,
    new: New,
    path: Path,
    now: datetime,
    progress: Progress = silent,
) -> Upload:
    """From a path at the operator's own terminal."""
    may_add(settings, who, creator, new)
    with from_path(path, folder(settings), kinds.kind_of(new.kind).most_bytes) as incoming:
        return add(settings, who, creator, new, incoming, now, progress)


def _name(new: New) -> str:
    given = new.name or re.sub(r"[^a-z0-9]+", "-", PurePath(new.filename).stem.lower()).strip("-")[:40].strip("-")
    if not _NAME.fullmatch(given):
        raise Invalid(
            "Give the file a name of up to 40 letters a-z, digits, - and _, such as “my-kitchen”.", code="upload_name"
        )
    return given


def _check(session: Session, who: Person, creator: Creator, name: str, size: int = 0) -> None:
    require(who, WRITE, "add files")
    own(who, creator)
    mine = Upload.creator_id == creator.id
    if session.exec(select(Upload.id).where(mine, Upload.name == name)).first():
        raise Conflict(f"{creator.name} has a file “{name}” already. Choose another name.", code="upload_twice")
    count, total = session.exec(select(func.count(), func.coalesce(func.sum(Upload.size), 0)).where(mine)).one()
    if count >= MOST_FILES:
        raise Refused(f"{creator.name} has {count} files, which is the most. Remove one first.", code="upload_quota")
    if total + size > MOST_BYTES:
        raise Refused(
            f"{creator.name} has {kinds.size(total)} of files; {kinds.size(MOST_BYTES)} is the most. Remove one first.",
            code="upload_quota",
        )


def _sweep(place: Path, now: datetime) -> None:
    """What a killed process left: files of ours have no other way to stay here for hours."""
    for path in place.glob("*-*") if place.is_dir() else ():
        if path.stat().st_mtime < (now - _LEFT_BEHIND).timestamp():
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def by_name(session: Session, who: Person, creator: Creator, name_or_id: str) -> Upload:
    own(who, creator)
    found = _find(session, creator.id, name_or_id)
    if found is None:
        raise NotFound(f"{creator.name} has no file “{name_or_id[:60]}”. {_have(session, creator)}", code="no_upload")
    return found


def by_id(session: Session, who: Person, upload_id: str) -> Upload:
    found = session.get(Upload, upload_id)
    if found is None or found.organization_id != who.organization_id:
        raise NotFound("There is no such file.", code="no_upload")
    return found


def _find(session: Session, creator_id: str, name_or_id: str) -> Upload | None:
    """A name comes before an id: somebody may call a file what another's id is."""
    query = select(Upload).where(
        Upload.creator_id == creator_id, or_(col(Upload.name) == name_or_id, col(Upload.id) == name_or_id)
    )
    rows = list(session.exec(query))
    return next((row for row in rows if row.name == name_or_id), rows[0] if rows else None)


def _have(session: Session, creator: Creator) -> str:
    names = sorted(session.exec(select(Upload.name).where(Upload.creator_id == creator.id)))
    return f"There are: {', '.join(names)}." if names else "There are none yet."


def file(session: Session, settings: Settings, who: Person, upload_id: str) -> MediaFile:
    row = by_id(session, who, upload_id)
    return MediaFile(vouching.intact(Blobs(settings.blobs), row.sha256), row.mime)


def small(session: Session, settings: Settings, who: Person, upload_id: str) -> MediaFile:
    path = thumbnail(settings, by_id(session, who, upload_id))
    if not path.is_file():
        raise NotFound("There is no such file.", code="no_upload")
    return MediaFile(path, "image/jpeg")


def creators(session: Session, who: Person) -> list[tuple[str, str]]:
    """Short name and name of each creator somebody may add files for."""
    query = select(Creator.slug, Creator.name).where(Creator.organization_id == who.organization_id)
    return [(slug, name) for slug, name in session.exec(query.order_by(col(Creator.created_at)))]


@dataclass(frozen=True)
class Row:
    upload_id: str
    creator: str
    slug: str
    name: str
    kind: str
    mime: str
    size: int
    width: int
    height: int
    duration_ms: int
    created_at: datetime


def listing(session: Session, who: Person, creator: Creator | None = None) -> list[Row]:
    """Newest first."""
    query = select(Upload, Creator).where(
        Upload.creator_id == Creator.id, Upload.organization_id == who.organization_id
    )
    if creator is not None:
        own(who, creator)
        query = query.where(Upload.creator_id == creator.id)
    return [
        Row(u.id, c.name, c.slug, u.name, u.kind, u.mime, u.size, u.width, u.height, u.duration_ms, u.created_at)
        for u, c in session.exec(query.order_by(col(Upload.created_at).desc(), col(Upload.name)))
    ]


def remove(settings: Settings, who: Person, upload_id: str, now: datetime) -> Upload:
    """Raises Conflict while a post that is not finished, or a look, needs it."""
    with write_scope(settings) as session:
        require(who, WRITE, "remove files")
        row = by_id(session, who, upload_id)
        _check_unused(session, row)
        session.delete(row)
        _note(session, who, row, "upload.removed", now)
    _forget(settings, row.sha256)
    return row


def _check_unused(session: Session, row: Upload) -> None:
    for avatar in session.exec(select(Avatar).where(Avatar.creator_id == row.creator_id, Avatar.pack == row.sha256)):
        raise Conflict(f"The avatar “{avatar.name}” looks like this. Change its look first.", code="upload_used")
    query = select(Post).where(Post.creator_id == row.creator_id, col(Post.state).not_in(_OVER))
    for post in session.exec(query):
        if {row.name, row.id} & set(orders.named(post).values()) and _unfinished(session, post):
            raise Conflict(
                f"The post “{post.title}” needs it. Finish the post, drop it, or take the file out of it.",
                code="upload_used",
            )


def _unfinished(session: Session, post: Post) -> bool:
    if post.state is not PostState.approved:
        return True
    query = select(Delivery.id).where(Delivery.version_id == post.version_id, col(Delivery.state).not_in(SETTLED))
    return session.exec(query).first() is not None


def _forget(settings: Settings, sha256: str) -> None:
    """Deletes the bytes when no row names them any more. The writer's place keeps a new row from coming between."""
    with tenants.everybody(), write_scope(settings) as session:  # another organization may have uploaded the same
        rows = (
            select(Upload.id).where(Upload.sha256 == sha256),
            select(Asset.id).where(Asset.sha256 == sha256),
            select(Avatar.id).where(Avatar.pack == sha256),
            select(ConsentProof.id).where(ConsentProof.sha256 == sha256),
        )
        if not any(session.exec(query).first() for query in rows):
            for path in (Blobs(settings.blobs).path(sha256), thumbnail_of(settings, sha256)):
                path.unlink(missing_ok=True)


def _note(session: Session, who: Person, row: Upload, action: str, now: datetime) -> None:
    audits.append(
        session,
        at=now,
        organization=row.organization_id,
        actor=who.member_id,
        action=action,
        noun="upload",
        noun_id=row.id,
        data={"kind": row.kind, "name": row.name, "sha256": row.sha256, "original_sha256": row.original_sha256},
    )
