"""All the marks a post must carry, measured on its final bytes."""

from dataclasses import dataclass, replace
from pathlib import Path

from avatar_scheduler.domain.disclosure import Evidence
from avatar_scheduler.marks import aigc, caption, credentials, digest, label, spoken, xmp
from avatar_scheduler.marks.label import LabelArt
from avatar_scheduler.marks.spoken import Sentence
from avatar_scheduler.marks.times import Span


@dataclass(frozen=True)
class Expected:
    """What should be there. A mark nobody ordered is empty here and not measured: the gate then misses it."""

    label: LabelArt
    caption: str
    caption_line: str
    root_pem: str
    human_ms: tuple[Span, ...] = ()
    """Start and end of each part that shows a person, not the avatar."""
    sponsor_line: str = ""
    spoken: Sentence | None = None
    mark_id: str = ""
    """8 hexadecimal digits: in the watermark, in the AIGC tag and bound by the credentials."""
    watermark_key: bytes = b""
    time_roots: str = ""
    """PEM of the time-stamp authorities believed."""


def inspect(media: Path, expected: Expected) -> list[Evidence]:
    """One for each mark of a film and its caption. Never raises for bad media: evidence that is not ok says why."""
    subject = digest.of_file(media)
    found = label.measure_plates(media, expected.label, subject=subject, human_ms=expected.human_ms)
    if expected.spoken:
        found.append(spoken.measure(media, expected.spoken, subject=subject))
    return [*found, *of_caption(expected), *of_file(media, expected, subject)]


def of_caption(expected: Expected) -> list[Evidence]:
    found = [caption.measure(expected.caption, expected.caption_line)]
    if expected.sponsor_line:
        found.append(caption.measure_sponsor(expected.caption, expected.sponsor_line))
    return found


def of_file(media: Path, expected: Expected, subject: str) -> list[Evidence]:
    """The marks that films and pictures have alike: in the metadata, and hidden in the pixels."""
    roots, mark_id = expected.time_roots, expected.mark_id
    found = [
        xmp.measure(media, subject=subject),
        _same_id(aigc.measure(media, subject=subject), mark_id),
        credentials.measure(media, expected.root_pem, mark_id=mark_id, time_roots=roots, subject=subject),
    ]
    if mark_id:
        from avatar_scheduler.marks.watermark import detect  # numpy and OpenCV open only where something is measured

        found.append(
            detect.measure(media, mark_id, expected.watermark_key, subject=subject, human_ms=expected.human_ms)
        )
    return found


def _same_id(tag: Evidence, mark_id: str) -> Evidence:
    """Two ids in one file lead to two posts."""
    if not tag.ok or not mark_id or tag.measured["id"] == mark_id:
        return tag
    return replace(tag, ok=False, summary=f"says {tag.measured['id']}, not {mark_id}")
