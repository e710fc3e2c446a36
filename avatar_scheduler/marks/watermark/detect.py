"""Reading the hidden mark: from files as we made them, and from copies scaled, cropped, framed or mirrored."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import digest
from avatar_scheduler.marks.watermark import picture, scores
from avatar_scheduler.marks.watermark import search as wide
from avatar_scheduler.marks.watermark.pattern import NATIVE
from avatar_scheduler.marks.watermark.picture import Blue, Span
from avatar_scheduler.marks.watermark.scores import Geometry, Reader

TOOL = "watermark 1"
LONGEST = 4
"""Times the shortest side: what is longer is no picture of ours, and would be blown up without end."""


@dataclass(frozen=True)
class Rule:
    """Both scores must be reached, and the checksum must hold."""

    sync: float
    decoder: float


AS_MADE = Rule(3.5, 9.0)
SEARCHED = Rule(5.5, 9.5)


@dataclass(frozen=True)
class Reading:
    organization: str
    mark_id: str
    sync: float
    decoder: float
    searched: bool
    """Found only after looking for the grid."""
    mirrored: bool
    geometry: Geometry


def read_video(
    path: Path, keys: Mapping[str, bytes], *, search: bool, human_ms: tuple[Span, ...] = ()
) -> Reading | None:
    """The mark in a film, under one of the organizations' keys. Raises Invalid when the file cannot be decoded."""
    return read(picture.of_film(path, human_ms=human_ms), keys, search=search)


def read_still(path: Path, keys: Mapping[str, bytes], *, search: bool) -> Reading | None:
    """The same in a JPEG, PNG or WebP."""
    return read(picture.of_still(path), keys, search=search)


def read(blue: Blue, keys: Mapping[str, bytes], *, search: bool) -> Reading | None:
    """`search` also tries other scales and places than those of a file as we made it, and the mirror image: seconds
    instead of a tenth of one."""
    reader = Reader(blue)
    reading = _reading(reader, as_made(blue), keys, AS_MADE)
    if reading or not search:
        return reading
    for mirrored in (False, True):
        reader = Reader(np.ascontiguousarray(blue[:, ::-1])) if mirrored else reader
        for geometry in wide.candidates(reader.blue):
            near = wide.refined(reader, geometry)
            reading = _reading(reader, near, keys, SEARCHED, mirrored=mirrored)
            if reading:
                return reading
    return None


def as_made(blue: Blue) -> Geometry:
    shortest = max(min(blue.shape), max(blue.shape) // LONGEST)
    return Geometry(2 * shortest / NATIVE)


def _reading(
    reader: Reader, geometry: Geometry, keys: Mapping[str, bytes], rule: Rule, *, mirrored: bool = False
) -> Reading | None:
    soft = reader.soft(geometry)
    sync = scores.sync(soft)
    if sync < rule.sync:
        return None
    for organization, key in keys.items():
        mark_id, decoder = scores.best(soft, key)
        if mark_id and decoder >= rule.decoder:
            return Reading(organization, mark_id, sync, decoder, rule is SEARCHED, mirrored, geometry)
    return None


def measure(
    media: Path, mark_id: str, key: bytes, *, subject: str | None = None, human_ms: tuple[Span, ...] = ()
) -> Evidence:
    """Whether this id is in the film or picture, as we made it. Never raises for what is wrong with the file.

    `subject` is the file's SHA-256 if already known; `human_ms` are the parts that show a person, which carry nothing.
    """
    import cv2

    subject = digest.of_file(media) if subject is None else subject
    tool = f"{TOOL}, OpenCV {cv2.__version__}"
    try:
        reader = Reader(picture.of_file(media, human_ms=human_ms))
    except Invalid as problem:
        return Evidence(Mark.watermark, False, problem.message, tool, subject)
    soft = reader.soft(as_made(reader.blue))
    sync, (found, decoder) = scores.sync(soft), scores.best(soft, key)
    measured: dict[str, str | int | bool] = {"id": found, "sync": round(1000 * sync), "decoder": round(1000 * decoder)}
    if not found or sync < AS_MADE.sync or decoder < AS_MADE.decoder:
        return Evidence(Mark.watermark, False, "gone", tool, subject, measured | {"id": ""})
    if found != mark_id:
        return Evidence(Mark.watermark, False, f"says {found}, not {mark_id}", tool, subject, measured)
    return Evidence(Mark.watermark, True, f"in the picture, {found}", tool, subject, measured)
