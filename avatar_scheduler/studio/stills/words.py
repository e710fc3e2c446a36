"""Words in a box at the largest size at which they fit. Unlike a film's captions nothing here may be lost or cut."""

from collections.abc import Iterator
from pathlib import Path

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio import textblock
from avatar_scheduler.studio.lettering import BOLD, drawable
from avatar_scheduler.studio.textblock import Block

_STEP = 0.94


def fit(
    text: str, room: tuple[float, float], largest: float, smallest: float, *, font: Path = BOLD, language: str = "en"
) -> Block:
    """Raises Invalid for letters the typeface lacks, and when the words do not fit even at the smallest size."""
    _refuse_missing_letters(text, font)
    block = textblock.fit(text, room, list(_sizes(largest, smallest)), font=font, language=language)
    whole = _letters(" ".join(drawable(line, font) for line in text.splitlines()))
    if not block.lines or block.width > room[0] or block.height > room[1] or _letters("".join(block.lines)) != whole:
        raise Invalid("The words do not fit on the picture. Shorten them or make two slides.", code="slide_long")
    return block


def _refuse_missing_letters(text: str, font: Path) -> None:
    drawn = set("".join(drawable(line, font) for line in text.splitlines()))
    missing = next((c for c in text if c.isalpha() and not drawable(c, font)), "")
    if missing or not drawn:
        what = f"“{missing}”" if missing else "anything of it"
        raise Invalid(f"The typeface cannot show {what}. Write it in Latin letters.", code="slide_letters")


def _sizes(largest: float, smallest: float) -> Iterator[float]:
    while largest >= smallest:
        yield largest
        largest *= _STEP


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())
