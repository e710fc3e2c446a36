"""Values that say themselves: a date prints as "Sunday, November 22", in the script's language."""

from collections.abc import Iterable
from datetime import date, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

LANGUAGES = ("en", "fr")
_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
}
_MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
}  # fmt: skip


def base(language: str) -> str:
    """ "fr-CA" speaks as "fr"."""
    return language.partition("-")[0]


class Number(Decimal):
    """Decimal, so that 9.90 keeps its zero."""

    language: str

    @classmethod
    def of(cls, value: Decimal, language: str) -> Self:
        number = cls(value)
        number.language = language
        return number

    def rounded(self, places: int) -> Self:
        """Half away from zero, as people expect of a price; `round()` would go to the even neighbour."""
        return self.of(self.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP), self.language)

    def __str__(self) -> str:
        plain = format(Decimal(self), "f")
        return plain.replace(".", ",") if base(self.language) == "fr" else plain


class Day(date):
    language: str

    @classmethod
    def of(cls, value: date, language: str) -> Self:
        day = cls(value.year, value.month, value.day)
        day.language = language
        return day

    def __str__(self) -> str:
        """Without the year: a script is spoken near its day, and `day.year` is there for the others."""
        name, month = _DAYS[base(self.language)][self.weekday()], _MONTHS[base(self.language)][self.month - 1]
        if base(self.language) == "fr":
            return f"{name} {'1er' if self.day == 1 else self.day} {month}"
        return f"{name}, {month} {self.day}"


class Moment(time):
    language: str

    @classmethod
    def of(cls, value: time, language: str) -> Self:
        moment = cls(value.hour, value.minute)
        moment.language = language
        return moment

    def __str__(self) -> str:
        french = base(self.language) == "fr"
        if self.minute == 0 and self.hour in (0, 12):
            return {0: ("midnight", "minuit"), 12: ("noon", "midi")}[self.hour][french]
        if french:
            hours = f"{self.hour} heure{'s' if self.hour > 1 else ''}"
            return f"{hours} {self.minute:02}" if self.minute else hours
        clock = f"{self.hour % 12 or 12}" + (f":{self.minute:02}" if self.minute else "")
        return f"{clock} {'am' if self.hour < 12 else 'pm'}"


class Series(tuple[str, ...]):
    """Prints as "a, b and c"."""

    language: str

    @classmethod
    def of(cls, items: Iterable[str], language: str) -> Self:
        series = cls(items)
        series.language = language
        return series

    def __str__(self) -> str:
        if len(self) < 2:
            return "".join(self)
        return f"{', '.join(self[:-1])} {'et' if base(self.language) == 'fr' else 'and'} {self[-1]}"
