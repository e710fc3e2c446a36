"""What in a text is not read letter by letter, and how it is said. The first pattern to claim a span has it."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from babel.dates import get_month_names

from avatar_scheduler.studio.speech.reading import numbers
from avatar_scheduler.studio.speech.reading.rules import Rules

Pattern = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]
_CAMEL = re.compile(r"[A-ZÀ-ÖØ-ÞŒ]+(?![a-zà-öø-ÿœ])|[A-ZÀ-ÖØ-ÞŒ]?[a-zà-öø-ÿœ]+|\d+|[^\W_]+")
_ENDINGS = "com|org|net|fr|es|it|pt|br|eu|uk|io|be|ch|ca|info|dev|app|de|tv|me"
_HOST = rf"(?:[a-z0-9-]+\.)+(?:{_ENDINGS})\b"
_SAID_OF_A_PATH = 3
"""Words. What comes after is for clicking, not for hearing."""
_ROMAN = {"X": 10, "IX": 9, "V": 5, "IV": 4, "I": 1}


def dictionary(pronunciations: Mapping[str, str]) -> list[Pattern]:
    """The creator's own readings, whatever the case they are written in."""
    if not pronunciations:
        return []
    said = {written.casefold(): spoken for written, spoken in pronunciations.items()}
    return [(_whole(pronunciations, re.IGNORECASE), lambda match: said[match[0].casefold()])]


@cache
def every(rules: Rules) -> list[Pattern]:
    number = numbers.pattern(rules)
    return [
        *_links(rules),
        (_whole(rules.short), lambda match: _short(match, rules)),
        *_dates(rules),
        *_hours(rules),
        *_money(rules, number),
        (re.compile(r"(?<![\w.,])(\d{2}(?:[ .]\d{2}){4})\b"), lambda match: _pairs(match[1], rules)),
        (re.compile(r"(?<!\w)" + rules.ordinal), lambda match: _ordinal(match, rules)),
        *_romans(rules),
        (
            re.compile(rf"(?<![\w.,])({number})\s?({_one_of(rules.nouns)})(?!\w)"),
            lambda match: numbers.counted(match[1], rules.nouns[match[2]], rules),
        ),
        (_whole(rules.fractions), lambda match: rules.fractions[match[0]]),
        (re.compile(r"(?<=\d) ?/ ?(?=\d)"), lambda _: f" {rules.words['over']} "),
        (re.compile(r"(?<=\d)(?: ?[–—] ?|-)(?=\d)"), lambda _: f" {rules.words['to']} "),
        (re.compile(r"(?<!\w)[-−](?=\d)"), lambda _: f"{rules.words['minus']} "),
        (re.compile(r"(?<![\w.,])[12]\d{3}(?![\d.,]\d|\w)"), lambda match: numbers.year(match[0], rules)),
        (re.compile(rf"(?<!\d){number}"), lambda match: numbers.number(match[0], rules)),
        # what others left of a longer row, such as the first digit of "0.0:00"
        *((re.compile(digits), lambda match: numbers.cardinal(match[0], rules)) for digits in (r"\d+", r"\d")),
        (re.compile(_one_of(rules.signs)), lambda match: f" {rules.signs[match[0]]} "),
        (re.compile(r"(?<=\w)/(?=\w)"), lambda _: " "),
        (re.compile(r"[_*~^|\\<>#@/]"), lambda _: " "),
    ]


def _short(match: re.Match[str], rules: Rules) -> str:
    """Its full stop ends the sentence too when nothing follows."""
    last = match[0].endswith(".") and match.end() == len(match.string)
    return rules.short[match[0]] + ("." if last else "")


