"""From a file somebody brought to one of our own: named, capped, and written anew in a locked-in process."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, BinaryIO, cast

from avatar_scheduler.uploads import kinds, sandbox, sniff
from avatar_scheduler.uploads.incoming import Incoming
from avatar_scheduler.uploads.sandbox import Progress, silent

_TASKS = {"photo": "picture", "image": "picture", "audio": "sound", "music": "sound", "clip": "clip", "pack": "pack"}
_MIMES = ("image/jpeg", "image/png", "audio/flac", "video/mp4", "application/zip")
_OPTIONS = {"audio": {"layout": "mono"}, "music": {"layout": "stereo"}}


@dataclass(frozen=True)
class Accepted:
    path: Path
    """Of the new file, until the block ends."""
    mime: str
    size: int
    width: int
    height: int
    duration_ms: int
    thumbnail: Path
    """A JPEG, or empty for what cannot be seen."""


@contextmanager
def accepted(
    incoming: Incoming, kind_name: str, filename: str, folder: Path, progress: Progress = silent, canonical: str = ""
) -> Iterator[Accepted]:
    """Raises Invalid with the reason, or Refused when this machine cannot lock the opening process in.

    `canonical` is for packs: "module:function" of what rewrites one.
    """
    kind = kinds.kind_of(kind_name)
    if why := sandbox.available():
        raise sandbox.off(why)
    found = sniff.sniff(incoming.file, incoming.size)
    sniff.check(found, kind_name, kind, filename)
    with (
        tempfile.NamedTemporaryFile(dir=folder, prefix="new-") as target,
        tempfile.NamedTemporaryFile(dir=folder, prefix="small-") as small,
        tempfile.TemporaryDirectory(dir=folder, prefix="pack-") as room,
    ):
        told = sandbox.run(
            _TASKS[kind_name],
            incoming.file,
            cast("BinaryIO", target),
            cast("BinaryIO", small),
            {"opener": found.opener, **_OPTIONS.get(kind_name, {})}
            | (_for_pack(canonical, room, filename) if kind_name == "pack" else {}),
            wall_seconds=kind.wall_seconds,
            written_bytes=kind.written_bytes,
            progress=progress,
        )
        yield _measured(Path(target.name), Path(small.name), told)


def _for_pack(canonical: str, room: str, filename: str) -> dict[str, str]:
    return {"canonical": canonical, "folder": room, "named": f"{_stem(filename)}.zip"}


def _stem(filename: str) -> str:
    """A pack without a name of its own is called after its file."""
    return re.sub(r"[^A-Za-z0-9]+", "-", PurePath(filename).stem)[:40].strip("-") or "pack"


def _measured(path: Path, thumbnail: Path, told: dict[str, Any]) -> Accepted:
    """The numbers come from a process that had a stranger's file in it: numbers, and no more, are taken."""
    width, height, duration_ms = (max(0, int(told[name])) for name in ("width", "height", "duration_ms"))
    mime = _MIMES[_MIMES.index(told["mime"])]
    return Accepted(path, mime, path.stat().st_size, width, height, duration_ms, thumbnail)
