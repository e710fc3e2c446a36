"""The caption says it first, before any platform cuts it off."""

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.marks import digest

TOOL = "caption check 1"


def measure(caption: str, line: str) -> Evidence:
    """`line` is the whole first line, letter for letter."""
    first = caption.partition("\n")[0].removesuffix("\r")
    problem = _problem(first, line)
    subject = digest.of_text(caption)
    return Evidence(Mark.caption_line, not problem, problem or f"first line: {line}", TOOL, subject)


def _problem(first: str, line: str) -> str:
    if not any(not word.startswith("#") for word in line.split()):
        return "The required line is empty or only a hashtag. Choose a sentence."
    if first != line:
        return f"The first line must be “{line}”, it is “{_short(first)}”."
    return ""


def _short(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
