"""`review`: decide in a terminal. Needs a person at one: a pipe cannot have read anything."""

import sys
import textwrap

import typer

from avatar_scheduler.cli.common import Json, console, emit, now, operator, settings, shown, when
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.domain.errors import Forbidden, SchedulerError
from avatar_scheduler.services import pages, review, seen
from avatar_scheduler.services.cards import Card
from avatar_scheduler.services.people import Person

LINES_AT_ONCE = 6


def register(app: typer.Typer) -> None:
    app.command("review")(review_command)


def review_command(json: Json = False) -> None:
    """Go through what waits for a person: read it, then approve, reject or ask for changes."""
    who = operator()
    with read_scope(settings()) as session:
        rows = pages.waiting(session, who, now())
    if json:
        emit(rows)
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Forbidden(
            "Reviewing needs a person at a terminal. Use the review page, or run this in one.", code="no_tty"
        )
    if not rows:
        console.print("Nothing needs you.")
    for index, row in enumerate(rows, 1):
        console.rule(f"{index} of {len(rows)}")
        try:
            _one(who, row.version_id)
        except SchedulerError as error:
            console.print(shown(error.message))


def _one(who: Person, version_id: str) -> None:
    config = settings()
    with write_scope(config) as session:
        version, _ = review.find(session, who, version_id)
        seen.open_view(session, version, who.member_id, now())
        card = pages.card(session, config, who, version_id, now())
    _print_card(card)
    _read_through(card)
    with write_scope(config) as session:
        version, _ = review.find(session, who, version_id)
        seen.read_to_end(session, version, who.member_id, now())
    _decide(who, card)


def _print_card(card: Card) -> None:
    kind = card.kind.replace("_", " ")
    console.print(
        f"[bold]{shown(card.title)}[/bold]   {kind}, {shown(card.creator)}'s avatar, version {card.version_number}"
    )
    for target in card.targets:
        console.print(f"goes to {target.platform}:{target.address} at {when(target.due_at, target.zone)} {target.zone}")
    if card.deadline:
        console.print(f"No decision by {when(card.deadline, card.zone)}? It stays unsent.")
    _print_media(card)
    for layer in card.layers:
        state = "ok" if layer.state == "ready" else layer.state.upper()
        console.print(f"  {state:<8} {layer.mark.replace('_', ' ')}: {shown(layer.detail)}")


def _print_media(card: Card) -> None:
    base = settings().base_url
    if card.video_url:
        console.print(f"video: {base}{card.video_url}  (sign in to watch)", soft_wrap=True)
    for number, picture in enumerate(card.pictures, 1):
        console.print(f"picture {number}: {shown(picture.alt)}", soft_wrap=True)
    if card.pictures:
        console.print(f"pictures: {base}/review/{card.version_id}  (sign in to look)", soft_wrap=True)


def _read_through(card: Card) -> None:
    """The whole text passes the screen, a few lines for each key."""
    lines = [*textwrap.wrap(card.script, 72), "", *card.caption.splitlines()]
    for start in range(0, len(lines), LINES_AT_ONCE):
        for line in lines[start : start + LINES_AT_ONCE]:
            console.print(f"  {shown(line)}")
        typer.prompt("  [Enter] to read on", default="", show_default=False)


def _decide(who: Person, card: Card) -> None:
    answer = typer.prompt("approve, reject, changes or skip?", default="skip").strip().lower()
    config = settings()
    if answer in ("a", "approve"):
        typed = typer.prompt(f"Type {card.version_hash[:4]} to approve exactly this version")
        if typed.strip() != card.version_hash[:4]:
            console.print("That is not this version. Nothing was recorded.")
            return
        with write_scope(config) as session:
            review.approve(session, config, who, card.version_id, card.version_hash, now())
        console.print("Approved. You have ten seconds to undo it on the page.")
    elif answer in ("r", "reject"):
        with write_scope(config) as session:
            review.reject(session, who, card.version_id, card.version_hash, now())
        console.print("Rejected. It stays unsent.")
    elif answer in ("c", "changes"):
        text = typer.prompt("What should change?")
        with write_scope(config) as session:
            review.ask_changes(session, who, card.version_id, card.version_hash, [], text, None, now())
        console.print("Asked for changes. It stays unsent.")
