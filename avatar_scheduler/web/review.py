"""The queue and the card: what a person decides on."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from sqlmodel import Session

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.db.tables import Member
from avatar_scheduler.i18n import N_
from avatar_scheduler.services import (
    bulk,
    comments,
    comparing,
    incidents,
    media,
    pages,
    passkeys,
    posts,
    reading,
    review,
)
from avatar_scheduler.services.cards import Card, QueueRow
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import HOLD, WRITE
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Who, WriteSession, current_time
from avatar_scheduler.web.forms import Changes, Decision, Looked, Seen, Signed
from avatar_scheduler.web.forms_review import Approve, ApproveMany
from avatar_scheduler.web.incidents import around
from avatar_scheduler.web.media import serve
from avatar_scheduler.web.templating import page

router = APIRouter()


@dataclass(frozen=True)
class Refusal:
    title: str
    why: str


REFUSED = {
    "author": Refusal(N_("You wrote this one"), N_("Somebody else has to say yes to it.")),
    "not_asked": Refusal(N_("Not your yes is asked for now"), N_("The card says whose it waits for.")),
    "passkey_needed": Refusal(
        N_("Use your passkey once on this device"), N_("It has not seen one yet. After that a tap is enough.")
    ),
    "passkey": Refusal(N_("The passkey did not fit"), N_("Nothing was decided. Try again, or use another one.")),
    "approval_far": Refusal(N_("Too early to say yes"), N_("A yes holds 90 days, and this goes out later.")),
    "busy": Refusal(N_("That did not work"), N_("The database was busy. Nothing was decided; try again.")),
}
"""Refusals said above the card."""

SHOWN_ON_CARD = frozenset({"stale", "too_late", "not_seen", "decided", *REFUSED})
"""Refusals that the card itself explains better than an error page."""

UNDER_WAY = frozenset({"draft", "rendering", "checking"})


def mode(card: Card) -> str:
    """Which of its states the card shows; the first that applies."""
    states = {
        "stale": bool(card.newer_version_id),
        "decided": bool(card.decided),
        "under_way": card.post_state in UNDER_WAY,
        "blocked": card.post_state == "blocked" or not disclosed(card),
        "too_late": card.seconds_left is not None and card.seconds_left < 0,
        "watch": not card.can_decide,
        "not_asked": not card.asked,
        "locked": card.must_see and not card.seen_complete,
    }
    return next((name for name, applies in states.items() if applies), "ready")


def disclosed(card: Card) -> bool:
    return card.stopped is None and all(layer.state != "missing" for layer in card.layers)


def changed_places(card: Card) -> int:
    """Runs of changed text; a replaced word is one place, not two."""
    kinds = ["same", *(kind for kind, _ in card.changes)]
    return sum(1 for before, now in pairwise(kinds) if now != "same" and before == "same")


def together(card: Card, rows: list[QueueRow]) -> int:
    """How many secondary posts of the card's creator could be decided at once; 0 for fewer than two."""
    count = sum(1 for row in rows if row.creator_slug == card.creator_slug and not row.core and row.seconds_left >= 0)
    return min(count, bulk.MOST) if count > 1 else 0


def view(card: Card, rows: list[QueueRow], now: datetime, newer: Card | None = None, **more: Any) -> dict[str, Any]:
    """`more`: `passkey_options`, `refused`, `keys_off`, `may_edit`, and `creator_id` for who may stop them."""
    ids = [row.version_id for row in rows]
    place = ids.index(card.version_id) if card.version_id in ids else None
    after = ids[:1] if place is None else ids[place + 1 : place + 2]
    return {
        "card": card,
        "mode": mode(card),
        "changed": changed_places(card),
        "newer": newer,
        "between": comparing.between(card.script, newer.script) if newer else (),
        "rows": rows,
        "place": place,
        "next_id": after[0] if after else "",
        "previous_id": ids[place - 1] if place else "",
        "waiting": len(rows),
        "together": together(card, rows) if card.can_decide else 0,
        "undo_left": max(0, int((card.undo_until - now).total_seconds())) if card.undo_until else 0,
        "passkey_options": "",
        "refused": None,
        "keys_off": False,
        "may_edit": True,
        "creator_id": "",
        **more,
    }


def show(
    request: Request, session: Session, settings: Settings, who: Person, version_id: str, now: datetime, *,
    status: int = 200, code: str = "",
) -> Response:  # fmt: skip
    card = pages.card(session, settings, who, version_id, now)
    newer = pages.card(session, settings, who, card.newer_version_id, now) if card.newer_version_id else None
    rows = pages.waiting(session, who, now)
    more = {
        "passkey_options": passkey_options(session, settings, who, card),
        "refused": REFUSED.get(code),
        "keys_off": not session.get_one(Member, who.member_id).keys,
        "may_edit": who.role in WRITE,
        "creator_id": review.find(session, who, version_id)[1].creator_id if who.role in HOLD else "",
        "incidents": incidents.open_for(session, who),
        "comments": comments.of_post(session, who, card.post_id),
    }
    return page(request, "review.html", status=status, **view(card, rows, now, newer, **more))


