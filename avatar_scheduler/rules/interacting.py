"""The lists behind core and secondary: rules/interaction/<language>.toml, one file for each language that is read."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.folding import words
from avatar_scheduler.domain.interaction import HINTS, UNREADABLE
from avatar_scheduler.domain.lexicon import Lexicon, People, Phrase, phrase
from avatar_scheduler.domain.naming import WHAT
from avatar_scheduler.rules.packs import Row, Text, read_row, read_toml, refused

FOLDER = Path(__file__).with_name("interaction")
TOPICS = tuple(what for what in HINTS if what not in (WHAT, UNREADABLE))


class Topic(Row):
    phrases: list[Text]
    harmless: list[Text] = Field(default=[])


class Names(Row):
    """Each a text of words with blanks between."""

    first: Text
    also_words: Text
    titles: Text
    kin: Text
    greetings: Text
    not_people: Text


@cache
def lexicons() -> Mapping[str, Lexicon]:
    """By language code."""
    return {path.stem: read(path) for path in sorted(FOLDER.glob("*.toml"))}


def read(path: Path) -> Lexicon:
    """Raises Invalid for a topic that is missing or unknown, and for a phrase that cannot be searched for."""
    found = read_toml(path, {"checked", "common", "people", *TOPICS})
    checked = {"checked": found.get("checked")}
    if missing := sorted({"common", "people", *TOPICS} - set(found)):
        raise refused(path, missing[0], "it is missing: what has no list would be found nowhere")
    topics = {name: read_row(path, name, {**found[name], **checked}, Topic) for name in TOPICS}
    people = read_row(path, "people", {**found["people"], **checked}, Names)
    return Lexicon(
        phrases=tuple(one for name, topic in topics.items() for one in _phrases(path, name, topic.phrases)),
        harmless={name: _phrases(path, name, topic.harmless) for name, topic in topics.items() if topic.harmless},
        common=_folded(" ".join(found["common"])),
        people=People(**{name: _folded(getattr(people, name)) for name in Names.model_fields if name in _LISTS}),
    )


_LISTS = frozenset(People.__dataclass_fields__)


def _phrases(path: Path, what: str, texts: list[Any]) -> tuple[Phrase, ...]:
    try:
        return tuple(phrase(what, text) for text in texts)
    except Invalid as wrong:
        raise refused(path, what, wrong.message) from None


def _folded(text: str) -> frozenset[str]:
    return frozenset(word.folded for word in words(text))
