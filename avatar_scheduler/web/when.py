"""Times and lengths as people read them. `zone` is an IANA name, `language` a catalogue's."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

from avatar_scheduler.i18n import translations

_LOCALES = {"en": "en_GB", "fr": "fr"}
_CLOCKS = {"en": "HH:mm", "fr": "H\u00a0'h'\u00a0mm"}


def _show(at: datetime, pattern: str, zone: str, language: str) -> str:
    return format_datetime(at, pattern, tzinfo=ZoneInfo(zone), locale=_LOCALES[language])


def clock(at: datetime, zone: str, language: str) -> str:
    return _show(at, _CLOCKS[language], zone, language)


def day(at: datetime, zone: str, language: str) -> str:
    return _show(at, "d MMM y", zone, language)


def on(a_day: date, language: str) -> str:
    return format_date(a_day, "d MMM y", locale=_LOCALES[language])


def weekday(a_day: date, language: str) -> str:
    return format_date(a_day, "EEEE d MMM", locale=_LOCALES[language])


def day_and_clock(at: datetime, zone: str, language: str) -> str:
    return f"{_show(at, 'EEE d MMM', zone, language)}, {clock(at, zone, language)}"


def moment(at: datetime, zone: str, language: str) -> str:
    return _show(at, "d MMM, HH:mm:ss", zone, language)


def exact(at: datetime, zone: str, language: str) -> str:
    return _show(at, "d MMM y, HH:mm:ss", zone, language)


def length(milliseconds: int) -> str:
    """0:24, the way players write it. Rounded up: "0:00 to go" must mean that nothing is left."""
    seconds = -(-milliseconds // 1000)
    return f"{seconds // 60}:{seconds % 60:02d}"


def left(seconds: int, language: str) -> str:
    words = translations(language)
    minutes = seconds // 60
    if seconds < 0:
        return words.gettext("passed")
    if minutes < 60:
        return words.gettext("%(n)s min") % {"n": minutes}
    if minutes < 120:
        return words.gettext("1 h %(n)s") % {"n": f"{minutes - 60:02d}"}
    if minutes < 24 * 60:
        return words.gettext("%(n)s h") % {"n": minutes // 60}
    days = minutes // (24 * 60)
    return words.ngettext("%(num)s day", "%(num)s days", days) % {"num": days}


def urgency(seconds: int | None) -> str:
    """No countdown colours before the last hour (ux.md, principle 9)."""
    return "bad" if seconds is not None and seconds < 3600 else ""
