"""Colour emoji, where set-up put their font (Noto Color Emoji, OFL), or Debian's package of it did.

Without the font, and for a sequence the font has no single picture for, an emoji is left out of what is drawn: a row of
boxes says nothing. The WebVTT file has it all the same.
"""

import hashlib
import re
import sys
import tarfile
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import skia

from avatar_scheduler.domain.errors import Refused

FONT = Path(sys.prefix) / "share" / "avatar-scheduler" / "noto-color-emoji.woff"
_DEBIAN = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
_PACKAGE = "@fontsource/noto-color-emoji@5.3.2"
_MEMBER = "package/files/noto-color-emoji-emoji-400-normal.woff"
_SHA256 = "f1c5e9f5bf027e93d3401224885e53c4bcce1a43422650a02594b94f05e7c4b5"

_PICTURE = "[\u203c-\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
_TONE = "[\U0001f3fb-\U0001f3ff]|\ufe0f"
_ONE = f"{_PICTURE}(?:{_TONE})?[\U000e0020-\U000e007f]*"
SEQUENCE = re.compile(f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_ONE}(?:\u200d{_ONE})*")
"""A flag, a keycap, or pictures joined to one. What looks like an emoji and is none is sorted out by the font."""


@cache
def typeface() -> Any | None:
    for path in (FONT, _DEBIAN):
        if path.is_file() and (face := skia.Typeface.MakeFromFile(str(path))):
            return face
    return None


def known(sequence: str) -> bool:
    """Whether the font has pictures for all of it; whether they join to one, only setting it tells."""
    face = typeface()
    pictures = [c for c in sequence if c not in "\u200d\ufe0f\u20e3" and not "\U000e0020" <= c <= "\U000e007f"]
    return face is not None and all(face.unicharToGlyph(ord(c)) for c in pictures)


def install(font: Path = FONT, fetch: Callable[[Path, str], Path] | None = None) -> None:
    """Once, at set-up, from npm: no package of PyPI carries a colour font that needs no credit under each post."""
    from avatar_scheduler.studio.speech.install import npm

    if _is_ours(font):
        return
    font.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=font.parent) as scratch:
        part = Path(scratch) / font.name
        with tarfile.open((fetch or npm)(Path(scratch), _PACKAGE)) as package:
            member = package.extractfile(_MEMBER)
            part.write_bytes(member.read() if member else b"")
        if not _is_ours(part):
            raise Refused(f"{_PACKAGE} is not what was expected (its SHA-256 differs), and was not kept.", code="hash")
        part.replace(font)


def _is_ours(font: Path) -> bool:
    return font.is_file() and hashlib.sha256(font.read_bytes()).hexdigest() == _SHA256
