"""Words as phonemes, by espeak-ng, with what it gets wrong put right from a table."""

import re
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
from avatar_scheduler.studio.voices import base

RULES = Path(__file__).parents[2] / "rules" / "sounds.toml"
_LIAISONS = {"z": "sxz", "t": "td", "n": "n", "p": "p", "ʁ": "r"}
"""The sound, and the letters that are mute without one."""
_OTHER_LANGUAGE = re.compile(r"\([a-z-]*\)?")
_JOINTS = dict.fromkeys(map(ord, "-_^\u200d\u0361"))
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
    table = _table(language)
    heard = _espeak(_respelled(text, table), language)
    found = [Word(written, _mended(word.sounds, table)) for written, word in zip(text.split(), heard, strict=True)]
    return _liaisons(found, language, table) if "liaison" in table else found


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
            sounds.setdefault(owner, []).append(cleaned(sound.ipa))
    return [Word(written, tuple(sounds.get(i, []))) for i, written in enumerate(text.split())]


def cleaned(ipa: str) -> str:
    """Letters and their marks apart, without marks for joints and for a change of language: as models were taught."""
    bare = _OTHER_LANGUAGE.sub("", ipa).translate(_JOINTS)
    return unicodedata.normalize("NFD", bare).replace("c\u0327", "ç")


@cache
def _table(language: str) -> Mapping[str, Any]:
    table: Mapping[str, Any] = tomllib.loads(RULES.read_text("utf-8")).get(base(language), {})
    return table


def _respelled(text: str, table: Mapping[str, Any]) -> str:
    """The same number of words, spelled so that espeak reads them right."""
    for rule in table.get("around", []):
        text = re.sub(rule["find"], rule["write"], text)
    spelled: Mapping[str, str] = table.get("spelled", {})
    return re.sub(r"[\w’']+", lambda match: spelled.get(match[0].lower(), match[0]), text) if spelled else text


def _mended(sounds: tuple[str, ...], table: Mapping[str, Any]) -> tuple[str, ...]:
    whole = "".join(sounds)
    for heard, right in table.get("sounds", {}).items():
        if heard in whole:
            return tuple(whole.replace(heard, right))
    return sounds


def _liaisons(found: list[Word], language: str, table: Mapping[str, Any]) -> list[Word]:
    """Keep the joining consonant where French asks for it. espeak puts one wherever it is possible."""
    return [
        _unjoined(word)
        if not _asked(word.key, following.key, table["liaison"]) and _joins(word, following, language)
        else word
        for word, following in zip(found, [*found[1:], Word("", ())], strict=True)
    ]


def _asked(word: str, following: str, rules: Mapping[str, list[str]]) -> bool:
    last = word.rsplit("'", maxsplit=1)[-1]
    asks = last in rules["after"] or last.split("-")[-1] in rules["numbers"]
    return asks and (following not in rules["never_before"] or f"{last} {following}" in rules["even_so"])


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
