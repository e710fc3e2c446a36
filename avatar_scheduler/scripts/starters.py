"""Scripts to begin with, from templates/scripts."""

from dataclasses import dataclass

from avatar_scheduler.domain.errors import NotFound
from avatar_scheduler.paths import TEMPLATES
from avatar_scheduler.scripts.source import Script, parse

_FOLDER = TEMPLATES / "scripts"
_ENDING = ".j2"


@dataclass(frozen=True)
class Starter:
    id: str
    """"weekly_recap.fr": what it is, and its language."""
    source: str
    script: Script


def starters(language: str | None = None) -> list[Starter]:
    every = (load(path.name.removesuffix(_ENDING)) for path in sorted(_FOLDER.glob(f"*{_ENDING}")))
    return [s for s in every if language is None or s.script.language == language]


def load(starter_id: str) -> Starter:
    # Looked up among the files that are there; the id itself never becomes a path.
    for path in _FOLDER.glob(f"*{_ENDING}"):
        if path.name == starter_id + _ENDING:
            source = path.read_text("utf-8")
            return Starter(starter_id, source, parse(source))
    raise NotFound(f"There is no starter script {starter_id[:60]!r}.", code="no_such_starter")
