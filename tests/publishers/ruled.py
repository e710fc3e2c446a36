"""What the rules really ask for, for parcels that tests make by hand."""

from datetime import UTC, datetime

from avatar_scheduler import rules
from avatar_scheduler.domain.disclosure import Blocked, Content, Place, RequiredMark
from avatar_scheduler.domain.rulebook import decide

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def required(platform: str, media: str, sponsored: str = "no") -> tuple[RequiredMark, ...]:
    place = Place(platform, rules.surface(platform, media))
    said = decide(Content(media, "digital_twin", sponsored, "en"), place, frozenset(), NOW, rules.book())
    assert not isinstance(said, Blocked), said
    return tuple(said)
