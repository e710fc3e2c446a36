"""Every way a request can fail, as a page (or JSON for programs) that says what happened and where to go."""

from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from avatar_scheduler.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OutcomeUnknown,
    Refused,
    SchedulerError,
)  # fmt: skip
from avatar_scheduler.i18n import N_
from avatar_scheduler.web import deps, review, security
from avatar_scheduler.web.deps import SignInNeeded
from avatar_scheduler.web.templating import page


@dataclass(frozen=True)
class Kind:
    status: int
    icon: str
    title: str
    advice: str


KINDS: dict[type[SchedulerError], Kind] = {
    NotFound: Kind(
        404, "circle-question-mark", N_("Nothing here"), N_("It may have moved, or it is not yours to see.")
    ),
    Conflict: Kind(409, "git-compare", N_("Somebody was faster"), N_("Reload to see how it stands now.")),
    Forbidden: Kind(403, "lock", N_("You may not do that"), N_("Nothing was changed.")),
    Invalid: Kind(422, "triangle-alert", N_("Something in the form is not right"), N_("Nothing was changed.")),
    Refused: Kind(422, "octagon-x", N_("Refused"), N_("Nothing was sent.")),
    OutcomeUnknown: Kind(
        502, "circle-question-mark", N_("We do not know yet"), N_("It is being looked up. Do not try again by hand.")
    ),
}
_BROKEN = Kind(500, "triangle-alert", N_("That did not work"), N_("It is not your fault. It was written to the log."))
_GONE = 410
_LATE = Kind(_GONE, "timer-off", N_("Too late"), N_("Reload to see how it stands now."))
_UNFIT = Kind(422, "triangle-alert", N_("This page does not take that"), N_("Nothing was changed."))
_REFUSALS = {
    404: (KINDS[NotFound], "There is no such page."),
    405: (_UNFIT, "Open it from its own button or link."),
    413: (_UNFIT, "That is too large to be sent here."),
}


def kind_of(error: SchedulerError) -> Kind:
    if isinstance(error, Conflict) and error.code == "too_late":
        return _LATE
    return next((kind for cls, kind in KINDS.items() if isinstance(error, cls)), _BROKEN)


def status_of(error: SchedulerError) -> int:
    return kind_of(error).status


def wants_json(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    if request.url.path.startswith("/api/"):
        return True
    return "application/json" in accept and "text/html" not in accept


def answer(request: Request, kind: Kind, message: str, *, code: str, status: int) -> Response:
    if wants_json(request):
        return JSONResponse({"error": code, "message": message}, status)
    return page(request, "error.html", status=status, kind=kind, message=message, code=code, path=request.url.path)


def install(app: FastAPI) -> None:
    app.exception_handler(SignInNeeded)(_sign_in)
    app.exception_handler(SchedulerError)(_domain)
    app.exception_handler(RequestValidationError)(_malformed)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(Exception)(_broken)


def _sign_in(request: Request, error: SignInNeeded) -> Response:
    if wants_json(request):
        return JSONResponse({"error": error.code, "message": error.message}, 401)
    return RedirectResponse(error.sign_in_url, 303)


def _domain(request: Request, error: SchedulerError) -> Response:
    status = status_of(error)
    if error.code in review.SHOWN_ON_CARD and not wants_json(request):
        card = review.card_after_refusal(request, status, error.code)
        if card is not None:
            return card
    return answer(request, kind_of(error), error.message, code=error.code, status=status)


def _malformed(request: Request, error: RequestValidationError) -> Response:
    """A wrong path is a page that is not there; a wrong field is named, its value is not repeated."""
    places = [tuple(str(part) for part in problem["loc"]) for problem in error.errors()]
    if any(place[0] == "path" for place in places):
        return answer(request, KINDS[NotFound], "There is no such page.", code="not_found", status=404)
    fields = ", ".join(sorted({place[1] if len(place) > 1 else place[0] for place in places}))
    return answer(request, KINDS[Invalid], f"Check: {fields}.", code="invalid", status=422)


def _http(request: Request, error: HTTPException) -> Response:
    """No route was found, so nobody looked at the session yet: the page should know who is there."""
    deps.visitor(request, deps.settings_of(request), deps.current_time(request))
    kind, message = _REFUSALS.get(error.status_code, (_BROKEN, "The request was not understood."))
    return answer(request, kind, message, code=f"http_{error.status_code}", status=error.status_code)


def _broken(request: Request, error: Exception) -> Response:
    """The server writes the traceback to its log. This answer skips the middleware, so it dresses itself."""
    response = answer(request, _BROKEN, "The server met something it did not expect.", code="error", status=500)
    security.dress(response.headers, request.app.state.settings)
    return response
