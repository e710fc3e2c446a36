"""A film straight from a script to a file: the render a post gets, labelled, signed and measured, without a post."""

import json
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from avatar_scheduler import __version__, rules
from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import write_scope
from avatar_scheduler.domain import staging
from avatar_scheduler.domain.disclosure import Blocked, Content, Place, RequiredMark, unproven
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.domain.rulebook import decide
from avatar_scheduler.domain.version import canonical, sha256
from avatar_scheduler.renderers import process
from avatar_scheduler.renderers.base import MATERIALS, PACK, SIGNING, Order
from avatar_scheduler.services import disclosing, orders, origins, signings, stagings, versions
from avatar_scheduler.services.uploads import CANONICAL
from avatar_scheduler.studio import job as jobs
from avatar_scheduler.uploads import accept, kinds
from avatar_scheduler.uploads.incoming import from_path

Progress = Callable[[int, str], None]
PICTURES, CLIPS = (".jpg", ".jpeg", ".png", ".webp"), (".mp4", ".mov", ".webm", ".mkv")
_MEASURING = 95


@dataclass(frozen=True)
class Wanted:
    text: str
    language: str
    look: str
    """A built-in look, or the path of a pack's ZIP."""
    scene: str
    name: str = ""
    """Whose avatar the label says it is; the look's own name when empty."""
    title: str = "Film"
    staging: Mapping[str, Any] = field(default_factory=dict)
    materials: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    video: Path
    captions: Path
    poster: Path
    duration_ms: int
    marks: Mapping[str, str]
    """Each mark and what was measured of it."""


def make(settings: Settings, wanted: Wanted, target: Path, now: datetime, progress: Progress, *, force: bool) -> Made:
    """Writes target, and beside it the captions (.vtt) and the poster (.jpg); all of them or none."""
    keys = settings.keys / "credentials"
    if not (keys / "root.pem").is_file():
        raise Refused(
            "There is nothing to sign with, and no film leaves unsigned. Run: avatar-scheduler init", code="no_keys"
        )
    places = {"video": target, "captions": target.with_suffix(".vtt"), "poster": target.with_suffix(".jpg")}
    for place in places.values():
        _check_place(place)
        if place.exists() and not force:
            raise Refused(
                f"{place} is there already. Choose another name, or write over it with --force.", code="there"
            )
    with tempfile.TemporaryDirectory(prefix="avs-film-") as room:
        folder = Path(room)
        required = _required(settings, wanted.language, now)
        order = _order(wanted, folder, now, required)
        jobs.check(orders.outline(order))
        (folder / "order.json").write_text(json.dumps(asdict(order), ensure_ascii=False))
        (folder / SIGNING).write_text(signings.settings_of(settings))
        seconds = settings.render_minutes * 60.0
        made = process.run("make", folder, keys, progress, seconds, settings.sentences)
        progress(_MEASURING, "Checking")
        found = process.run("measure", folder, keys, lambda *_: progress(_MEASURING, "Checking"), seconds)["evidence"]
        _check_marks(found, order, made, folder, required)
        with write_scope(settings) as session:
            _note(session, order, made, folder, now)
        for kind, place in places.items():
            _put(folder / made[kind], place)
    progress(100, "Done")
    return Made(**places, duration_ms=made["duration_ms"], marks={e["mark"]: e["summary"] for e in found})


def _note(session: Session, order: Order, made: dict[str, Any], folder: Path, now: datetime) -> None:
    """Everything signed is in the log, also what belongs to no post."""
    from avatar_scheduler.marks import digest

    [said] = made["signed"]
    manifest = digest.of_file(folder / said["manifest"])
    sha256 = digest.of_file(folder / made["video"])
    signings.note(session, sha256, order.organization, order.mark_id, {**said, "manifest": manifest}, now)


