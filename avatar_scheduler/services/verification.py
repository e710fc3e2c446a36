"""Measuring the marks of a file somebody brings, and telling where it comes from when it is ours."""

import json
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.db.tables import Asset, Render, Version
from avatar_scheduler.domain.disclosure import Evidence
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.storage import file_sha256


@dataclass(frozen=True)
class Report:
    sha256: str
    origin: str
    ok: bool
    marks: tuple[Evidence, ...]
    credentials: dict[str, str]


def verify(settings: Settings, file: Path, root_pem: str) -> Report:
    """Label and caption can only be compared with what this installation made: other files show credentials and XMP."""
    from avatar_scheduler.marks import credentials, inspect, label, xmp

    digest = file_sha256(file)
    known = _order(settings, digest)
    said = credentials.report(file, root_pem)
    if known is None:
        marks = [credentials.measure(file, root_pem), xmp.measure(file)]
        origin = "These bytes were not made by this installation, or were changed since."
        return Report(digest, origin, False, tuple(marks), _words(said))
    order, origin = known
    art = label.draw(order.label_sign, order.label_words, (order.width, order.height))
    expected = inspect.Expected(art, order.caption, order.caption_line, root_pem)
    found = inspect.inspect(file, expected)
    return Report(digest, origin, all(e.ok for e in found), tuple(found), _words(said))


@dataclass(frozen=True)
class _Known(Order):
    width: int = 1080
    height: int = 1920


def _order(settings: Settings, digest: str) -> tuple[_Known, str] | None:
    try:
        with read_scope(settings) as session:
            asset = session.exec(select(Asset).where(Asset.sha256 == digest, Asset.kind == "video")).first()
            if asset is None:
                return None
            render = session.get_one(Render, asset.render_id)
            order = _Known(**json.loads(render.order), width=asset.width, height=asset.height)
            return order, _origin(session, digest, order)
    except Refused:
        return None  # not set up here: verify works on any machine


def _origin(session: Session, digest: str, order: Order) -> str:
    query = select(Version).where(col(Version.manifest).contains(digest)).order_by(col(Version.number).desc())
    version = session.exec(query).first()
    number = f", version {version.number} ({version.sha256[:16]})" if version else ""
    return f"“{order.title}”{number}, made here by {order.software} at {order.when}."


def _words(said: object) -> dict[str, str]:
    """The credentials report as printable pairs."""
    return {
        name.replace("_", " "): ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        for name, value in vars(said).items()
        if value
    }
