"""Numbers as words, in the gender and number the language asks for."""

import re
from decimal import Decimal

from num2words import num2words

from avatar_scheduler.studio.speech.reading.rules import Rules

_MOST_DIGITS = 15
"""Longer ones are codes: read digit by digit."""
_OF_AFTER = re.compile(r"(illions?|illiards?|illón|illones|ilhão|ilhões|ilione|ilioni|iliardo|iliardi)$")


def pattern(rules: Rules) -> str:
    """A number without its sign: digits in groups of three or in one row, and what follows the decimal mark."""
    group = re.escape(rules.group)
    return rf"(?:\d{{1,3}}(?:[{group}]\d{{3}})+(?!\d)|\d+)(?:[.,]\d+)?"


def split(text: str, rules: Rules) -> tuple[str, str, str]:
    """Whole digits, the mark, and the digits after it."""
    match = re.fullmatch(rf"(\d{{1,3}}(?:[{re.escape(rules.group)}]\d{{3}})+|\d+)(?:([.,])(\d+))?", text)
    if match is None:
        raise ValueError(text)
    return re.sub(r"\D", "", match[1]), match[2] or "", match[3] or ""


def value(text: str, rules: Rules) -> Decimal:
    whole, _, part = split(text, rules)
    return Decimal(f"{whole}.{part or 0}")


def cardinal(digits: str, rules: Rules, feminine: bool = False) -> str:
    if len(digits) > _MOST_DIGITS or (len(digits) > 1 and digits[0] == "0"):
        return " ".join(cardinal(digit, rules) for digit in digits)
    return _agreed(_words(int(digits), rules, "cardinal"), rules, feminine)


def number(text: str, rules: Rules, feminine: bool = False) -> str:
    whole, mark, part = split(text, rules)
    if not part:
        return cardinal(whole, rules, feminine)
    said = rules.words["decimal"] if mark == rules.decimal else rules.words["dot"]
    return f"{cardinal(whole, rules)} {said} {_after_mark(part, rules)}"


def ordinal(digits: str, ending: str, rules: Rules) -> str:
    if len(digits) > _MOST_DIGITS:
        return cardinal(digits, rules)
    words = _words(int(digits), rules, "ordinal")
    if rules.numbers == "fr":
        if ending.startswith("nd"):
            return "seconde" if ending.startswith("nde") else "second"
        return "première" if digits == "1" and ending[0] in "rè" else words.replace("vingtsième", "vingtième")
    if ending == "ª":
        return re.sub(r"o\b", "a", words)
    return words


def year(digits: str, rules: Rules) -> str:
    """English says years by the hundred."""
    return _words(int(digits), rules, "year") if rules.numbers == "en" else cardinal(digits, rules)


def counted(text: str, noun: list[str], rules: Rules) -> str:
    """ "21 h" as "vingt et une heures"."""
    words = number(text, rules, feminine="f" in noun[2:])
    if words.endswith("uno") and rules.numbers in ("es", "it") and (words == "uno" or rules.numbers == "es"):
        words = words.removesuffix("uno") + ("ún" if words.endswith("tiuno") else "un")
    return f"{words}{_of(words, noun[0], rules)}{noun[0] if singular(value(text, rules), rules) else noun[1]}"


def singular(amount: Decimal, rules: Rules) -> bool:
    return amount < 2 if rules.numbers in ("fr", "pt_BR") else amount == 1


def _of(words: str, noun: str, rules: Rules) -> str:
    """ "un million d'euros": whole millions are nouns themselves."""
    of = rules.words["of"]
    if not of or not _OF_AFTER.search(words):
        return " "
    return " d'" if of == "de" and rules.numbers == "fr" and noun[0] in "aeiouyéh" else f" {of} "


def scaled(text: str, large: str, rules: Rules) -> str:
    """ "2,5 M" as "deux virgule cinq millions"."""
    word = rules.large[large]
    if not singular(value(text, rules), rules):
        word = _many(word, rules)
    if word == "mille" and value(text, rules) == 1:
        return word
    return f"{number(text, rules)} {word}"


def money_of(words: str, noun: str, rules: Rules) -> str:
    return f"{words}{_of(words, noun, rules)}{noun}"


def _many(word: str, rules: Rules) -> str:
    if rules.numbers == "en" or word in ("mille", "mil"):
        return word
    endings = {"fr": ("", "s"), "es": ("ón", "ones"), "it": (word[-1], "i"), "pt_BR": ("ão", "ões")}
    old, new = endings[rules.numbers]
    return word.removesuffix(old) + new


def _after_mark(part: str, rules: Rules) -> str:
    if rules.numbers == "en" or len(part) > 2:
        return " ".join(cardinal(digit, rules) for digit in part)
    zeros = len(part) - len(part.lstrip("0"))
    rest = part[zeros:]
    return " ".join([*[cardinal("0", rules)] * zeros, *([cardinal(rest, rules)] if rest else [])])


def _words(amount: int, rules: Rules, kind: str) -> str:
    return str(num2words(amount, lang=rules.numbers, to=kind)).replace(",", "")


def _agreed(words: str, rules: Rules, feminine: bool) -> str:
    endings = {
        "fr": [("un", "une")],
        "es": [("uno", "una")],
        "it": [("uno", "una")] if words == "uno" else [],
        "pt_BR": [("um", "uma"), ("dois", "duas")],
    }
    for old, new in endings.get(rules.numbers, []) if feminine else []:
        if words.rsplit("-", maxsplit=1)[-1].rsplit(maxsplit=1)[-1].endswith(old):
            return words.removesuffix(old) + new
    return words
