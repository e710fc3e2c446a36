"""All the marks a video must carry, measured on its final bytes."""

from dataclasses import dataclass
from pathlib import Path

from avatar_scheduler.domain.disclosure import Evidence
from avatar_scheduler.marks import caption, credentials, digest, label, xmp
from avatar_scheduler.marks.label import LabelArt


@dataclass(frozen=True)
class Expected:
    label: LabelArt
    caption: str
    caption_line: str
    root_pem: str
    human_ms: tuple[tuple[int, int], ...] = ()
    """Start and end of each part that shows a person, not the avatar."""


def inspect(media: Path, expected: Expected) -> list[Evidence]:
    """One per member of VIDEO_MARKS. Never raises for bad media: evidence that is not ok says why."""
    subject = digest.of_file(media)
    return [
        label.measure(media, expected.label, subject=subject, human_ms=expected.human_ms),
        caption.measure(expected.caption, expected.caption_line),
        xmp.measure(media, subject=subject),
        credentials.measure(media, expected.root_pem, subject=subject),
    ]
