"""What a notice says. Nothing in it comes from what people wrote: no title, no name, no script.

So nothing private is on a lock screen, and no line break, formula or terminal code can be brought in.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from avatar_scheduler.i18n import N_, translations

_LOCALES = {"en": "en_GB", "fr": "fr"}
_CLOCKS = {"en": "HH:mm", "fr": "H\u00a0'h'\u00a0mm"}

NEEDS = {
    "reply": N_("A reply needs you by %(time)s"),
    "message": N_("A message needs you by %(time)s"),
    "live_answer": N_("A live answer needs you by %(time)s"),
    "go_live": N_("Going live needs you by %(time)s"),
}
"""Kinds that say nothing about anybody; "health" or "apology" would."""
ANY = N_("A post needs you by %(time)s")
UNTIL_THEN = {
    "asked": N_("Without a decision it stays unsent."),
    "half": N_("Half of the time has passed. Without a decision it stays unsent."),
    "escalated": N_("Nobody has decided yet, and you were named to decide instead."),
    "nudged": N_("Somebody reminds you. Without a decision it stays unsent."),
}
NEWS = {
    "kept_back": N_("A post was kept back: nobody decided in time"),
    "decided-approved": N_("A post of yours was approved"),
    "decided-rejected": N_("A post of yours was rejected"),
    "decided-changes_requested": N_("A post of yours needs changes"),
    "mention": N_("Somebody mentions you in a comment"),
    "held": N_("Sending was stopped"),
    "test": N_("Notices reach you here"),
}
OPEN = N_("Open it (you sign in first):")


@dataclass(frozen=True)
class Words:
    title: str
    more: str
    link: str

    def letter(self, language: str) -> str:
        _ = translations(language).gettext
        return "\n\n".join(part for part in (self.title + ".", self.more, f"{_(OPEN)}\n{self.link}") if part) + "\n"


def when(at: datetime, now: datetime, zone: ZoneInfo, language: str) -> str:
    """17:45, with the day where it is not today."""

    def shown(pattern: str) -> str:
        return format_datetime(at, pattern, tzinfo=zone, locale=_LOCALES[language])

    clock = shown(_CLOCKS[language])
    return clock if at.astimezone(zone).date() == now.astimezone(zone).date() else f"{shown('EEE d MMM')}, {clock}"


def asking(kind: str, item: str, link: str, deadline: str, language: str) -> Words:
    """`kind`: "asked", "half", "escalated" or "nudged"; `item`: the post's kind; `deadline`: as `when` writes it."""
    _ = translations(language).gettext
    return Words(_(NEEDS.get(item, ANY)) % {"time": deadline}, _(UNTIL_THEN[kind]), link)


def news(kind: str, link: str, language: str) -> Words:
    return Words(translations(language).gettext(NEWS[kind]), "", link)
