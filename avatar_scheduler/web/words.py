"""The word, icon and tone of everything that has a name. One word per thing: the same on button, toast and log."""

from collections.abc import Iterable
from dataclasses import dataclass

from avatar_scheduler.domain import interaction
from avatar_scheduler.domain.disclosure import Mark
from avatar_scheduler.i18n import N_
from avatar_scheduler.services.cards import Layer


@dataclass(frozen=True)
class Kind:
    word: str
    title: str
    """Why a person is asked."""
    why: str


@dataclass(frozen=True)
class State:
    word: str
    icon: str
    tone: str


_ANY_CORE = Kind(N_("Personal"), N_("This always comes to you"), N_("It speaks for you to people who know you."))
_ANY_SECONDARY = Kind(N_("Post"), N_("No standing approval covers this"), N_("So it waits for your yes."))
_TOPIC = N_("It is about something where a wrong word does harm.")

KINDS = {
    "reply": Kind(N_("Reply"), N_("Replies always come to you"), N_("It answers one person, in your voice.")),
    "message": Kind(N_("Message"), N_("Messages always come to you"), N_("It writes to one person, in your name.")),
    "live_answer": Kind(N_("Live answer"), N_("Live answers always come to you"), N_("Said aloud, in your voice.")),
    "go_live": Kind(N_("Going live"), N_("Going live always comes to you"), N_("Nobody can take back a live minute.")),
    "thank_you": Kind(N_("Thank-you"), N_("Thank-yous always come to you"), N_("Thanks are worth what you put in.")),
    "personal_story": Kind(
        N_("Personal story"), N_("Personal stories always come to you"), N_("It tells something about your life.")
    ),
    "names_a_person": Kind(
        N_("Names a person"), N_("Posts that name a person always come to you"), N_("Somebody is named in your voice.")
    ),
    "sponsored": Kind(
        N_("Sponsored"), N_("Sponsored posts always come to you"), N_("Your name stands behind what is sold.")
    ),
    "health": Kind(N_("Health"), N_("Health always comes to you"), _TOPIC),
    "money": Kind(N_("Money"), N_("Money always comes to you"), _TOPIC),
    "minors": Kind(N_("Minors"), N_("Posts about minors always come to you"), _TOPIC),
    "politics": Kind(N_("Politics"), N_("Politics always comes to you"), _TOPIC),
    "apology": Kind(N_("Apology"), N_("Apologies always come to you"), N_("Only you can say sorry.")),
    "first_use": Kind(
        N_("First use"), N_("The first use always comes to you"), N_("This look or voice was never sent before.")
    ),
    "tip": Kind(N_("Tip"), _ANY_SECONDARY.title, _ANY_SECONDARY.why),
    "recap": Kind(N_("Recap"), _ANY_SECONDARY.title, _ANY_SECONDARY.why),
    "announcement": Kind(N_("Announcement"), _ANY_SECONDARY.title, _ANY_SECONDARY.why),
    "b_roll": Kind(N_("B-roll"), _ANY_SECONDARY.title, _ANY_SECONDARY.why),
    "thumbnail": Kind(N_("Thumbnail"), _ANY_SECONDARY.title, _ANY_SECONDARY.why),
    "recut": Kind(N_("Re-cut"), _ANY_SECONDARY.title, _ANY_SECONDARY.why),
}


def kind(name: str, core: bool) -> Kind:
    return KINDS.get(name, _ANY_CORE if core else _ANY_SECONDARY)


def asking(name: str, core: bool, sponsored: str) -> Kind:
    """Why a person is asked: for what it is, else for the money in it."""
    paid = sponsored != "no" and not interaction.is_core(name)
    return KINDS["sponsored"] if paid else kind(name, core)


@dataclass(frozen=True)
class Payer:
    choice: str
    """Answers "Who pays for this?"."""
    badge: str
    """Empty where there is nothing to say."""


PAYERS = {
    "no": Payer(N_("Nobody"), ""),
    "own": Payer(N_("Nobody, but it promotes the creator’s own brand"), N_("Own brand")),
    "paid": Payer(N_("Somebody else"), N_("Paid partnership")),
}


def payer(name: str) -> Payer:
    """A version from before anybody was asked says nothing."""
    return PAYERS.get(name, PAYERS["no"])


POST_STATES = {
    "draft": State(N_("Draft"), "pen-line", "idle"),
    "rendering": State(N_("Rendering"), "loader", "idle"),
    "checking": State(N_("Checking"), "scan-line", "idle"),
    "in_review": State(N_("Waiting for a yes"), "hand", "warn"),
    "approved": State(N_("Approved"), "thumbs-up", "info"),
    "blocked": State(N_("Blocked"), "octagon-x", "bad"),
    "changes_requested": State(N_("Changes asked"), "message-square-reply", "warn"),
    "rejected": State(N_("Rejected"), "x", "idle"),
    "cancelled": State(N_("Dropped"), "x", "idle"),
}
DELIVERY_STATES = {
    "waiting": State(N_("Waiting for a yes"), "hand", "warn"),
    "scheduled": State(N_("Scheduled"), "calendar-check", "info"),
    "claimed": State(N_("Going out"), "send", "info"),
    "sending": State(N_("Going out"), "send", "info"),
    "accepted": State(N_("Sent, being read back"), "send", "info"),
    "published": State(N_("Published"), "circle-check", "ok"),
    "unconfirmed": State(N_("We do not know yet"), "circle-question-mark", "warn"),
    "failed": State(N_("Failed"), "circle-x", "bad"),
    "kept_back": State(N_("Kept back"), "archive", "idle"),
    "withdrawn": State(N_("Withdrawn"), "undo-2", "idle"),
}
_UNKNOWN = State(N_("Unknown"), "circle-question-mark", "idle")


