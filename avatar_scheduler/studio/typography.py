"""How a language sets its words: the spaces around its signs, and where a line had better not end."""

import re

NARROW, FIRM = "\u202f", "\u00a0"
"""Spaces that no line breaks at."""

OPENING = re.compile(r"(?:^|\s)([«“„‹¿¡(\[]+)$")
"""Signs that belong to the word after them."""

_FRENCH = (
    (re.compile(r"(?<=[^\s(\[«;!?])\s*([;!?]+)(?=[\s»”\")\]]|$)"), rf"{NARROW}\1"),
    (re.compile(r"(?<=\S)\s*:(?=\s|$)"), f"{FIRM}:"),
    (re.compile(r"«\s*"), f"«{FIRM}"),
    (re.compile(r"\s*»"), f"{FIRM}»"),
    (re.compile(r"(?<=\d)\s(?=\d{3}(?!\d))"), NARROW),
    (re.compile(r"(?<=[nN]°)\s*(?=\d)"), FIRM),
)
_SPANISH = ((re.compile(r"([¿¡])\s+"), r"\1"), (re.compile(r"\s+([;:!?]+)(?=[\s»”\")\]]|$)"), r"\1"))
_RULES = {"fr": _FRENCH, "es": _SPANISH}
_UNIT = re.compile(r"(?<=\d)\s+(?=[%€$£°])")

_LEANING = {
    "en": "a an the of to in on at by for from with and or but my your his her its our their this that is are i",
    "fr": "le la les un une des du de au aux ce cet cette ces mon ma mes ton ta tes son sa ses notre nos votre "
    "vos leur leurs en y et ou où que qui si ne se à dans sur par pour sans avec très plus je tu il elle on nous vous "
    "ils elles",
    "es": "el la los las un una unos unas de del a al y e o u en mi tu su sus mis tus con por para que no se lo le es",
}
_LEANERS = {language: frozenset(words.split()) for language, words in _LEANING.items()}
_TITLE = re.compile(r"(mr|mrs|ms|dr|prof|st|m|mm|mme|mlle|sr|sra|srta|d|dª)\.?", re.IGNORECASE)
_ELIDED = re.compile(r"['’]$")


def tidy(text: str, language: str) -> str:
    """As the language prints it. Only spaces change, and only for the eye: what was typed is kept elsewhere."""
    for pattern, better in (*_RULES.get(language, ()), (_UNIT, FIRM)):
        text = pattern.sub(better, text)
    return text


def hold(word: str, following: str, language: str) -> int:
    """How badly a line ends between the two: 0 well, 1 better not, 2 hardly, 3 never."""
    if OPENING.search(word) or (_ELIDED.search(word) and len(word) < 8) or re.match(r"[»”!?;:%€)\]]", following):
        return 3
    if _TITLE.fullmatch(word) and following[:1].isupper() and not word.islower():
        return 2
    if word[-1:].isdigit():
        return 3 if re.match(r"\d{3}\b", following) else 1
    return int(word.casefold().strip("«“\"'’¿¡( \u00a0") in _LEANERS.get(language, frozenset()))
