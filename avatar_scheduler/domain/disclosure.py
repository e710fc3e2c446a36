"""Which marks a post must carry, and what counts as proof that it does."""

from collections.abc import Iterable, Mapping, Sequence
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
STILL_MARKS = VIDEO_MARKS
"""Of every single picture: each of them can be shared without the others."""
FORMS = {"video": VIDEO_MARKS, "stills": STILL_MARKS}


def required_marks(form: str) -> frozenset[Mark]:
    """Raises Refused for a form nobody thought about: what it must carry is not known."""
    if form not in FORMS:
        raise Refused(f"There are no rules for a post of the form “{form}”. It stays here.", code="unknown_form")
    return FORMS[form]


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


def missing(
    required: Iterable[Mark], evidence: Iterable[Evidence], *, media: str | Sequence[str], caption: str
) -> list[str]:
    """Why this may not leave, one line per mark; empty when every required mark was measured on exactly these bytes.

    `media` and `caption` are the SHA-256 of the bytes about to leave: evidence about other bytes is no evidence. Of
    several files each needs its own marks.
    """
    files = [media] if isinstance(media, str) else list(media)
    if not files:
        return ["There is nothing to send. Render it again."]
    found = _by_subject(evidence)
    reasons = []
    for mark in sorted(required):
        subjects = [caption] if mark is Mark.caption_line else files
        for number, subject in enumerate(subjects, 1):
            where = f"picture {number}, {mark}" if len(subjects) > 1 else f"{mark}"
            reasons += _lacking(where, found.get((mark, subject), []))
    return reasons


def _by_subject(evidence: Iterable[Evidence]) -> dict[tuple[Mark, str], list[Evidence]]:
    found: dict[tuple[Mark, str], list[Evidence]] = {}
    for e in evidence:
        found.setdefault((e.mark, e.subject), []).append(e)
    return found


def _lacking(where: str, found: list[Evidence]) -> list[str]:
    """One failed measurement outweighs any number of good ones."""
    if not found:
        return [f"{where}: not measured on this file. Render it again."]
    return [f"{where}: {e.summary}" for e in found if not e.ok][:1]


def gate(required: Iterable[Mark], evidence: Iterable[Evidence], *, media: str | Sequence[str], caption: str) -> None:
    """Raises Refused unless every required mark is proven. There is no other way past."""
    reasons = missing(required, evidence, media=media, caption=caption)
    if reasons:
        raise Refused("Kept back, a disclosure mark is missing. " + " ".join(reasons), code="mark_missing")