def passkey_options(session: Session, settings: Settings, who: Person, card: Card) -> str:
    """What the browser signs: the challenge is the version's hash."""
    if not card.passkey or mode(card) not in ("locked", "ready"):
        return ""
    return passkeys.request_options(session, settings, who, bytes.fromhex(card.version_hash))


def card_after_refusal(request: Request, status: int, code: str) -> Response | None:
    """The card as it stands after a decision was refused. A fresh view: the refused transaction is already gone."""
    version_id, who = request.path_params.get("version_id"), request.state.person
    if version_id is None:
        return None
    settings: Settings = request.app.state.settings
    with read_scope(settings) as session:
        return show(request, session, settings, who, version_id, current_time(request), status=status, code=code)


@router.get("/review")
def queue(request: Request, session: ReadSession, settings: SettingsDep, who: Who, now: Now) -> Response:
    rows = pages.waiting(session, who, now)
    if not rows:
        return page(request, "review_empty.html", coming=pages.going_out(session, who)[:1], **around(session, who, now))
    return show(request, session, settings, who, rows[0].version_id, now)


@router.get("/review/bulk")
def many(
    request: Request, session: ReadSession, settings: SettingsDep, who: Who, now: Now, creator: str = ""
) -> Response:
    cards = bulk.offered(session, settings, who, creator, now)
    return page(request, "review_bulk.html", cards=cards, creator=creator, **around(session, who, now))


@router.post("/review/bulk")
def approve_many(
    form: Annotated[ApproveMany, Form()], session: WriteSession, settings: SettingsDep, who: Who, now: Now
) -> Response:
    pairs = [bulk.Pair(*pair.split(":")) for pair in form.pair]
    bulk.approve(session, settings, who, form.creator, pairs, now)
    return RedirectResponse(f"/review/bulk?creator={quote(form.creator)}", 303)


@router.get("/review/{version_id}")
def card(
    request: Request, version_id: str, session: ReadSession, settings: SettingsDep, who: Who, now: Now
) -> Response:
    return show(request, session, settings, who, version_id, now)


@router.post("/review/{version_id}/approval")
def approve(
    version_id: str,
    form: Annotated[Approve, Form()],
    settings: SettingsDep,
    who: Who,
    now: Now,
) -> Response:
    try:
        with write_scope(settings) as session:
            review.approve(session, settings, who, version_id, form.version_hash, now, form.assertion)
    except passkeys.Cloned as error:
        with write_scope(settings) as session:  # the refused one was rolled back, the alarm must stay
            passkeys.record_clone(session, error, now)
        raise
    return RedirectResponse(f"/review/{version_id}", 303)


@router.post("/review/{version_id}/rejection")
def reject(version_id: str, form: Annotated[Decision, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    review.reject(session, who, version_id, form.version_hash, now)
    return RedirectResponse(f"/review/{version_id}", 303)


@router.post("/review/{version_id}/changes")
def ask_changes(
    version_id: str, form: Annotated[Changes, Form()], session: WriteSession, who: Who, now: Now
) -> Response:
    at_ms = None if form.at_ms == "" else form.at_ms
    reasons = [str(reason) for reason in form.reasons]
    review.ask_changes(session, who, version_id, form.version_hash, reasons, form.text, at_ms, now)
    return RedirectResponse(f"/review/{version_id}", 303)


@router.post("/review/{version_id}/seen")
def seen(version_id: str, body: Seen, session: WriteSession, who: Who, now: Now) -> JSONResponse:
    seen_ms, complete = review.record_seen(session, who, version_id, body.ranges, now)
    return JSONResponse({"seen_ms": seen_ms, "complete": complete})


@router.post("/review/{version_id}/read")
def read(version_id: str, session: WriteSession, who: Who, now: Now) -> JSONResponse:
    """The end of the text was on the screen; `wait_ms` says how much too early that is."""
    left = reading.record(session, who, version_id, now)
    return JSONResponse({"complete": not left, "wait_ms": int(left.total_seconds() * 1000)})


@router.post("/review/{version_id}/drop")
def drop(version_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    _, post = review.find(session, who, version_id)
    posts.cancel(session, who, post.id, now)
    return RedirectResponse(f"/posts/{post.id}", 303)


@router.post("/review/{version_id}/looked")
def looked(version_id: str, body: Looked, session: WriteSession, who: Who, now: Now) -> JSONResponse:
    pictures, complete = review.record_looked(session, who, version_id, body.pictures, now)
    return JSONResponse({"pictures": pictures, "complete": complete})


@router.get("/review/{version_id}/pictures/{number}")
def picture(
    version_id: str, number: int, session: WriteSession, settings: SettingsDep, who: Who, now: Now
) -> FileResponse:
    sha256 = review.fetch_picture(session, who, version_id, number, now)
    return serve(media.blob(session, settings, who, sha256), sha256, cache="private, no-store")


@router.post("/approvals/{approval_id}/undo")
def undo(approval_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    review.undo(session, who, approval_id, now)
    return RedirectResponse("/review", 303)
