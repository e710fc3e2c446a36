"""Measuring the marks of a file somebody brings, and telling where it comes from when it is ours."""

import json
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, or_, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.db.tables import Asset, Render, Version
from avatar_scheduler.domain.disclosure import Evidence
from avatar_scheduler.domain.errors import Invalid, NotFound, Refused
from avatar_scheduler.outbound import Outbound, Sink
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.services import measuring, recognition, uploads, versions
from avatar_scheduler.services.recognition import Answer, Recognition
from avatar_scheduler.storage import file_sha256
from avatar_scheduler.uploads import incoming

FETCH_SECONDS = 120.0
_STRANGE = "These bytes were not made by this installation, or were changed since."
_SIGNED = "Signed under this root, but no file of a post here: what its label and caption must say is not known."
_COPY = "A copy of “{title}” by {creator}, approved by {by}."


@dataclass(frozen=True)
class Report:
    sha256: str
    origin: str
    ok: bool
    marks: tuple[Evidence, ...]
    credentials: dict[str, str]
    led: Recognition | None = None
    """The published post it leads to, when its bytes are not ours as they are."""
    borrowed: bool = False
    """It carries Content Credentials of ours that belong to another file."""
    unread: str = ""
    """Why it could not be looked at for what leads back to a post."""


def fetch(settings: Settings, url: str, into: Sink) -> None:
    """A file from the web, over https, in one call and within limits. Raises Refused, NotFound or OutcomeUnknown."""
    there = Outbound(private_hosts=settings.allow_hosts)
    answer = there.call("GET", url, seconds=FETCH_SECONDS, answer_bytes=recognition.MOST_BYTES, into=into)
    if 300 <= answer.status < 400:
        elsewhere = answer.headers.get("location", "")[:200]
        raise Refused(f"{url[:200]} leads to {elsewhere or 'another address'}. Name that one.", code="redirect")
    if answer.status != 200:
        raise NotFound(f"{url[:200]} answered {answer.status}, not with a file.", code="no_file")


def verify(settings: Settings, file: Path, root_pem: str) -> Report:
    """What is ours is measured against what was ordered. Of other files, what leads back to a post is looked for, and
    where nothing does, credentials and XMP are all there is to say."""
    from avatar_scheduler.marks import credentials, timestamps, xmp

    digest, keys = file_sha256(file), settings.keys / "credentials"
    said = credentials.report(file, root_pem, timestamps.read_roots(keys))
    if known := _known(settings, digest):
        found = _measure(known.order, known.kind, file, known.human_ms, root_pem, keys)
        return Report(digest, known.origin, all(e.ok for e in found), found, _words(said))
    answer, unread = _looked_at(settings, file)
    led = answer.found if answer else None
    borrowed = answer is not None and answer.borrowed
    if led:
        copied = _of_render(settings, led)
        found = _measure(copied.order, copied.kind, file, copied.human_ms, root_pem, keys)
        return Report(digest, copied.origin, all(e.ok for e in found), found, _words(said), led)
    marks = (credentials.measure(file, root_pem, time_roots=timestamps.read_roots(keys)), xmp.measure(file))
    return Report(
        digest, _SIGNED if marks[0].ok else _STRANGE, False, marks, _words(said), borrowed=borrowed, unread=unread
    )


@dataclass(frozen=True)
class _Known:
    order: Order
    kind: str
    origin: str
    human_ms: list[list[int]]


def _measure(
    order: Order, kind: str, file: Path, human_ms: list[list[int]], root_pem: str, keys: Path
) -> tuple[Evidence, ...]:
    # One picture of several is measured by itself, whichever it is.
    files = {"video" if kind == "video" else "image1": file}
    return measuring.measure(order, files, human_ms, root_pem, keys)


def _known(settings: Settings, digest: str) -> _Known | None:
    """What a file was ordered as, where it comes from, and which parts of it show a person."""
    marked = or_(col(Asset.kind) == "video", col(Asset.kind).startswith("image"))
    try:
        with read_scope(settings) as session:
            asset = session.exec(select(Asset).where(Asset.sha256 == digest, marked)).first()
            if asset is None:
                return None
            order = Order.read(json.loads(session.get_one(Render, asset.render_id).order))
            version = _version(session, digest)
            return _Known(order, asset.kind, _origin(version, order), _human(settings, version))
    except Refused:
        return None  # not set up here: verify works on any machine


def _of_render(settings: Settings, led: Recognition) -> _Known:
    with read_scope(settings) as session:
        order = Order.read(json.loads(session.get_one(Render, led.signing.render_id).order))
        version = _version(session, led.signing.sha256)
    proof = led.proof
    origin = _COPY.format(title=proof.title, creator=proof.creator, by=proof.approved_by)
    return _Known(order, led.signing.kind, origin, _human(settings, version))


def _looked_at(settings: Settings, file: Path) -> tuple[Answer | None, str]:
    """In the process that can do nothing else. Or why not."""
    try:
        with read_scope(settings):
            pass
    except Refused:
        return None, ""  # nothing was made here that it could lead to
    try:
        with incoming.from_path(file.resolve(), uploads.folder(settings), recognition.MOST_BYTES) as copy:
            return recognition.recognise(settings, copy), ""
    except (Invalid, Refused) as error:
        return None, error.message


def _version(session: Session, digest: str) -> Version | None:
    query = select(Version).where(col(Version.manifest).contains(digest)).order_by(col(Version.number).desc())
    return session.exec(query).first()


def _human(settings: Settings, version: Version | None) -> list[list[int]]:
    """Where a person stands for the avatar, as it was sealed; of a version that something else wrote, nowhere."""
    try:
        if version is None:
            return []
        versions.check_seal(settings, version)
        spans: list[list[int]] = versions.read(version).data.get("human_ms", [])
    except Refused:
        return []
    return spans


def _origin(version: Version | None, order: Order) -> str:
    number = f", version {version.number} ({version.sha256[:16]})" if version else ""
    return f"“{order.title}”{number}, made here by {order.software} at {order.when}."


def _words(said: object) -> dict[str, str]:
    """The credentials report as printable pairs."""
    return {
        name.replace("_", " "): ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        for name, value in vars(said).items()
        if value
    }
