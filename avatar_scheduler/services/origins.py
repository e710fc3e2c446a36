"""What a file says of how it came to be: read before we write it anew, for then its own words are gone."""

from typing import BinaryIO

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import source_types
from avatar_scheduler.studio.speech import cues

_CHUNK = 1 << 20
_WORDS = tuple(uri.rpartition("/")[2].encode() for uri in source_types.SYNTHETIC)
_OVERLAP = max(map(len, _WORDS)) - 1


def made_by_ai(file: BinaryIO) -> bool:
    """Content Credentials and XMP both keep the source type as plain text, so nothing of the file is parsed."""
    file.seek(0)
    before = b""
    while chunk := file.read(_CHUNK):
        window = before + chunk
        if any(word in window for word in _WORDS):
            return True
        before = window[-_OVERLAP:]
    return False


def check_clip(name: str, text: str) -> None:
    """Raises Invalid when the script shows this material, which AI made, as a person's own film."""
    if name in cues.clips(text):
        raise Invalid(
            f"“{name}” says itself that AI made it, so it cannot be shown as a person's own film. Use [show {name}].",
            code="made_by_ai",
        )
