"""A creator's first minutes: consent, one right at a time, and one practice card. Where they are is read from what
there is, and from the address; no half-given consent is stored. The page of a consent, with the way out of it.
"""

from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, RedirectResponse, Response
from sqlmodel import Session

from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.domain.errors import Invalid, SchedulerError
from avatar_scheduler.domain.interaction import CORE, SECONDARY
from avatar_scheduler.publishers import platforms
from avatar_scheduler.scripts import starters
from avatar_scheduler.services import consent_proofs, consents, ledger, purging, standing, uploads, withdrawal
from avatar_scheduler.services.ledger import Entry
from avatar_scheduler.services.people import Person
from avatar_scheduler.uploads import kinds
from avatar_scheduler.uploads.incoming import Incoming
from avatar_scheduler.web import consent_words, security
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Who, WriteSession
from avatar_scheduler.web.errors import status_of
from avatar_scheduler.web.forms import Signed
from avatar_scheduler.web.forms_consent import Agreement, Answers, StandingForm
from avatar_scheduler.web.incidents import around
from avatar_scheduler.web.media import serve
from avatar_scheduler.web.multipart import Sink, receive
from avatar_scheduler.web.templating import page

router = APIRouter()
LARGEST_BODY = kinds.kind_of(consent_proofs.KIND).most_bytes * 2
FIELDS = frozenset({"csrf", "proof"})
AFTER = ("proof", "alone", "practice", "done")
"""Screens once the consent is given."""


@router.get("/creators")
def listing(request: Request, session: ReadSession, who: Who, now: Now) -> Response:
    rows = ledger.listing(session, who, now)
    return page(request, "creators.html", rows=rows, words_of=consent_words, **around(session, who, now))


@router.get("/creators/{slug}")
def one(request: Request, slug: str, session: ReadSession, who: Who, now: Now) -> Response:
    return _creator_page(request, session, slug, who, now)


def _creator_page(request: Request, session: Session, slug: str, who: Person, now: Any, **more: Any) -> Response:
    status = more.pop("status", 200)
    context = {**creator_view(session, who, slug, now), "problem": "", **more}
    return page(request, "creator.html", status=status, **context, **around(session, who, now))


def creator_view(session: Session, who: Person, slug: str, now: Any) -> dict[str, Any]:
    entry = ledger.of(session, who, slug, now)
    creator = consents.creator_by_slug(session, who, slug)
    return {
        "entry": entry,
        "words_of": consent_words,
        "public": withdrawal.still_public(session, who, creator),
        "purged_at": purging.last(session, creator),
        "given": ledger.standing_of(session, who, creator, now),
        **alone_view(session, creator),
    }


def alone_view(session: Session, creator: Any) -> dict[str, Any]:
    """What somebody who gives a standing approval chooses from."""
    return {
        "secondary": sorted(SECONDARY),
        "core": sorted(CORE),
        "starters": starters.starters(creator.language),
        "channels": ledger.channels(session, creator),
    }


