"""Colour emoji, where set-up found their font: Noto Color Emoji in the environment, or as Debian installs it.

Without the font, and for a sequence the font has no single picture for, an emoji is left out of what is drawn: a row of
boxes says nothing. The WebVTT file has it all the same.
"""

import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import skia

FONTS = (
    Path(sys.prefix) / "share" / "avatar-scheduler" / "noto-color-emoji.woff",
    Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"),
)
_PICTURE = "[\u203c-\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
_TONE = "[\U0001f3fb-\U0001f3ff]|\ufe0f"
_ONE = f"{_PICTURE}(?:{_TONE})?[\U000e0020-\U000e007f]*"
SEQUENCE = re.compile(f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_ONE}(?:\u200d{_ONE})*")
"""A flag, a keycap, or pictures joined to one. What looks like an emoji and is none is sorted out by the font."""


@cache
def typeface() -> Any | None:
    for path in FONTS:
        if path.is_file() and (face := skia.Typeface.MakeFromFile(str(path))):
            return face
    return None


def known(sequence: str) -> bool:
    """Whether the font has pictures for all of it; whether they join to one, only setting it tells."""
    face = typeface()
    pictures = [c for c in sequence if c not in "\u200d\ufe0f\u20e3" and not "\U000e0020" <= c <= "\U000e007f"]
    return face is not None and all(face.unicharToGlyph(ord(c)) for c in pictures)
