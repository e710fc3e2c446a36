"""A version beside the one before it: words, facts, captions and pictures, and what was asked for in between."""

import contextlib
import difflib
import io
import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Approval, Member, Post, Version
from avatar_scheduler.domain.errors import NotFound, Refused
from avatar_scheduler.services import asked, posts, versions
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.versions import Manifest
from avatar_scheduler.storage import Blobs

FRAMES = (0.1, 0.5, 0.9)
"""Parts of a film's length that are shown beside its poster."""
FRAME_HEIGHT = 640
FRAMES_LIFE = timedelta(days=30)
MOST_CAPTIONS = 1 << 20
"""Bytes of a captions file that are compared."""
MOST_WORDS = 4_000
"""Word by word up to here, line by line beyond: comparing takes the square of it."""
Diff = tuple[tuple[str, str], ...]
"""("same" | "removed" | "added", text), in order."""


@dataclass(frozen=True)
class Fact:
    name: str
    """"title", "time", "where", "sponsored", "audience", "policy", "rules", "line", "label" or "avatar"."""
    old: str
    new: str

    @property
    def changed(self) -> bool:
        return self.old != self.new


@dataclass(frozen=True)
class Side:
    number: int
    sha256: str
    pictures: tuple[tuple[str, str], ...]
    """Address and alternative text; a film's poster and frames have none of their own."""


@dataclass(frozen=True)
class Asked:
    by: str
    at: datetime
    reasons: tuple[str, ...]
    """Of `review.REASONS`."""
    text: str
    at_ms: int | None


@dataclass(frozen=True)
class Comparison:
    post_id: str
    title: str
    language: str
    old: Side | None
    """None for a first version."""
    new: Side
    numbers: tuple[int, ...]
    """Of every version there is."""
    script: Diff
    caption: Diff
    captions: Diff
    facts: tuple[Fact, ...]
    asked: tuple[Asked, ...]


def compare(session: Session, settings: Settings, who: Person, post_id: str, number: int) -> Comparison:
    """Raises NotFound for a number there is no version of, Refused for one that is not what was frozen."""
    post = posts.get(session, who, post_id)
    rows = versions.of_post(session, post.id)
    new_row = next((row for row in rows if row.number == number), None)
    if new_row is None:
        raise NotFound(f"This post has no version {number}.", code="unknown_version")
    old_row = next((row for row in reversed(rows) if row.number < number), None)
    new, old = versions.read(new_row), versions.read(old_row) if old_row else None
    before: dict[str, Any] = old.data if old else {}
    return Comparison(
        post.id,
        new.data["title"],
        new.data["language"],
        _side(post, old_row, old) if old_row and old else None,
        _side(post, new_row, new),
        tuple(row.number for row in rows),
        between(_script(before), _script(new.data)),
        between(before.get("caption", ""), new.data["caption"]),
        _lines(captions(settings, old) if old else [], captions(settings, new)),
        tuple(_facts(before, new.data)),
        asked_of(session, old_row) if old_row else (),
    )


def _side(post: Post, row: Version, manifest: Manifest) -> Side:
    here = f"/posts/{post.id}/versions/{row.number}/frames/"
    if manifest.form == "video":
        return Side(row.number, row.sha256, tuple((f"{here}{place}", "") for place in range(len(FRAMES) + 1)))
    shown = [(f"/media/{picture['sha256']}", picture["alt"]) for picture in manifest.pictures()]
    return Side(row.number, row.sha256, tuple(shown))


def _script(data: dict[str, Any]) -> str:
    return str(data["script"]["text"]) if data else ""


def between(old: str, new: str) -> Diff:
    """Word by word, each with the blank after it."""
    a, b = re.findall(r"\S+\s*", old), re.findall(r"\S+\s*", new)
    if max(len(a), len(b)) > MOST_WORDS:
        a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
    return _diff(a, b, "")


def _lines(old: list[str], new: list[str]) -> Diff:
    return _diff(old[:MOST_WORDS], new[:MOST_WORDS], "\n")


def _diff(old: Sequence[str], new: Sequence[str], glue: str) -> Diff:
    parts: list[tuple[str, str]] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag == "equal":
            parts.append(("same", glue.join(new[c:d])))
        else:
            parts += [("removed", glue.join(old[a:b]))] * (b > a) + [("added", glue.join(new[c:d]))] * (d > c)
    return tuple(parts)