def _check_marks(
    found: list[dict[str, Any]], order: Order, made: dict[str, Any], folder: Path, required: list[RequiredMark]
) -> None:
    from avatar_scheduler.marks import digest

    evidence = [versions.evidence_of(e) for e in found]
    files, caption = [digest.of_file(folder / made["video"])], sha256(order.caption)
    reasons = unproven(required, evidence, media=files, caption=caption)
    if reasons := reasons + versions.leads_elsewhere(evidence, order.mark_id):
        raise Refused("No film is written, a disclosure mark is missing. " + " ".join(reasons), code="mark_missing")


def _required(settings: Settings, language: str, now: datetime) -> list[RequiredMark]:
    """Nobody said where it will be shown, or whose face it is: the strictest of everything."""
    content = Content("video", "fictional", "no", language)
    place = Place("own_feed", rules.surface("own_feed", "video"))
    said = decide(content, place, frozenset(), now, disclosing.book(settings))
    if isinstance(said, Blocked):
        raise Refused(f"{said.reason} ({said.rule}) {said.way_out}", code="blocked_by_rule")
    return said


def _check_place(place: Path) -> None:
    """Raises Refused, before minutes of work, where nothing could be written."""
    if place.is_dir():
        raise Refused(f"{place} is a folder. Choose another name.", code="output")
    try:
        tempfile.TemporaryFile(dir=place.parent).close()
    except OSError as error:
        raise _unwritable(place, error) from None


def _put(source: Path, place: Path) -> None:
    """Whole or not at all, also when the disk fills up."""
    beside = place.with_name(f".{place.name}.part")
    try:
        try:
            shutil.copyfile(source, beside)
            beside.replace(place)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(place, error) from None


def _unwritable(place: Path, error: OSError) -> Refused:
    return Refused(f"{place} cannot be written: {error.strerror}. Choose another place.", code="output")


def _order(wanted: Wanted, folder: Path, now: datetime, required: list[RequiredMark]) -> Order:
    staged = staging.read({**wanted.staging, "materials": {name: name for name in wanted.materials}})
    (folder / MATERIALS).mkdir()
    materials = {
        name: _bring(path, _kind(path, name, staged), folder, name, wanted.text)
        for name, path in wanted.materials.items()
    }
    look, name = wanted.look, wanted.name or Path(wanted.look).stem.replace("_", " ").title()
    if wanted.look.endswith(".zip"):
        look = _bring(Path(wanted.look), "pack", folder, PACK.name)["sha256"]
    words = rules.texts(wanted.language, form="video", name=name, sponsored="no")
    return Order(
        title=wanted.title,
        text=wanted.text,
        language=wanted.language,
        pack=look,
        scene=wanted.scene,
        **orders.said(words, required, ""),
        software=f"avatar-scheduler {__version__}",
        when=now.isoformat(timespec="seconds"),
        staging=stagings.dumps(staged.as_dict()),
        materials=canonical(materials),
        mark_id=secrets.token_hex(4),
    )


def _kind(path: Path, name: str, staged: staging.Staging) -> str:
    if path.suffix.lower() in PICTURES:
        return "image"
    if path.suffix.lower() in CLIPS and name != staged.recording:
        return "clip"
    return "music" if staged.music and staged.music.material == name else "audio"


def _bring(path: Path, kind: str, folder: Path, name: str, text: str = "") -> dict[str, str]:
    """Opened where nothing can come of it and written anew, as an upload is."""
    from avatar_scheduler.marks import digest

    with (
        from_path(path, folder, kinds.kind_of(kind).most_bytes) as incoming,
        accept.accepted(incoming, kind, path.name, folder, canonical=CANONICAL if kind == "pack" else "") as ours,
    ):
        shutil.copyfile(ours.path, folder / MATERIALS / name)
        synthetic = origins.made_by_ai(incoming.file)
    if synthetic and kind == "clip":
        origins.check_clip(name, text)
    return {"kind": kind, "sha256": digest.of_file(folder / MATERIALS / name)}
