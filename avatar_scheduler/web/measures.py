"""What the tools measured, in words: the numbers a person can use; the rest stays with the evidence."""

from avatar_scheduler.i18n import N_, translations
from avatar_scheduler.services.cards import Layer
from avatar_scheduler.web import when

MEASURES = {
    "text": N_("Words"),
    "height_thousandths": N_("Height, of the shortest side"),
    "frames": N_("Frames read"),
    "worst_match": N_("Likeness of the weakest frame"),
    "match": N_("Likeness"),
    "id": N_("Says"),
    "mark_id": N_("Names the watermark"),
    "state": N_("State"),
    "source_type": N_("Source type"),
    "end_ms": N_("Length"),
}
THOUSANDTHS = frozenset({"height_thousandths", "worst_match", "match"})


def measures(layer: Layer, language: str) -> list[tuple[str, str]]:
    """Word and value of each."""
    said = translations(language).gettext
    known = [(name, value) for name, value in layer.measured if name in MEASURES and value]
    return [(said(MEASURES[name]), _readable(name, value)) for name, value in known]


def _readable(name: str, value: str) -> str:
    if name == "end_ms":
        return when.length(int(value))
    return f"{int(value) / 10:g}\u00a0%" if name in THOUSANDTHS else value.replace("\n", " · ")
