"""Core or secondary: which kinds of post always need a person."""

from avatar_scheduler.domain.errors import Invalid

CORE = frozenset(
    {
        "reply",
        "message",
        "live_answer",
        "go_live",
        "thank_you",
        "personal_story",
        "names_a_person",
        "sponsored",
        "health",
        "money",
        "minors",
        "politics",
        "apology",
        "first_use",
    }
)
SECONDARY = frozenset({"tip", "recap", "announcement", "b_roll", "thumbnail", "recut"})
KINDS = CORE | SECONDARY


def is_core(kind: str, sponsored: str = "no") -> bool:
    """Unknown is core: a kind nobody thought about needs a person, and so does whatever somebody pays for."""
    return kind not in SECONDARY or sponsored != "no"


def check_kind(kind: str) -> str:
    if kind not in KINDS:
        raise Invalid(f"There is no post kind “{kind}”. Use one of: {', '.join(sorted(KINDS))}.", code="unknown_kind")
    return kind
