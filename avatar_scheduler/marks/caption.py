"""The caption says it first, before any platform cuts it off, and every letter of it can be seen."""

import unicodedata

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.marks import digest

TOOL = "caption check 2"
UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Me"})
"""Characters nobody sees, that turn the writing round, or that draw over the letter before."""
STRUCK = frozenset({*map(chr, range(0x0334, 0x0339)), *map(chr, range(0x20D0, 0x20F1))})
"""Lines through a letter: "~~AI~~" without the tildes."""
BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that have no ink."""


def measure(caption: str, line: str) -> Evidence:
    """Whether the caption begins with `line`, whole and letter for letter."""
    return _measured(Mark.caption_line, caption, line, 1)


def measure_sponsor(caption: str, line: str) -> Evidence:
    """Whether the caption's second line is `line`, whole and letter for letter."""
    return _measured(Mark.sponsor_line, caption, line, 2)


def _measured(mark: Mark, caption: str, line: str, number: int) -> Evidence:
    lines = [one.removesuffix("\r") for one in caption.split("\n", number)]
    found = lines[number - 1] if len(lines) >= number else ""
    problem = _problem(found, line, "first" if number == 1 else "second")
    summary = problem or f"{'first' if number == 1 else 'second'} line: {line}"
    return Evidence(mark, not problem, summary, TOOL, digest.of_text(caption), {} if problem else {"text": line})


def _problem(found: str, line: str, which: str) -> str:
    if not any(not word.startswith(("#", "＃")) for word in line.split()):
        return "The required line is empty or only a hashtag. Choose a sentence."
    if hidden := next((sign for sign in line if _unseen(sign)), ""):
        return f"The required line holds a character nobody can see (U+{ord(hidden):04X}). Write it in plain letters."
    if found != line:
        return f"The {which} line must be “{line}”, it is “{_short(found)}”."
    return ""


def _unseen(sign: str) -> bool:
    return unicodedata.category(sign) in UNSEEN or sign in STRUCK or sign in BLANK


def _short(text: str, longest: int = 60) -> str:
    """In one line, with nothing in it that could hide the rest of a message."""
    plain = "".join(f"<U+{ord(sign):04X}>" if _unseen(sign) else sign for sign in text)
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"