def _links(rules: Rules) -> list[Pattern]:
    def mail(match: re.Match[str]) -> str:
        return f"{_dotted(match[1], rules)} {rules.words['at']} {_dotted(match[2], rules)}"

    def link(match: re.Match[str]) -> str:
        path = [word for word in re.split(r"[/_-]+", match["path"] or "") if word]
        if len(path) > _SAID_OF_A_PATH or not all(word.isalpha() for word in path):
            path = []
        slash = f" {rules.words['slash']} " if path else ""
        return _dotted(match["host"], rules) + slash + " ".join(path)

    path = r"(?P<path>/[^\s?#]*[\w/])?(?:[?#][^\s]*[\w/=])?/?"
    scheme = r"(?:https?://(?:www\.)?|www\.)"
    return [
        (re.compile(r"(?<!\w)([\w.+-]+)@((?:[a-z0-9-]+\.)+[a-z]{2,})", re.IGNORECASE), mail),
        (re.compile(rf"{scheme}(?P<host>[\w.-]+\w){path}", re.IGNORECASE), link),
        (re.compile(rf"(?<![\w.@])(?P<host>{_HOST}){path}", re.IGNORECASE), link),
        (re.compile(r"(?<!\w)[#@](\w+)"), lambda match: _camel(match[1], rules)),
    ]


def _dotted(host: str, rules: Rules) -> str:
    return f" {rules.words['dot']} ".join(_camel(part, rules) for part in host.split("."))


def _camel(name: str, rules: Rules) -> str:
    """ "#MotsComposes2026" as "Mots Composes" and the year."""
    words = _CAMEL.findall(name)
    return " ".join(numbers.cardinal(word, rules) if word.isdecimal() else word for word in words)


def _dates(rules: Rules) -> list[Pattern]:
    names = get_month_names(locale=rules.numbers)
    months = "|".join(re.escape(name) for name in names.values())

    def say(day: str, month: int, year: str) -> str:
        if not (1 <= month <= 12 and 1 <= int(day) <= 31):
            return " ".join(numbers.cardinal(part, rules) for part in (day, str(month), year))
        spoken = numbers.year(year, rules) if len(year) == 4 else numbers.cardinal(year, rules)
        if rules.numbers == "en":
            return f"{names[month]} {numbers.ordinal(day, '', rules)} {spoken}"
        of = {"es": "de ", "pt_BR": "de "}.get(rules.numbers, "")
        return f"{_day(day, rules)} {of}{names[month]} {of}{spoken}"

    def numeric(match: re.Match[str]) -> str:
        first, second, year = match[1], match[2], match[3]
        day, month = (second, first) if rules.months_first and int(first) <= 12 else (first, second)
        return say(str(int(day)), int(month), year)

    patterns: list[Pattern] = [
        (re.compile(r"(?<!\w)(\d{4})-(\d{2})-(\d{2})\b"), lambda m: say(str(int(m[3])), int(m[2]), m[1])),
        (re.compile(r"(?<!\w)(\d{1,2})[/.](\d{1,2})[/.](\d{4}|\d{2})\b"), numeric),
    ]
    if rules.numbers == "en":
        dated = rf"\b({months}) (\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (\d{{4}})\b)?"
        return [*patterns, (re.compile(dated), lambda match: _english_date(match, rules))]
    return [*patterns, (re.compile(rf"(?<!\w)1(?= (?:de )?(?:{months})\b)"), lambda _: _day("1", rules))]


def _day(day: str, rules: Rules) -> str:
    first = {"fr": "premier", "it": "primo", "pt_BR": "primeiro", "es": "uno"}
    return first[rules.numbers] if day == "1" else numbers.cardinal(day, rules)


def _english_date(match: re.Match[str], rules: Rules) -> str:
    year = f" {numbers.year(match[3], rules)}" if match[3] else ""
    return f"{match[1]} {numbers.ordinal(match[2], '', rules)}{year}"


