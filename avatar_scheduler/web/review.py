"""The queue and the card: what a person decides on."""

from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from sqlmodel import Session

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.services import incidents, media, pages, review
from avatar_scheduler.services.cards import Card, QueueRow
from avatar_scheduler.services.people import Person
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Who, WriteSession, current_time
from avatar_scheduler.web.forms import Changes, Decision, Looked, Seen, Signed
from avatar_scheduler.web.incidents import around
from avatar_scheduler.web.media import serve
from avatar_scheduler.web.templating import page

router = APIRouter()

SHOWN_ON_CARD = frozenset({"stale", "too_late", "not_seen", "decided"})
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
        "locked": card.must_see and not card.seen_complete,
    }
    return next((name for name, applies in states.items() if applies), "ready")


def disclosed(card: Card) -> bool:
    return card.stopped is None and all(layer.state != "missing" for layer in card.layers)


def changed_places(card: Card) -> int:
    """Runs of changed text; a replaced word is one place, not two."""
    kinds = ["same", *(kind for kind, _ in card.changes)]
    return sum(1 for before, now in pairwise(kinds) if now != "same" and before == "same")


def view(card: Card, rows: list[QueueRow], now: datetime, newer: Card | None = None) -> dict[str, Any]:
    ids = [row.version_id for row in rows]
    place = ids.index(card.version_id) if card.version_id in ids else None
    after = ids[:1] if place is None else ids[place + 1 : place + 2]
    return {
        "card": card,
        "mode": mode(card),
        "changed": changed_places(card),
        "newer": newer,
        "rows": rows,
        "place": place,
        "next_id": after[0] if after else "",
        "previous_id": ids[place - 1] if place else "",
        "waiting": len(rows),
        "undo_left": max(0, int((card.undo_until - now).total_seconds())) if card.undo_until else 0,
    }


def show(
    request: Request, session: Session, settings: Settings, who: Person, version_id: str, now: datetime, *,
    status: int = 200,
) -> Response:  # fmt: skip
    card = pages.card(session, settings, who, version_id, now)
    newer = pages.card(session, settings, who, card.newer_version_id, now) if card.newer_version_id else None
    rows = pages.waiting(session, who, now)
    troubles = incidents.open_for(session, who)
    return page(request, "review.html", status=status, incidents=troubles, **view(card, rows, now, newer))


def card_after_refusal(request: Request, status: int) -> Response | None:
    """The card as it stands after a decision was refused. A fresh view: the refused transaction is already gone."""
    version_id, who = request.path_params.get("version_id"), request.state.person
    if version_id is None:
        return None
    settings: Settings = request.app.state.settings
    with read_scope(settings) as session:
        return show(request, session, settings, who, version_id, current_time(request), status=status)


@router.get("/review")
def queue(request: Request, session: ReadSession, settings: SettingsDep, who: Who, now: Now) -> Response:
    rows = pages.waiting(session, who, now)
    if not rows:
        return page(request, "review_empty.html", **around(session, who, now))
    return show(request, session, settings, who, rows[0].version_id, now)


@router.get("/review/{version_id}")
def card(
    request: Request, version_id: str, session: ReadSession, settings: SettingsDep, who: Who, now: Now
) -> Response:
    return show(request, session, settings, who, version_id, now)


@router.post("/review/{version_id}/approval")
def approve(
    version_id: str,
    form: Annotated[Decision, Form()],
    session: WriteSession,
    settings: SettingsDep,
    who: Who,
    now: Now,
) -> Response:
    review.approve(session, settings, who, version_id, form.version_hash, now)
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