def captions(settings: Settings, manifest: Manifest) -> list[str]:
    """The words of the captions file, a line each: a time that moved is no change of words."""
    known = manifest.data["media"].get("captions")
    if known is None or known["size"] > MOST_CAPTIONS:
        return []
    text = Blobs(settings.blobs).verified(known["sha256"]).read_text("utf-8")
    lines = [line.strip() for line in text.splitlines()]
    cues = [after for before, after in pairwise([*lines, ""]) if after and "-->" not in after and before]
    return [line for line in cues if "WEBVTT" not in line]


def _facts(old: dict[str, Any], new: dict[str, Any]) -> Iterable[Fact]:
    was, now = _said(old) if old else {}, _said(new)
    yield from (Fact(name, was.get(name, ""), value) for name, value in now.items())


def _said(data: dict[str, Any]) -> dict[str, str]:
    stages = [(" + " if stage.all else " / ").join(stage.by) for stage in asked.stages_of(data)]
    targets = data["targets"]
    return {
        "title": data["title"],
        "time": ", ".join(dict.fromkeys(f"{target['local']} {target['zone']}" for target in targets)),
        "where": ", ".join(f"{target['platform']} {target['address']}".strip() for target in targets),
        "sponsored": data.get("sponsored", "no"),
        "audience": ", ".join(data.get("audience", ())),
        "policy": " → ".join(stages),
        "rules": data.get("rules", ""),
        "line": data.get("disclosure_line", ""),
        "label": data["label"]["words"],
        "avatar": data["avatar"]["pack"],
    }


def asked_of(session: Session, version: Version) -> tuple[Asked, ...]:
    """What people wanted changed about that version, oldest first."""
    query = select(Approval).where(Approval.version_id == version.id, Approval.decision == "changes_requested")
    found = []
    for row in session.exec(query.order_by(col(Approval.decided_at))):
        note = json.loads(row.note or "{}")
        member = session.get(Member, row.by)
        reasons = tuple(note.get("reasons", ()))
        name = member.name if member else row.by
        found.append(Asked(name, row.decided_at, reasons, note.get("text", ""), note.get("at_ms")))
    return tuple(found)


def frame(session: Session, settings: Settings, who: Person, post_id: str, number: int, place: int) -> Path:
    """A JPEG of that version: 0 is its poster, 1 and on its film at FRAMES. Kept under the film's hash.

    Raises NotFound where there is none, Refused when the stored film is not the one that was frozen.
    """
    post = posts.get(session, who, post_id)
    row = next((row for row in versions.of_post(session, post.id) if row.number == number), None)
    media = versions.read(row).data["media"] if row else {}
    kind = "video" if place else "poster"
    if kind not in media or not 0 <= place <= len(FRAMES):
        raise NotFound("There is no such picture.", code="unknown_frame")
    blobs, sha256 = Blobs(settings.blobs), media[kind]["sha256"]
    if not place:
        return blobs.verified(sha256)
    kept = frames_of(settings, sha256)[place - 1]
    if not kept.is_file():
        _keep(blobs.verified(sha256), kept.parent, sha256)
    return kept


def frames_of(settings: Settings, sha256: str) -> list[Path]:
    """Where the frames of a film are kept, once somebody compared it."""
    return [settings.data / "frames" / f"{sha256}-{place}.jpg" for place in range(1, len(FRAMES) + 1)]


def sweep_frames(settings: Settings, now: datetime) -> int:
    """How many were removed: cut long ago, and cut again when somebody looks again; or left by a killed process."""
    removed = 0
    for path in (settings.data / "frames").glob("*"):
        with contextlib.suppress(FileNotFoundError):  # removed meanwhile, after a withdrawal
            if path.stat().st_mtime < (now - FRAMES_LIFE).timestamp():
                path.unlink()
                removed += 1
    return removed


def _keep(film: Path, folder: Path, sha256: str) -> None:
    """A film of our own making, hashed again just now: it needs no sandbox. Written aside, then put in place."""
    import av
    from PIL import Image

    from avatar_scheduler.marks import prints

    folder.mkdir(parents=True, exist_ok=True)
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        if not stream.width or not stream.height:
            raise Refused("The film has no picture. Render the post again.", code="film")
        for place, found in enumerate(prints.moments(container, stream, FRAMES), 1):
            picture = Image.fromarray(found.to_ndarray(format="rgb24", threads=1))
            picture.thumbnail((FRAME_HEIGHT * 2, FRAME_HEIGHT))
            out = io.BytesIO()
            picture.save(out, "JPEG", quality=85)
            with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as part:
                part.write(out.getvalue())
            Path(part.name).replace(folder / f"{sha256}-{place}.jpg")
