"""Measuring the marks of a file somebody brings, and telling where it comes from when it is ours."""

import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlmodel import Session, col, or_, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.db.tables import Asset, Render, Version
from avatar_scheduler.domain.disclosure import Evidence
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.renderers import process
from avatar_scheduler.renderers.base import MADE, Order
from avatar_scheduler.services import versions
from avatar_scheduler.services.disclosing import STILLS
from avatar_scheduler.storage import file_sha256

MEASURE_SECONDS = 120
_STRANGE = "These bytes were not made by this installation, or were changed since."
_SIGNED = "Signed under this root, but no file of a post here: what its label and caption must say is not known."


@dataclass(frozen=True)
class Report:
    sha256: str
    origin: str
    ok: bool
    marks: tuple[Evidence, ...]
    credentials: dict[str, str]


def verify(settings: Settings, file: Path, root_pem: str) -> Report:
    """Label and caption can only be compared with what this installation made: other files show credentials and XMP."""
    from avatar_scheduler.marks import credentials, xmp

    digest = file_sha256(file)
    known = _order(settings, digest)
    said = credentials.report(file, root_pem)
    if known is None:
        marks = [credentials.measure(file, root_pem), xmp.measure(file)]
        origin = _SIGNED if marks[0].ok else _STRANGE
        return Report(digest, origin, False, tuple(marks), _words(said))
    order, origin, human_ms = known
    found = _measure(order, file, root_pem, human_ms)
    return Report(digest, origin, all(e.ok for e in found), found, _words(said))


def _measure(order: Order, file: Path, root_pem: str, human_ms: list[list[int]]) -> tuple[Evidence, ...]:
    """In the measuring process: whatever the file does to a decoder, it does it there."""
    with tempfile.TemporaryDirectory(prefix="avs-verify-") as name:
        folder = Path(name)
        (folder / "order.json").write_text(json.dumps(asdict(order)))
        (folder / "root.pem").write_text(root_pem)
        (folder / MADE).write_text(json.dumps({"human_ms": human_ms}))
        (folder / ("image1.jpg" if order.form == STILLS else "signed.mp4")).symlink_to(file.resolve())
        told = process.run("measure", folder, folder, lambda percent, step: None, MEASURE_SECONDS)
    return tuple(versions.evidence_of(e) for e in told["evidence"])


def _order(settings: Settings, digest: str) -> tuple[Order, str, list[list[int]]] | None:
    """What a file was ordered as, where it comes from, and which parts of it show a person."""
    marked = or_(col(Asset.kind) == "video", col(Asset.kind).startswith("image"))
    try:
        with read_scope(settings) as session:
            asset = session.exec(select(Asset).where(Asset.sha256 == digest, marked)).first()
            if asset is None:
                return None
            render = session.get_one(Render, asset.render_id)
            order = Order.read(json.loads(render.order))
            version = _version(session, digest)
            human_ms = json.loads(version.manifest).get("human_ms", []) if version else []
            return order, _origin(version, order), human_ms
    except Refused:
        return None  # not set up here: verify works on any machine


def _version(session: Session, digest: str) -> Version | None:
    query = select(Version).where(col(Version.manifest).contains(digest)).order_by(col(Version.number).desc())
    return session.exec(query).first()


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
