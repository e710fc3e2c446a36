"""The spoken notice: whether a film opens with it, word for word and loud enough to be heard."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import digest
from avatar_scheduler.marks.times import clock, named

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    from avatar_scheduler.marks import hearing

TOOL = "spoken check 1"
LATEST_SECONDS = 5
"""By then the first word must be heard."""
# Measured on the English, French and German voices in AAC at 128 and 48 kbit/s: the sentence matches above 980 (850
# under music 6 dB below the voice, the loudest a setting allows), any other sentence of the same voice below 300. Of
# its louder stretches none falls below 550 under that music; where a word is missing, one falls below 350.
LEAST_MATCH = 600
LEAST_STRETCH = 450
LEAST_LEVEL = -40
"""Decibels below full scale, of each of those stretches: quieter is a whisper under a film mastered at -14 LUFS."""


@dataclass(frozen=True)
class Sentence:
    """The notice as the same voice says it again."""

    text: str
    samples: "NDArray[float32]" = field(repr=False)
    """Mono, about -1 to 1."""
    rate: int


def measure(media: Path, said: Sentence, *, subject: str | None = None) -> Evidence:
    """Looks for the sentence in the sound of the first seconds, as a whole and stretch by stretch.

    `subject` is the file's SHA-256 if already known. Never raises for what is wrong with the file.
    """
    from avatar_scheduler.marks import hearing  # PyAV opens only where something is measured

    subject = digest.of_file(media) if subject is None else subject
    tool = f"{TOOL}, {hearing.DECODER}"
    try:
        found = hearing.find(media, said.samples, said.rate, LATEST_SECONDS)
    except Invalid as problem:
        return Evidence(Mark.spoken, False, problem.message, tool, subject)
    begin, end = found.begin_ms, found.begin_ms + found.length_ms
    measured: dict[str, str | int | bool] = {
        "match": found.match,
        "worst_stretch": min((stretch.match for stretch in found.stretches), default=0),
        "quietest_db": min((stretch.level_db for stretch in found.stretches), default=-100),
        "stretches": len(found.stretches),
        "begins_ms": begin,
        "ends_ms": end,
    }
    if found.match < LEAST_MATCH / 2:
        return Evidence(Mark.spoken, False, f"not said in the first {LATEST_SECONDS} seconds", tool, subject, measured)
    unlike = [s for s in found.stretches if s.match < LEAST_STRETCH]
    faint = [s for s in found.stretches if s.level_db < LEAST_LEVEL]
    wrong = ""
    if unlike or found.match < LEAST_MATCH:
        wrong = f"other words, or drowned, {named(_joined(unlike) or [(begin, end)])}"
    elif faint:
        wrong = f"too quiet to be heard {named(_joined(faint))}"
    if not wrong:
        measured["text"] = said.text
    return Evidence(Mark.spoken, not wrong, wrong or f"{clock(begin)}-{clock(end)}", tool, subject, measured)


def _joined(stretches: "list[hearing.Stretch]") -> list[tuple[int, int]]:
    """Stretches overlap: one span for those that touch."""
    spans: list[tuple[int, int]] = []
    for stretch in stretches:
        if spans and stretch.begin_ms <= spans[-1][1]:
            spans[-1] = (spans[-1][0], stretch.end_ms)
        else:
            spans.append((stretch.begin_ms, stretch.end_ms))
    return spans
