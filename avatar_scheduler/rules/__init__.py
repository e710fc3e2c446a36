"""Rules as data: each row says where it comes from and when somebody last looked."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from avatar_scheduler.domain.errors import Invalid

LABEL_SIGN = "AI"
"""The same capitals in every language: the sign of the EU code of practice."""


@dataclass(frozen=True)
class Wording:
    label_words: str
    """With {name}, the display name of the person whose avatar it is."""
    caption_line: str
    still_line: str
    """The same for pictures."""
    spoken: str
    sponsored: tuple[str, ...]
    source: str
    checked: date
    reviewed: bool
    """False until a native speaker has read it."""


def wording(language: str) -> Wording:
    """`language` is a BCP 47 tag, of which the first part counts. Raises Invalid for one we have no words for."""
    found = _wordings().get(language.split("-", maxsplit=1)[0].lower())
    if found is None:
        raise Invalid(f"No AI label wording for “{language}”. Choose one of {', '.join(languages())}.")
    return found


def languages() -> list[str]:
    return sorted(_wordings())


@cache
def _wordings() -> dict[str, Wording]:
    rows = tomllib.loads(resources.files(__name__).joinpath("wording.toml").read_text(encoding="utf-8"))
    return {language: Wording(**{**row, "sponsored": tuple(row["sponsored"])}) for language, row in rows.items()}
