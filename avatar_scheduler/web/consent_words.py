"""What a creator is asked, one right a screen: first in plain words, then as the contract has it."""

from dataclasses import dataclass

from avatar_scheduler.i18n import N_

ORDER = ("likeness", "voice", "live", "platforms", "brands", "languages", "sponsored", "months", "agree")


@dataclass(frozen=True)
class Screen:
    kind: str
    """"yesno", "several", "lines" or "months"."""
    icon: str
    title: str
    plain: str
    contract: str
    yes: str = ""
    no: str = ""
    short: str = ""
    """What it is called in a list."""


SCREENS = {
    "likeness": Screen(
        "yesno", "scan-face", N_("My face"),
        N_("An avatar may look like you. Every picture and film of it carries a mark that says AI."),
        N_("Permission to make and publish images and films in which a digital replica shows the person’s likeness, within the limits of the next screens. It is not transferable and can be withdrawn at any time, with effect for the future."),  # noqa: E501
        N_("Yes, it may look like me"), N_("No, not my face"), N_("Face"),
    ),
    "voice": Screen(
        "yesno", "mic", N_("My voice"),
        N_("An avatar may sound like you. It only says what was written and shown to a person first."),
        N_("Permission to make and publish speech in a synthetic voice that resembles the person’s, within the limits of the next screens. It is not transferable and can be withdrawn at any time, with effect for the future."),  # noqa: E501
        N_("Yes, it may sound like me"), N_("No, not my voice"), N_("Voice"),
    ),
    "live": Screen(
        "yesno", "video", N_("Live"),
        N_("The avatar may speak while people watch. Nobody can take back a live minute."),
        N_("Permission extends to broadcasts as they happen. Each broadcast and each answer in it still needs a person’s yes."),  # noqa: E501
        N_("Yes, live too"), N_("No, never live"), N_("Live"),
    ),
    "platforms": Screen(
        "several", "globe", N_("Where it may appear"),
        N_("Nothing of you goes anywhere you do not tick."),
        N_("Permission covers publication on the platforms named, through the accounts connected there. A platform named “every” includes ones connected later."),  # noqa: E501
        N_("Everywhere, on platforms connected later too"), "", N_("Platforms"),
    ),
    "brands": Screen(
        "lines", "ban", N_("Brands you will not speak for"),
        N_("One a line. A post that names one of them is refused, whoever wrote it. Leave it empty if there are none."),
        N_("The person’s likeness and voice may not be used in content that names an excluded brand, in its title, its words or its caption."),  # noqa: E501
        short=N_("Brands excluded"),
    ),
    "languages": Screen(
        "several", "languages", N_("Languages"),
        N_("Your avatar may speak only what you tick. You can always read what it says before it goes out."),
        N_("Permission covers speech and text in the languages named."),
        N_("Any language"), "", N_("Languages"),
    ),
    "sponsored": Screen(
        "yesno", "hand-coins", N_("Sponsored posts"),
        N_("Somebody pays for what your avatar says. Each of these always waits for your own yes."),
        N_("Permission extends to advertising and paid partnerships, each marked as such, each approved one by one."),
        N_("Yes, sponsored posts too"), N_("No sponsored posts"), N_("Sponsored"),
    ),
    "months": Screen(
        "months", "calendar-days", N_("For how long"),
        N_("It ends by itself. You are told 30 days before, and nothing goes out after."),
        N_("Permission ends on the day named without notice. It is renewed only by giving it again."),
        short=N_("Ends"),
    ),
}  # fmt: skip

LANGUAGES = {
    "en": "English", "fr": "Français", "de": "Deutsch", "es": "Español", "it": "Italiano", "nl": "Nederlands",
    "pt": "Português",
}  # fmt: skip
"""In their own names, which need no translation."""

MONTHS = {"12": N_("12 months"), "6": N_("6 months"), "3": N_("3 months"), "1": N_("1 month")}


@dataclass(frozen=True)
class State:
    word: str
    tone: str
    icon: str


STATES = {
    "missing": State(N_("Not given"), "warn", "circle-question-mark"),
    "in_force": State(N_("In force"), "ok", "badge-check"),
    "ending": State(N_("Ends soon"), "warn", "calendar-clock"),
    "ended": State(N_("Ended"), "bad", "timer-off"),
    "withdrawn": State(N_("Withdrawn"), "bad", "ban"),
    "changed": State(N_("Does not match the log"), "bad", "octagon-x"),
}

EXAMPLES = {
    "tip": N_("“Salt the water before the pasta, not after.”"),
    "recap": N_("“This week: three soups, one burnt pan, and your questions.”"),
    "announcement": N_("“The new recipe is out on Friday at six.”"),
    "b_roll": N_("Hands that chop, steam over a pot. Nobody speaks."),
    "thumbnail": N_("A picture with a title, for a film you approved."),
    "recut": N_("A shorter cut of a film you approved."),
}
"""What a secondary kind looks like, before somebody lets it go out without them."""

DOWN = {
    "taking_down": N_("Being taken down"),
    "takedown_failed": N_("The platform would not take it down"),
    "open": N_("Public"),
    "public": N_("Public"),
    "taken_down": N_("Taken down"),
    "closed": N_("Public"),
}
