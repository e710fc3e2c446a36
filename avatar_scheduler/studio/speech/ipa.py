"""Words as phonemes, by espeak-ng, with what it gets wrong put right from a table."""

import tomllib
import unicodedata
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from avatar_scheduler.studio.speech import espeak

RULES = Path(__file__).parents[2] / "rules" / "sounds.toml"
_LIAISONS = {"z": "sxz", "t": "td", "n": "n", "p": "p", "ʁ": "r"}
"""The sound, and the letters that are mute without one."""
_VOWELS = "aeiouyɑɔəɛɪœøʊʌɐ"


@dataclass(frozen=True)
class Word:
    text: str
    """With its punctuation."""
    sounds: tuple[str, ...]

    @property
    def key(self) -> str:
        return self.text.strip(".,;:!?…—–()\"'«»“”’ ").lower().replace("’", "'")


def words(text: str, language: str) -> list[Word]:
    """Each word between spaces; one that melts into the word before it has no sounds."""
    found = _espeak(text, language)
    table = _table(language)
    known = table.get("words", {})
    fixed = [replace(word, sounds=tuple(known[word.key])) if word.key in known else word for word in found]
    return _liaisons(fixed, language, table) if "liaison" in table else fixed


def phonemes(text: str, language: str) -> str:
    """For people to read: words apart by spaces."""
    return " ".join("".join(word.sounds) for word in words(text, language) if word.sounds)


def owners(text: str, positions: list[int]) -> list[int]:
    """Which word between spaces each position lies in."""
    starts = [i for i, (before, sign) in enumerate(pairwise(f" {text}")) if before == " " and sign != " "]
    return [max(0, bisect_right(starts, position) - 1) for position in positions]


def _espeak(text: str, language: str) -> list[Word]:
    heard = espeak.shared().ask(text, language).sounds
    sounds: dict[int, list[str]] = {}
    for sound, owner in zip(heard, owners(text, [sound.position for sound in heard]), strict=True):
        if sound.ipa:
            sounds.setdefault(owner, []).append(_cleaned(sound.ipa))
    return [Word(written, tuple(sounds.get(i, []))) for i, written in enumerate(text.split())]


def _cleaned(ipa: str) -> str:
    """Without marks for length of transition and joined letters, which no model was taught."""
    return unicodedata.normalize("NFC", ipa.translate({ord(c): None for c in "-_^‍͡"}))


@cache
def _table(language: str) -> Mapping[str, Any]:
    table: Mapping[str, Any] = tomllib.loads(RULES.read_text("utf-8")).get(language, {})
    return table


def _liaisons(found: list[Word], language: str, table: Mapping[str, Any]) -> list[Word]:
    """Keep the joining consonant where French asks for it. espeak puts one wherever it is possible."""
    asks, refuses = set(table["liaison"]["after"]), set(table["liaison"]["never_before"])
    kept = []
    for word, following in zip(found, [*found[1:], Word("", ())], strict=True):
        last = word.key.split("-")[-1].split("'")[-1]
        wanted = last in asks and following.key not in refuses
        kept.append(word if wanted or not _joins(word, following, language) else _unjoined(word))
    return kept


def _joins(word: Word, following: Word, language: str) -> bool:
    if len(word.sounds) < 2 or word.sounds[-1] not in _LIAISONS or not following.sounds:
        return False
    if word.key[-1:] not in _LIAISONS[word.sounds[-1]] or following.sounds[0].strip("ˈˌ")[:1] not in _VOWELS:
        return False
    return _alone(word.key, language)[-1:] != word.sounds[-1:]


@cache
def _alone(word: str, language: str) -> tuple[str, ...]:
    return tuple(sound for part in _espeak(word, language) for sound in part.sounds)


def _unjoined(word: Word) -> Word:
    return replace(word, sounds=word.sounds[:-1])
