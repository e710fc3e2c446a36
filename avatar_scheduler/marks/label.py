"""The visible label: how it looks, and whether it is in the picture from the first frame to the last."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import digest
from avatar_scheduler.marks.times import Span, clock, named

if TYPE_CHECKING:
    from avatar_scheduler.marks.likeness import Likeness

TOOL = "label check 2"
PLATE_SEEN = 500
"""A match (thousandths) from which something like the plate is there, so it was altered rather than gone."""
ENDS_MS = 1000
"""At either end, where no person may stand for the avatar."""

Sightings = list[tuple[int, "Likeness"]]
Measured = dict[str, str | int | bool]
Parts = list[tuple[int, "Likeness | None"]]


@dataclass(frozen=True)
class LabelArt:
    """What the compositor burns in. x, y, width and height are even, so 4:2:0 chroma never straddles its edge."""

    rgba: bytes = field(repr=False)
    """Straight alpha, rows from the top, width * height * 4 bytes."""
    width: int
    height: int
    x: int
    y: int
    alt: str
    """The whole wording, also where the picture had to shorten it: for screen readers."""
    text: str
    """What the AI plate shows, letter for letter: "AI Avatar of Maya". A name that was cut ends in an ellipsis."""
    label_height: int
    """Rows of the AI plate, the upper one."""
    sponsor_text: str = ""
    """What the second plate shows, the lower one; empty when there is none."""
    sponsor_height: int = 0

    @property
    def plate(self) -> "LabelArt":
        """The AI plate by itself."""
        return self._rows(0, self.label_height, self.text)

    @property
    def sponsor(self) -> "LabelArt | None":
        """The second plate by itself."""
        if not self.sponsor_text:
            return None
        return self._rows(self.height - self.sponsor_height, self.height, self.sponsor_text)

    def _rows(self, first: int, end: int, text: str) -> "LabelArt":
        rgba = self.rgba[first * self.width * 4 : end * self.width * 4]
        return LabelArt(rgba, self.width, end - first, self.x, self.y + first, text, text, end - first)


def draw(
    sign: str,
    words: str,
    frame: tuple[int, int],
    *,
    sponsor: str = "",
    icon: bytes = b"",
    whole: Sequence[str] = (),
) -> LabelArt:
    """The plate for a frame of (width, height) pixels, and under it the one that says what is paid for.

    Words too long for the picture lose their end; `whole` are the wordings that may not lose a letter. `icon` is a PNG
    or SVG that takes the place of the sign's box; the sign then is the first of the words.
    Raises Invalid when the wording cannot be shown whole and readably.
    """
    from avatar_scheduler.marks import plate  # skia opens only where something is drawn

    return plate.draw(sign, words, frame, sponsor=sponsor, icon=icon, whole=whole)


def measure(video: Path, art: LabelArt, *, subject: str | None = None, human_ms: tuple[Span, ...] = ()) -> Evidence:
    """The AI plate alone, as `measure_plates` finds it."""
    return measure_plates(video, art.plate, subject=subject, human_ms=human_ms)[0]


def measure_plates(
    video: Path, art: LabelArt, *, subject: str | None = None, human_ms: tuple[Span, ...] = ()
) -> list[Evidence]:
    """The AI plate, and the plate for what is paid for where there is one, each in its own place of the picture.

    Looks at the first frame, the last, and every frame between that the film is built from, several a second and never
    two seconds apart. When one fails, looks at every single frame to say exactly from when to when. `subject` is the
    file's SHA-256 if already known. Never raises for what is wrong with the file.

    `human_ms` are the parts that show a person: there every single frame must be without the AI plate, for it would
    call a person an avatar, and they may not fill more than half of the film nor touch its first or last second. What
    is paid for stays paid for whoever is shown.
    """
    from avatar_scheduler.marks import footage, watch  # PyAV opens only where something is measured

    subject = digest.of_file(video) if subject is None else subject
    tool = f"{TOOL}, {footage.DECODER}"
    plates = {Mark.label: art.plate, **({Mark.sponsor_label: art.sponsor} if art.sponsor else {})}
    try:
        survey, seen = watch.watch(video, list(plates.values()), closely=bool(human_ms))
    except Invalid as problem:
        return [Evidence(mark, False, problem.message, tool, subject) for mark in plates]
    found = []
    for (mark, plate), sightings in zip(plates.items(), seen, strict=True):
        spared = human_ms if mark is Mark.label else ()
        wrong, measured = _judged(sightings, spared, survey.end_ms)
        measured["height_thousandths"] = plate.height * 1000 // min(survey.width, survey.height)
        if not wrong:
            measured["text"] = plate.text
        summary = wrong or _all_there(spared, survey.end_ms)
        found.append(Evidence(mark, not wrong, summary, tool, subject, measured))
    return found


def _judged(seen: Sightings, human_ms: tuple[Span, ...], end_ms: int) -> tuple[str, Measured]:
    """What is wrong, and the numbers."""
    outside, inside = _parted(seen, human_ms)
    gone = _spans([(at, likeness is not None and not likeness.ok) for at, likeness in outside], end_ms)
    shown = _spans([(at, likeness is not None and likeness.match >= PLATE_SEEN) for at, likeness in inside], end_ms)
    measured: Measured = {
        "frames": len(seen),
        "worst_match": min((likeness.match for _, likeness in outside if likeness), default=0),
        "worst_patch": max((likeness.patch for _, likeness in outside if likeness), default=1000),
        "end_ms": end_ms,
    }
    if human_ms:
        measured |= {
            "human_clips": len(human_ms),
            "human_ms": sum(end - begin for begin, end in human_ms),
            "human_best_match": max((likeness.match for _, likeness in inside if likeness), default=0),
        }
    if spans := gone or shown:
        measured |= {"fails_from_ms": spans[0][0], "fails_to_ms": spans[0][1], "gaps": len(spans)}
    return _unfit(human_ms, end_ms) or _gone(gone, outside) or _shown(shown), measured


def _parted(seen: Sightings, human_ms: tuple[Span, ...]) -> tuple[Parts, Parts]:
    """What is seen outside the human clips and inside them; None stands for a frame of the other part."""
    within = [any(begin <= at < end for begin, end in human_ms) for at, _ in seen]
    outside = [(at, None if human else likeness) for (at, likeness), human in zip(seen, within, strict=True)]
    inside = [(at, likeness if human else None) for (at, likeness), human in zip(seen, within, strict=True)]
    return outside, inside


def _spans(failing: list[tuple[int, bool]], end_ms: int) -> list[Span]:
    """From the first frame that fails to the next that does not."""
    spans: list[Span] = []
    begin: int | None = None
    for at, fails in failing:
        if fails:
            begin = at if begin is None else begin
        elif begin is not None:
            spans.append((begin, at))
            begin = None
    return spans if begin is None else [*spans, (begin, end_ms)]


def _unfit(human_ms: tuple[Span, ...], end_ms: int) -> str:
    if not human_ms:
        return ""
    if min(begin for begin, _ in human_ms) < ENDS_MS or max(end for _, end in human_ms) > end_ms - ENDS_MS:
        return "a human clip stands in the first or last second"
    if 2 * sum(end - begin for begin, end in human_ms) > end_ms:
        return "human clips fill more than half of the film"
    return ""


def _gone(spans: list[Span], outside: Parts) -> str:
    if not spans:
        return ""
    seen_plate = all(likeness.match >= PLATE_SEEN for _, likeness in outside if likeness and not likeness.ok)
    return f"{'altered' if seen_plate else 'gone'} {named(spans)}"


def _shown(spans: list[Span]) -> str:
    return f"shown over a person {named(spans)}" if spans else ""


def _all_there(human_ms: tuple[Span, ...], end_ms: int) -> str:
    """ "0:00-0:24, human clip 0:08-0:12"."""
    clips = [f"human clip {clock(begin)}-{clock(end)}" for begin, end in human_ms]
    return ", ".join([f"0:00-{clock(end_ms // 1000 * 1000)}", *clips])
