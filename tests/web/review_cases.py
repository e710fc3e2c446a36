"""The review and stop pages in the states that `cases` does not have."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from avatar_scheduler.services.cards import Card, GoingOut, StageRow
from avatar_scheduler.services.holds import Stop, Stoppable
from avatar_scheduler.services.live_updates import Meanwhile
from avatar_scheduler.web import review, stopping
from tests.web import cases

STAGES = (
    StageRow(0, ("role:editor",), False, ("Nadia Roux",), "done"),
    StageRow(1, ("creator",), False, ("Maya Okafor",), "open"),
    StageRow(2, ("client",), True, (), "later"),
)
OPTIONS = '{"challenge": "nyxB2Hew", "rpId": "localhost", "userVerification": "required"}'
SECONDARY = cases.CARDS["secondary"]
SWIPED = replace(
    SECONDARY, deadline=cases.DEADLINE, seconds_left=42 * 60, targets=(cases.TARGET,), due_at=cases.DUE,
)  # fmt: skip
REASONS = (("names_a_person", "script", "Lina"), ("health", "caption", "cures"))

STOPS = (
    Stop("h1", "organization", "", "", "Something happened, nothing should go out now", "Ada Lind", cases.NOW, True),
    Stop("h2", "creator", "Maya Okafor", "Maya Okafor", "", "Maya Okafor", cases.NOW, True),
    Stop("h3", "channel", "bluesky", "Léo Garnier", "It looks or sounds wrong", "Nadia Roux", cases.NOW, False),
    Stop("h4", "everything", "", "", "", "", cases.NOW, False),
)
STOPPABLE = [
    Stoppable("organization", "", "", "", held=True),
    Stoppable("creator", "c1", "Maya Okafor", "maya", held=True),
    Stoppable("channel", "k1", "own_feed", "maya", held=False),
    Stoppable("creator", "c2", "Léo Garnier-Beaumont de la Tour", "leo", held=False),
    Stoppable("channel", "k2", "bluesky", "leo", held=True),
]


def _card(card: Card, **more: Any) -> tuple[str, dict[str, Any]]:
    return "review.html", review.view(card, cases.ROWS, cases.NOW, **more)


def pages() -> dict[str, tuple[str, dict[str, Any]]]:
    """Name -> template and what it is given."""
    holding = {"stoppable": STOPPABLE, "reasons": stopping.REASONS, "may_lift": True, "waiting": 3}
    bulk = [replace(SWIPED, version_id=f"v{n}", title=f"Onion myths, part {n}") for n in range(1, 4)]
    coming = [GoingOut("p1", "d1", "Thank you, 10 k", cases.TARGET)]
    first = replace(
        cases.READY, asked=False, stages=STAGES, approval_id="a1", undo_until=cases.NOW + timedelta(seconds=8)
    )
    return {
        "review-not_asked": _card(replace(cases.READY, asked=False, stages=STAGES), refused=review.REFUSED["author"]),
        "review-first_yes": _card(first),
        "review-passkey": _card(replace(cases.READY, passkey=True, reasons=REASONS), passkey_options=OPTIONS),
        "review-passkey-locked": _card(replace(cases.LOCKED, passkey=True), passkey_options=OPTIONS),
        "review-passkey-needed": _card(cases.READY, passkey_options=OPTIONS, refused=review.REFUSED["passkey_needed"]),
        "review-graded": _card(replace(cases.CARDS["approved"], grade="passkey", self_approved=True, undo_until=None)),
        "review-swiped": _card(SWIPED, keys_off=True, creator_id="c1"),
        "review-marked": ("review.html", {**_card(cases.READY)[1], "meanwhile": Meanwhile("changed", "Nadia", "v3")}),
        "review-next": ("review_empty.html", {"waiting": 0, "coming": coming}),
        "review-bulk": ("review_bulk.html", {"cards": bulk, "creator": "maya", "waiting": 3}),
        "review-bulk-none": ("review_bulk.html", {"cards": [], "creator": "maya", "waiting": 0}),
        "holds": ("holds.html", {**holding, "holds": STOPS}),
        "holds-none": (
            "holds.html",
            {**holding, "stoppable": [replace(r, held=False) for r in STOPPABLE], "holds": ()},
        ),
        "holds-everything": ("menu.html", {"may_hold": True, "waiting": 3, "holds": STOPS[3:]}),
        "menu": ("menu.html", {"may_hold": True, "waiting": 3, "holds": STOPS[1:3]}),
    }
