"""The marks that say "an AI made this" and "this is paid for": what a rule asks of them, and what proves them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Mark(StrEnum):
    label = "label"
    """Burned into the picture, first to last frame."""
    sponsor_label = "sponsor_label"
    """Beside it, for what is paid for: never instead of it."""
    spoken = "spoken"
    """Said first, where nobody may be looking."""
    caption_line = "caption_line"
    """First line of the caption, in the audience's language."""
    sponsor_line = "sponsor_line"
    """Second line of the caption of what is paid for."""
    xmp = "xmp"
    """IPTC DigitalSourceType in the file's XMP."""
    aigc = "aigc"
    """The AIGC metadata tag of GB 45438-2025."""
    credentials = "credentials"
    """C2PA manifest, signed last."""
    watermark = "watermark"
    """Imperceptible, in the pixels: leads back to the stored manifest when everything else was stripped."""
    platform_flag = "platform_flag"
    """The platform's own AI switch, on the serialised request."""
    sponsor_flag = "sponsor_flag"
    """The platform's own switch for paid content, on the serialised request."""


ON_REQUEST = frozenset({Mark.platform_flag, Mark.sponsor_flag})
"""Measured on the request itself just before it leaves, so there is no evidence of them in a version."""
IN_CAPTION = frozenset({Mark.caption_line, Mark.sponsor_line})
SPONSORED = ("no", "own", "paid")
"""Nothing to declare, the creator's own brand, somebody else's money. Anything else is unknown and refused."""
MEDIA = ("video", "image", "carousel", "audio", "live", "text")


@dataclass(frozen=True)
class Content:
    """What of a version the rules look at."""

    media: str
    """"video", "image", "carousel", "audio", "live" or "text"."""
    performer: str
    sponsored: str
    language: str
    """BCP 47, of the words the audience gets."""


@dataclass(frozen=True)
class Place:
    platform: str
    surface: str
    """One of the platform's own ways in, such as "reel" or "direct_video"."""


@dataclass(frozen=True)
class RequiredMark:
    """One mark one rule demands. Several rules may demand the same mark, each with its own wording."""

    mark: Mark
    rule: str
    """Id of the row, such as "fr.loi-2023-451"."""
    law: str
    """What a person calls it."""
    source: str
    checked: date
    wording: tuple[str, ...] = ()
    """One of these must be in the mark's text, letter for letter; empty asks for no fixed words."""
    height_thousandths: int = 0
    """Smallest height of the label's plate, of the picture's shortest side."""
    field: str = ""
    """Of a flag: where it stands in the request, such as "post_info.is_aigc"."""
    value: str = ""
    """Of a flag: as JSON."""


@dataclass(frozen=True)
class Blocked:
    """Nothing makes this lawful or allowed there."""

    rule: str
    reason: str
    source: str
    way_out: str


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
    """SHA-256 (hex) of the measured bytes; of the UTF-8 caption for marks in it."""
    measured: Mapping[str, str | int | bool] = field(default_factory=dict)
    """Numbers behind the verdict. Integers only (thousandths where a fraction is needed): they are hashed."""


def unproven(
    required: Iterable[RequiredMark], evidence: Iterable[Evidence], *, media: Sequence[str], caption: str
) -> list[str]:
    """Why this may not leave, one line each; empty when every mark was measured on exactly these bytes, as demanded.

    `media` and `caption` are the SHA-256 of what is about to leave: evidence about other bytes is no evidence. Each of
    several files needs its own marks. Marks on the request are passed over: they are measured as it leaves.
    """
    demands = [demand for demand in required if demand.mark not in ON_REQUEST]
    if not demands:
        return ["No rule asks for a mark here, which is never so. Submit the post again."]
    if not media and any(demand.mark not in IN_CAPTION for demand in demands):
        return ["There is nothing to send. Render it again."]
    found, reasons = _by_subject(evidence), []
    for mark in sorted({demand.mark for demand in demands}):
        strict = [demand for demand in demands if demand.mark is mark and (demand.wording or demand.height_thousandths)]
        subjects = [caption] if mark in IN_CAPTION else media
        for number, subject in enumerate(subjects, 1):
            where = f"picture {number}, {mark}" if len(subjects) > 1 else f"{mark}"
            seen = found.get((mark, subject), [])
            reasons += _lacking(where, seen) or [short for one in strict for short in _falls_short(where, one, seen)]
    return reasons


def _falls_short(where: str, demand: RequiredMark, measured: list[Evidence]) -> list[str]:
    """It is there; this is whether it says and is as much as the rule wants, by every measurement of it."""
    short = []
    for one in measured:
        text, height = one.measured.get("text"), one.measured.get("height_thousandths")
        height = height if isinstance(height, int) else 0
        if demand.wording and not (isinstance(text, str) and any(words in text for words in demand.wording)):
            wanted = " or ".join(f"“{words}”" for words in demand.wording)
            short.append(f"{where}: it must say {wanted} ({demand.rule}), it says “{text or ''}”.")
        if height < demand.height_thousandths:
            asked = f"{demand.height_thousandths / 10:g} % of the shortest side ({demand.rule})"
            short.append(f"{where}: it is {height / 10:g} % high, {asked} are asked for.")
    return short


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
