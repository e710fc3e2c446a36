"""The visible label: how it looks, and whether it is in the picture from the first frame to the last."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import digest

if TYPE_CHECKING:
    from avatar_scheduler.marks.likeness import Likeness

TOOL = "label check 1"
PLATE_SEEN = 500
"""A match (thousandths) from which something like the plate is there, so it was altered rather than gone."""

Sightings = list[tuple[int, "Likeness"]]
Span = tuple[int, int]


@dataclass(frozen=True)
class LabelArt:
    """What the compositor burns in. x, y, width and height are even, so 4:2:0 chroma never straddles its edge."""

    rgba: bytes
    """Straight alpha, rows from the top, width * height * 4 bytes."""
    width: int
    height: int
    x: int
    y: int
    alt: str
    """The whole wording, also where the picture had to shorten it: for screen readers."""


def draw(sign: str, words: str, frame: tuple[int, int]) -> LabelArt:
    """The plate for a frame of (width, height) pixels. Raises Invalid when the wording cannot be shown readably."""
    from avatar_scheduler.marks import plate  # skia opens only where something is drawn

    return plate.draw(sign, words, frame)


def measure(video: Path, art: LabelArt, *, subject: str | None = None) -> Evidence:
    """Looks at the first frame, the last, and every reference frame between (about every second frame).

    When one fails, looks at every single frame to say exactly from when to when. `subject` is the file's SHA-256 if
    already known. Never raises for what is wrong with the file.
    """
    from avatar_scheduler.marks import footage, watch  # PyAV opens only where something is measured

    subject = digest.of_file(video) if subject is None else subject
    tool = f"{TOOL}, {footage.DECODER}"
    try:
        survey, seen = watch.watch(video, art)
    except Invalid as problem:
        return Evidence(Mark.label, False, problem.message, tool, subject)
    spans = _failing(seen, survey.end_ms)
    measured: dict[str, str | int | bool] = {
        "frames": len(seen),
        "worst_match": min(likeness.match for _, likeness in seen),
        "worst_patch": max(likeness.patch for _, likeness in seen),
        "height_thousandths": art.height * 1000 // min(survey.width, survey.height),
        "end_ms": survey.end_ms,
    }
    if spans:
        measured |= {"fails_from_ms": spans[0][0], "fails_to_ms": spans[0][1], "gaps": len(spans)}
    return Evidence(Mark.label, not spans, _say(spans, seen, survey.end_ms), tool, subject, measured)


def _failing(seen: Sightings, end_ms: int) -> list[Span]:
    """From the first frame that fails to the next that does not."""
    spans: list[Span] = []
    begin: int | None = None
    for at, likeness in seen:
        if not likeness.ok:
            begin = at if begin is None else begin
        elif begin is not None:
            spans.append((begin, at))
            begin = None
    return spans if begin is None else [*spans, (begin, end_ms)]


def _say(spans: list[Span], seen: Sightings, end_ms: int) -> str:
    if not spans:
        return f"0:00-{_clock(end_ms // 1000 * 1000)}"
    seen_plate = all(likeness.match >= PLATE_SEEN for _, likeness in seen if not likeness.ok)
    named = ", ".join(f"from {_clock(begin)} to {_clock(end)}" for begin, end in spans[:3])
    more = f" and {len(spans) - 3} more times" if len(spans) > 3 else ""
    return f"{'altered' if seen_plate else 'gone'} {named}{more}"


def _clock(ms: int) -> str:
    minutes, rest = divmod(ms, 60_000)
    fraction = f"{rest % 1000:03}".rstrip("0")
    return f"{minutes}:{rest // 1000:02}" + (f".{fraction}" if fraction else "")
