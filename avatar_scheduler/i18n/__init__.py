"""Page words. English is the source; catalogues are the .po files beside this module, read once."""

import functools
from io import BytesIO
from pathlib import Path

from babel.core import negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "fr")


def N_(words: str) -> str:  # noqa: N802 - the name gettext tools look for
    """Marks words for the catalogues where they are written; they are translated where they are shown."""
    return words


def catalogue(language: str) -> Catalog:
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


@functools.cache
def translations(language: str) -> Translations:
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(compiled)


def choose(preferred: str, accept_language: str) -> str:
    """The person's own setting first, then what the browser asks for, then English."""
    wanted = [preferred] if preferred else []
    wanted += [part.split(";")[0].strip() for part in accept_language[:200].split(",")]
    return negotiate_locale([tag.replace("-", "_") for tag in wanted if tag], LANGUAGES) or "en"