@router.post("/creators/{slug}/withdrawal")
def withdraw(slug: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    withdrawal.withdraw(session, who, consents.creator_by_slug(session, who, slug), now)
    return RedirectResponse(f"/creators/{slug}#public", 303)


@router.post("/creators/{slug}/takedowns/{delivery_id}")
def take_down(
    slug: str, delivery_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now
) -> Response:
    withdrawal.take_down(session, who, consents.creator_by_slug(session, who, slug), delivery_id, now)
    return RedirectResponse(f"/creators/{slug}#public", 303)


@router.post("/creators/{slug}/standing")
def let_out(
    request: Request, slug: str, form: Annotated[StandingForm, Form()], settings: SettingsDep, who: Who, now: Now
) -> Response:
    try:
        with write_scope(settings) as session:
            creator = consents.creator_by_slug(session, who, slug)
            limits = (tuple(form.templates), tuple(form.channels))
            standing.grant(session, settings, who, creator, tuple(form.kinds), form.per_day, form.days, now, *limits)
    except Invalid as error:
        with read_scope(settings) as session:
            said = {"problem": error.message, "status": status_of(error)}
            return _creator_page(request, session, slug, who, now, **said)
    return RedirectResponse(f"/creators/{slug}#alone", 303)


@router.post("/creators/{slug}/standing/{approval_id}/revocation")
def hold_again(
    slug: str, approval_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now
) -> Response:
    consents.creator_by_slug(session, who, slug)
    standing.revoke(session, who, approval_id, now)
    return RedirectResponse(f"/creators/{slug}#alone", 303)


@router.api_route("/creators/{slug}/proofs/{proof_id}", methods=["GET", "HEAD"])
def proof_film(slug: str, proof_id: str, session: ReadSession, settings: SettingsDep, who: Who) -> FileResponse:
    file, sha256 = consent_proofs.film(session, settings, who, slug, proof_id)
    return serve(file, sha256, cache="private, no-cache")


@router.get("/onboarding")
def mine(session: ReadSession, who: Who) -> Response:
    slug = ledger.own_slug(session, who)
    return RedirectResponse(f"/onboarding/{slug}" if slug else "/creators", 303)


@router.get("/onboarding/{slug}")
def onboarding(
    request: Request, slug: str, answers: Annotated[Answers, Query()], session: ReadSession, who: Who, now: Now
) -> Response:
    return _screen(request, session, slug, who, now, answers)


def step_of(entry: Entry, wanted: str) -> str:
    """The screen asked for, if it is one of theirs now; else the first that is not done."""
    if not entry.holds:
        return wanted if wanted in consent_words.ORDER else "welcome"
    if wanted in AFTER or wanted in consent_words.ORDER:
        return wanted
    if entry.proof is None:
        return "proof"
    return "done" if entry.practised else "alone"


def _screen(
    request: Request, session: Session, slug: str, who: Person, now: Any, answers: Answers, **more: Any
) -> Response:
    status = more.pop("status", 200)
    entry = ledger.of(session, who, slug, now)
    creator = consents.creator_by_slug(session, who, slug)
    waiting = consent_proofs.waiting(session, who, creator, now) if entry.may_give else None
    context = {**screen_view(entry, answers, waiting), **alone_view(session, creator), "problem": "", **more}
    return page(request, "onboarding.html", status=status, **context, **around(session, who, now))


def screen_view(entry: Entry, answers: Answers, waiting: Any) -> dict[str, Any]:
    step = step_of(entry, answers.step)
    at = consent_words.ORDER.index(step) if step in consent_words.ORDER else -1
    return {
        "entry": entry,
        "step": step,
        "screen": consent_words.SCREENS.get(step),
        "number": at + 1,
        "next": consent_words.ORDER[at + 1] if 0 <= at < len(consent_words.ORDER) - 1 else "",
        "before": consent_words.ORDER[at - 1] if at > 0 else "",
        "answers": answers,
        "waiting_phrase": waiting,
        "words_of": consent_words,
        "platforms": platforms(),
    }


@router.post("/onboarding/{slug}/consent")
def agree(
    request: Request, slug: str, form: Annotated[Agreement, Form()], settings: SettingsDep, who: Who, now: Now
) -> Response:
    try:
        with write_scope(settings) as session:
            creator = consents.creator_by_slug(session, who, slug)
            consents.give(session, who, creator, form.terms(), now)
    except Invalid as error:
        answers = Answers(**{**form.model_dump(exclude={"csrf"}), "step": "agree"})
        with read_scope(settings) as session:
            said = {"problem": error.message, "status": status_of(error)}
            return _screen(request, session, slug, who, now, answers, **said)
    return RedirectResponse(f"/onboarding/{slug}?step=proof", 303)


@router.post("/onboarding/{slug}/phrase")
def phrase(slug: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    consent_proofs.ask(session, who, consents.creator_by_slug(session, who, slug), now)
    return RedirectResponse(f"/onboarding/{slug}?step=proof", 303)


@router.post("/onboarding/{slug}/proof", max_body_size=LARGEST_BODY)
async def record(request: Request, slug: str, settings: SettingsDep, who: Who, now: Now) -> Response:
    """Takes as long as opening the film takes. What is wrong is said on the same screen."""
    arrived: dict[str, Any] = {}
    try:
        with ExitStack() as stack:

            def begin(fields: Any, filename: str) -> Sink:
                # The gate leaves this form to us (deps.STREAMED): its token is inside, and nothing of it was read yet.
                security.same_token(fields.get("csrf"), who.csrf)
                if not filename:
                    raise Invalid("Film yourself first.", code="upload_none")
                consent_proofs.may_record(settings, who, slug, fields.get("proof", ""), now)
                most = kinds.kind_of(consent_proofs.KIND).most_bytes
                coming = stack.enter_context(Incoming(uploads.folder(settings), most))
                arrived.update(proof=fields.get("proof", ""), filename=filename, incoming=coming)
                return coming

            await receive(request, FIELDS, begin)
            given = (arrived["proof"], arrived["incoming"], arrived["filename"])
            await run_in_threadpool(consent_proofs.record, settings, who, slug, *given, now)
    except SchedulerError as error:
        return await run_in_threadpool(_recorded_not, request, slug, settings, who, now, error)
    return RedirectResponse(f"/onboarding/{slug}?step=alone", 303)


def _recorded_not(request: Request, slug: str, settings: Any, who: Person, now: Any, error: SchedulerError) -> Response:
    with read_scope(settings) as session:
        said = {"problem": error.message, "status": status_of(error)}
        return _screen(request, session, slug, who, now, Answers(step="proof"), **said)


@router.post("/onboarding/{slug}/practice")
def practise(slug: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    ledger.practised(session, who, slug, now)
    return RedirectResponse(f"/onboarding/{slug}?step=done", 303)
