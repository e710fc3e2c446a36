"""Page words. English is the source; another language is a folder of .po files here, one for each area."""

import functools
from io import BytesIO
from pathlib import Path

from babel.core import negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "fr")


def N_(words: str) -> str:  # noqa: N802 - the name gettext tools look for
    """Marks words for the catalogues where they are written; they are translated where they are shown."""
    return words


def catalogue(language: str) -> Catalog:
    """Every area of a language as one. Raises ValueError for words that two areas translate."""
    whole = Catalog(locale=language)
    for path in sorted((FOLDER / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id and message.id in whole:
                    raise ValueError(f"{path.name}: {message.id!r} is translated elsewhere already")
                if message.id:
                    whole[message.id] = message
    return whole


@functools.cache
def translations(language: str) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(compiled)


def choose(preferred: str, accept_language: str) -> str:
    """The person's own setting first, then what the browser asks for, then English."""
    wanted = [preferred] if preferred else []
    wanted += [part.split(";")[0].strip() for part in accept_language[:200].split(",")]
    return negotiate_locale([tag.replace("-", "_") for tag in wanted if tag], LANGUAGES) or "en"