def _hours(rules: Rules) -> list[Pattern]:
    def french(match: re.Match[str]) -> str:
        hour = numbers.counted(str(int(match[1])), rules.nouns["h"], rules)
        minute = str(int(match[2] or 0))
        return hour if minute == "0" else f"{hour} {numbers.cardinal(minute, rules, feminine=True)}"

    def plain(match: re.Match[str]) -> str:
        hour, minute = numbers.cardinal(str(int(match[1])), rules), match[2] or "00"
        half = match["half"].replace(".", "").upper() if "half" in match.groupdict() and match["half"] else ""
        if rules.numbers != "en":
            joint = f" {rules.words['and']} " if rules.numbers in ("it", "pt_BR") else " "
            return hour if minute == "00" else f"{hour}{joint}{numbers.cardinal(str(int(minute)), rules)}"
        tail = f" {' '.join(half)}" if half else " o'clock"
        if minute != "00":
            oh = f"{rules.words['oh']} " if minute[0] == "0" else ""
            tail = f" {oh}{numbers.cardinal(str(int(minute)), rules)}" + (f" {' '.join(half)}" if half else "")
        return hour + tail

    clock = r"(?<![\d:])([01]?\d|2[0-3]):([0-5]\d)(?![\d:])"
    half = r"(?P<half>[ap]\.?m\b\.?(?=\W|$))"
    if rules.numbers == "en":
        return [
            (re.compile(rf"{clock}(?: ?{half})?", re.IGNORECASE), plain),
            (re.compile(rf"(?<![\w:])(1[0-2]|\d)() ?{half}", re.IGNORECASE), plain),
        ]
    lettered = r"(?<!\w)([01]?\d|2[0-4]) ?[hH](?: ?([0-5]\d))?(?!\w)"
    told = french if rules.numbers == "fr" else plain
    return [(re.compile(clock), told), (re.compile(lettered), told if rules.numbers == "fr" else _whole_hours(rules))]


def _whole_hours(rules: Rules) -> Callable[[re.Match[str]], str]:
    def say(match: re.Match[str]) -> str:
        hours = numbers.counted(str(int(match[1])), rules.nouns["h"], rules)
        return f"{hours} {rules.words['and']} {numbers.cardinal(str(int(match[2])), rules)}" if match[2] else hours

    return say


def _money(rules: Rules, number: str) -> list[Pattern]:
    signs, large = _one_of(rules.money), _one_of(rules.large)

    def say(match: re.Match[str]) -> str:
        amount, scale, coin = match["number"], match["large"], rules.money[match["coin"]]
        if scale:
            words = numbers.scaled(amount, scale, rules)
            return numbers.money_of(words, coin[1], rules)
        whole, _, cents = numbers.split(amount, rules)
        if len(cents) != 2:
            return numbers.counted(amount, coin, rules)
        small = numbers.counted(str(int(cents)), [coin[2], coin[3]], rules)
        if int(whole) == 0:
            return small
        main = numbers.counted(whole, coin, rules)
        if int(cents) == 0:
            return main
        joint = f" {rules.words['cents']}" if rules.words["cents"] else ""
        return f"{main}{joint} {small if rules.numbers == 'en' else numbers.cardinal(str(int(cents)), rules)}"

    amount = rf"(?P<number>{number})(?:[ -]?(?P<large>{large})(?!\w))?"
    glued = rf"(?P<number>{number})(?: ?(?P<large>{large}))?"
    return [
        (re.compile(rf"(?<!\w)(?P<coin>{signs}) ?{amount}"), say),
        (re.compile(rf"(?<!\w){glued} ?(?:d'|de )?(?P<coin>{signs})(?!\w)"), say),
    ]


def _ordinal(match: re.Match[str], rules: Rules) -> str:
    return numbers.ordinal(match["number"], match.groupdict().get("ending", ""), rules)


def _romans(rules: Rules) -> list[Pattern]:
    """Centuries and kings: "XXIe siècle", "Louis XIV"."""
    king = re.compile(r"(?<=[a-zà-ÿ] )(?=[XVI]{2,}\b)(X{0,3}(?:IX|IV|V?I{0,3}))\b")
    found: list[Pattern] = [(king, lambda match: numbers.cardinal(str(_roman(match[1])), rules))]
    if rules.numbers == "fr":
        century = re.compile(r"\b(?=[XVI])(X{0,3}(?:IX|IV|V?I{0,3}))(e|ᵉ|ème|er)s?\b")
        return [(century, lambda match: numbers.ordinal(str(_roman(match[1])), "e", rules)), *found]
    return found


def _roman(text: str) -> int:
    total = 0
    while text:
        sign = next(sign for sign in _ROMAN if text.startswith(sign))
        total += _ROMAN[sign]
        text = text.removeprefix(sign)
    return total


def _pairs(text: str, rules: Rules) -> str:
    """A French telephone number: two digits at a time, with a breath between."""
    return ", ".join(numbers.cardinal(pair, rules) for pair in re.split(r"[ .]", text))


def _whole(words: Iterable[str], flags: int = 0) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w#@.])(?:{_one_of(words)})(?!\w)", flags)


def _one_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
