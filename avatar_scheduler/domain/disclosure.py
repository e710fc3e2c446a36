"""Which marks a post must carry, and what counts as proof that it does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from avatar_scheduler.domain.errors import Refused


class Mark(StrEnum):
    label = "label"
    """Burned into the picture, first to last frame."""
    caption_line = "caption_line"
    """First line of the caption, in the audience's language."""
    xmp = "xmp"
    """IPTC DigitalSourceType in the file's XMP."""
    credentials = "credentials"
    """C2PA manifest, signed last."""
    platform_flag = "platform_flag"
    """The platform's own AI switch, on the serialised request."""


VIDEO_MARKS = frozenset({Mark.label, Mark.caption_line, Mark.xmp, Mark.credentials})


@dataclass(frozen=True)
class Evidence:
    """One mark as measured on final bytes. Never built from a flag or a setting."""

    mark: Mark
    ok: bool
    summary: str
    """One line for a person: "0:00-0:24" or "gone from 0:41 to 0:48"."""
    tool: str
    """Name and version of what measured it."""
    subject: str
    """SHA-256 (hex) of the measured bytes; of the UTF-8 caption for `caption_line`."""
    measured: Mapping[str, str | int | bool] = field(default_factory=dict)
    """Numbers behind the verdict. Integers only (thousandths where a fraction is needed): they are hashed."""


def missing(required: Iterable[Mark], evidence: Iterable[Evidence], *, media: str, caption: str) -> list[str]:
    """Why this may not leave, one line per mark; empty when every required mark was measured on exactly these bytes.

    `media` and `caption` are the SHA-256 of the bytes about to leave: evidence about other bytes is no evidence.
    """
    proven = {e.mark: e for e in evidence if e.subject == (caption if e.mark is Mark.caption_line else media)}
    reasons = []
    for mark in sorted(required):
        found = proven.get(mark)
        if found is None:
            reasons.append(f"{mark}: not measured on this file. Render it again.")
        elif not found.ok:
            reasons.append(f"{mark}: {found.summary}")
    return reasons


def gate(required: Iterable[Mark], evidence: Iterable[Evidence], *, media: str, caption: str) -> None:
    """Raises Refused unless every required mark is proven. There is no other way past."""
    reasons = missing(required, evidence, media=media, caption=caption)
    if reasons:
        raise Refused("Kept back, a disclosure mark is missing. " + " ".join(reasons), code="mark_missing")