def state(name: str) -> State:
    """Of a post or a delivery: no name means two things, and an approved post is where its deliveries are."""
    return POST_STATES.get(name) or DELIVERY_STATES.get(name, _UNKNOWN)


@dataclass(frozen=True)
class MarkWords:
    name: str
    sentence: str
    """What it does for whom."""


MARKS = {
    Mark.label: MarkWords(N_("Visible label"), N_("In the picture from beginning to end, for everybody to read.")),
    Mark.sponsor_label: MarkWords(
        N_("Sponsor label"), N_("In the picture beside the AI label, for as long as it is paid for.")
    ),
    Mark.spoken: MarkWords(N_("Spoken notice"), N_("Said first, for whoever listens without looking.")),
    Mark.caption_line: MarkWords(N_("Caption line"), N_("The first line of the caption. Nobody can take it out.")),
    Mark.sponsor_line: MarkWords(N_("Sponsor line"), N_("The second line of the caption: that it is paid for.")),
    Mark.credentials: MarkWords(
        N_("Credentials"), N_("Signed into the file: who made it, how, and that nobody changed it since.")
    ),
    Mark.watermark: MarkWords(
        N_("Watermark"), N_("Hidden in the picture. It leads back to this post when everything else was stripped.")
    ),
    Mark.xmp: MarkWords(N_("File metadata"), N_("Tells programs that open the file that AI made it.")),
    Mark.aigc: MarkWords(N_("AIGC tag"), N_("Tells it to programs once more, in the form that Chinese law asks for.")),
    Mark.platform_flag: MarkWords(
        N_("Platform flag"), N_("The platform’s own AI switch, read on the request just before it leaves.")
    ),
    Mark.sponsor_flag: MarkWords(
        N_("Platform’s sponsor flag"),
        N_("The platform’s own switch for paid content, read on the request just before it leaves."),
    ),
}
LAYER_STATES = {
    "ready": State(N_("Ready"), "circle-check", "ok"),
    "after_render": State(N_("After render"), "circle-dot-dashed", "later"),
    "at_posting": State(N_("At posting"), "circle-dot-dashed", "later"),
    "missing": State(N_("Missing"), "octagon-x", "bad"),
    "not_offered": State(N_("Not offered"), "circle-slash", "later"),
}


def mark(name: str) -> str:
    return MARKS[Mark(name)].name


def mark_sentence(name: str) -> str:
    return MARKS[Mark(name)].sentence


def in_order(rows: Iterable[Layer]) -> list[Layer]:
    """What the audience sees first comes first."""
    order = list(MARKS)
    return sorted(rows, key=lambda row: order.index(Mark(row.mark)))


def layer_state(name: str) -> State:
    return LAYER_STATES[name]


WAYS_OUT = {
    "blocked": N_("There is no way to send it as it is. Render it again, or drop it."),
    "changes_requested": N_("Write the changes. That makes a new version and asks again."),
    "rejected": N_("Nothing goes out. Start a new post if you want another try."),
    "cancelled": N_("Nothing goes out."),
    "unconfirmed": N_("It was sent and no answer came. It is looked up on the platform, and never sent again blindly."),
    "failed": N_("The platform refused it for certain. Make a new version to try again."),
    "kept_back": N_("Nothing was sent. Pick a new time to ask again."),
    "withdrawn": N_("Nothing was sent."),
}

TROUBLES = (
    N_("The AI disclosure is gone."), N_("It is not the item that was approved."), N_("It is no longer there."),
)  # fmt: skip
"""As `services.incidents` writes them."""
INCIDENTS = {
    "taking_down": N_("It is being taken down."),
    "taken_down": N_("It was taken down."),
    "takedown_failed": N_("The platform would not take it down. Ask again, or do it there."),
}
"""What is being done about it; an open one says nothing yet."""

GRADES = {
    "passkey": N_("With a passkey"),
    "session": N_("From a signed-in session"),
    "terminal": N_("At the terminal of this machine"),
    "standing": N_("Under a standing approval"),
}
"""How sure it is that it was them."""

CHANGE_REASONS = {
    "not_my_words": N_("Not my words"),
    "wrong_fact": N_("Wrong fact"),
    "too_personal": N_("Too personal"),
    "tone": N_("Tone"),
    "looks_off": N_("Looks off"),
    "record_myself": N_("I will record it"),
}

STEPS = (
    N_("Starting"), N_("Speaking"), N_("Drawing"), N_("Encoding"), N_("Marking"), N_("Signing"),
    N_("Checking"), N_("Waiting"), N_("Done"),
)  # fmt: skip
"""What a render reports it is doing. Listed for the catalogues; an unknown step is shown as it comes."""

CAPTION_STYLES = {
    "karaoke": N_("Word by word, on a plate"),
    "pop": N_("Large words that pop up"),
    "plain": N_("Plain lines"),
    "none": N_("None"),
}
PLACES = {
    "full": N_("Filling the picture"),
    "left": N_("On the left"),
    "right": N_("On the right"),
    "circle": N_("In a circle"),
}

OPEN = frozenset({"draft", "blocked", "changes_requested", "in_review", "kept_back"})
"""What a writer can still open in the composer without stopping something that is on its way."""
NEEDS_A_TIME = frozenset({"draft", "blocked", "kept_back"})
