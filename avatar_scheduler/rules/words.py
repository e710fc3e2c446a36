"""What a post says about itself, in the language of its audience. Written by the rules, and by nobody else."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from avatar_scheduler.domain.disclosure import SPONSORED
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.rules.packs import Row, Text, read_row, read_toml, refused

FILE = Path(__file__).with_name("wording.toml")
LABEL_SIGN = "AI"
"""The same capitals in every language: the sign of the EU code of practice."""
FORMS = ("video", "stills", "audio", "live", "text")
UNHEARD = frozenset({"stills", "text"})
ENGLISH = "en"
BESIDE = " / "


class Paid(BaseModel):
    """Words for what is paid for."""

    model_config = Row.model_config

    plate: Text
    line: str = ""
    spoken: str = ""


class Wording(Row):
    label_words: Text
    """With {name}, the display name of the person whose avatar it is."""
    label_short: Text
    caption: dict[str, Text]
    spoken_by_form: dict[str, Text]
    own: Paid
    paid: Paid
    reviewed: bool
    """False until somebody who knows language and law has read it: then it only stands beside English."""
    undrawable: str = ""


@dataclass(frozen=True)
class Texts:
    """The words of one post, each letter for letter as it is drawn, written or said."""

    label_sign: str
    label_words: str
    sponsor: str
    """On the second plate; this and the sponsor line are empty where nobody pays."""
    caption_line: str
    sponsor_line: str
    spoken: str
    """A line for each language, the second in English. Empty where nothing is heard."""
    spoken_sponsored: str
    """The same, and then who pays."""


def texts(language: str, *, form: str, name: str, sponsored: str) -> Texts:
    """`form`: one of FORMS; `name`: whose avatar it is; `sponsored`: one of `disclosure.SPONSORED`.

    Raises Invalid for a form, a sponsor or a language nobody wrote words for, with those there are.
    """
    row = wording(language)
    if form not in FORMS:
        raise Invalid(f"No AI wording for a post of the form “{form}”. Use one of: {', '.join(FORMS)}.", code="form")
    if sponsored not in SPONSORED:
        raise Invalid(f"“{sponsored}” does not say who pays. Use one of: {', '.join(SPONSORED)}.", code="sponsored")
    rows = [row] if row.reviewed else [row, wording(ENGLISH)]
    pays = [] if sponsored == "no" else [row.own if sponsored == "own" else row.paid for row in rows]
    labels = [*(row.label_short for row in rows[:-1]), rows[-1].label_words]
    heard = [] if form in UNHEARD else [row.spoken_by_form[form] for row in rows]
    return Texts(
        label_sign=LABEL_SIGN,
        label_words=BESIDE.join(labels).replace("{name}", name),
        sponsor=BESIDE.join(words.plate for words in pays),
        caption_line=BESIDE.join(row.caption[form] for row in rows),
        sponsor_line=BESIDE.join(words.line for words in pays),
        spoken="\n".join(heard),
        spoken_sponsored="\n".join(f"{said} {words.spoken}" for said, words in zip(heard, pays, strict=False))
        or "\n".join(heard),
    )


def wording(language: str) -> Wording:
    """`language` is a BCP 47 tag, of which the first part counts. Raises Invalid for one we have no words for."""
    found = wordings().get(language.split("-", maxsplit=1)[0].lower())
    if found is None:
        raise Invalid(f"No AI label wording for “{language}”. Choose one of {', '.join(languages())}.")
    if found.undrawable:
        raise Invalid(
            f"“{language}” cannot be labelled yet: {found.undrawable}. Choose one of {', '.join(languages())}.",
            code="undrawable",
        )
    return found


def languages() -> list[str]:
    """Those a post can be in."""
    return sorted(language for language, row in wordings().items() if not row.undrawable)


@cache
def wordings() -> dict[str, Wording]:
    """Every row, also of the languages that cannot be used yet."""
    return read(FILE)


def read(path: Path) -> dict[str, Wording]:
    """Raises Invalid for a row that is not understood, or has no words for some form or for who pays."""
    return {language: _read(path, language, row) for language, row in read_toml(path, None).items()}


def _read(path: Path, language: str, row: dict[str, object]) -> Wording:
    row = {"spoken_by_form" if name == "spoken" else name: value for name, value in row.items()}
    found = read_row(path, language, {"spoken_by_form": {}} | row, Wording)
    heard = {form for form in FORMS if form not in UNHEARD}
    pays = [words for paid in (found.own, found.paid) for words in (paid.line, paid.spoken)]
    whole = set(found.caption) == {*FORMS} and set(found.spoken_by_form) == heard and all(pays)
    if not (whole or found.undrawable):
        needs = f"caption for {', '.join(FORMS)}; spoken for {', '.join(sorted(heard))}; line and spoken for who pays"
        raise refused(path, language, f"it needs {needs}")
    return found
