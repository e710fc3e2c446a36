"""A stranger's file through two locked-in processes: one opens it and knows no secret, one knows the keys and sees
only pixels. What they say is taken for numbers, for the first of them had a stranger's file in it."""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from sqlmodel import select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.db.tables import Organization
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import signers, timestamps
from avatar_scheduler.marks.watermark import keys
from avatar_scheduler.services import uploads
from avatar_scheduler.uploads import sandbox, sniff
from avatar_scheduler.uploads.incoming import Incoming
from avatar_scheduler.uploads.kinds import MB

OPENING_SECONDS, TRACING_SECONDS = 45.0, 20.0
_WRITTEN = 16 * MB
"""A plane of floats, 960 pixels square, and three of bytes, 1920 pixels square."""
_LONGEST_SIDE = 1920
_FAMILIES = ("picture", "mp4", "matroska")
_PRINT, _MARK_ID = re.compile(r"[0-9a-f]{16}"), re.compile(r"[0-9a-f]{8}")
_STATES = ("trusted", "valid", "invalid")


@dataclass(frozen=True)
class Sight:
    width: int
    height: int
    duration_ms: int
    size: tuple[int, int]
    """Of the pixels kept: width and height, 1920 at most."""
    shown: int
    """Frames kept whole."""
    prints: tuple[str, ...]
    claimed: str
    """State of the file's own manifest, "none" when it has none."""
    claimed_mark: str
    source_type: bool
    """Its metadata still names a source type."""
    pixels: BinaryIO

    @property
    def kind(self) -> str:
        return "video" if self.duration_ms else "image"

    def frame(self, number: int) -> bytes:
        """Luma of the frames kept, -1 for the last."""
        width, height = self.size
        blue = 4 * (width // 2) * (height // 2)
        self.pixels.seek(blue + number % self.shown * width * height)
        return self.pixels.read(width * height)


@contextmanager
def opened(settings: Settings, incoming: Incoming) -> Iterator[Sight]:
    """Until the block ends; nothing has a name on disk. Raises Invalid for a file that cannot be opened, Refused where
    none can be opened safely or others are being opened."""
    if why := sandbox.available():
        raise sandbox.off(why)
    found = sniff.sniff(incoming.file, incoming.size)
    if found.family not in _FAMILIES:
        raise Invalid(
            f"The file is {found.name}. Bring a JPEG, PNG or WebP picture, or an MP4, MOV or WebM film.",
            code="upload_type",
        )
    options = {"reader": "avatar_scheduler.marks.glance:opened", "opener": found.opener, **_trusted(settings)}
    with _unnamed(settings) as pixels, _unnamed(settings) as unused:
        said = sandbox.run(
            "view", incoming.file, pixels, unused, options, wall_seconds=OPENING_SECONDS, written_bytes=_WRITTEN
        )  # fmt: skip
        yield _sight(said, pixels)


def _trusted(settings: Settings) -> dict[str, str]:
    folder = settings.keys / "credentials"
    return {"root_pem": signers.read_root(folder), "time_roots": timestamps.read_roots(folder)}


def _sight(said: dict[str, Any], pixels: BinaryIO) -> Sight:
    try:
        claims = said["claims"]
        state, mark_id = str(claims["state"]), str(claims["mark_id"])
        width, height = (min(_LONGEST_SIDE, max(16, int(side))) for side in said["size"])
        return Sight(
            width=max(1, int(said["width"])),
            height=max(1, int(said["height"])),
            duration_ms=max(0, int(said["duration_ms"])),
            size=(width, height),
            shown=min(3, max(1, int(said["shown"]))),
            prints=tuple(p for p in said["prints"] if isinstance(p, str) and _PRINT.fullmatch(p)),
            claimed=state if state in _STATES else "none",
            claimed_mark=mark_id if _MARK_ID.fullmatch(mark_id) else "",
            source_type=said["source_type"] is True,
            pixels=pixels,
        )
    except (KeyError, TypeError, ValueError):
        raise Invalid("The file is damaged or cut off. Export it again.", code="upload_damaged") from None


def watermark(settings: Settings, sight: Sight) -> tuple[str, str]:
    """Organization and id of the hidden mark; both empty when there is none. Raises Refused without the keys.

    First as the picture was made, at whatever size, which takes no time; then at other places, for as long as a
    stranger's file is worth.
    """
    with read_scope(settings) as session:
        organizations = list(session.exec(select(Organization.id)))
    known = {one: keys.key_of(settings.keys / "credentials", one).hex() for one in organizations}
    for search in (False, True):
        try:
            mark = _traced(settings, sight, {"size": sight.size, "keys": known, "search": search})
        except Invalid as error:
            if error.code != sandbox.LATE:
                raise
            return "", ""  # not found in its time
        if mark:
            return str(mark["organization"]), str(mark["mark_id"])
    return "", ""


def _traced(settings: Settings, sight: Sight, question: dict[str, Any]) -> dict[str, Any] | None:
    options = {"reader": "avatar_scheduler.marks.glance:traced", "opener": ""}
    with _unnamed(settings) as asked, Path("/dev/null").open("r+b", buffering=0) as unused:
        asked.write(json.dumps(question).encode())
        asked.flush()
        asked.seek(0)
        sight.pixels.seek(0)
        said = sandbox.run(
            "view", sight.pixels, cast("BinaryIO", unused), asked, options,
            wall_seconds=TRACING_SECONDS, written_bytes=0,
        )  # fmt: skip
    mark: dict[str, Any] | None = said.get("mark")
    return mark


@contextmanager
def _unnamed(settings: Settings) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile(dir=uploads.folder(settings)) as file:
        yield cast("BinaryIO", file)
