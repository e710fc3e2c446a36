"""“Is this ours?”: a file dropped by anybody, looked at and forgotten. No account, no trace, a short queue."""

import asyncio
import ipaddress
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import Invalid, Refused, SchedulerError
from avatar_scheduler.i18n import N_
from avatar_scheduler.services import recognition, uploads
from avatar_scheduler.services.recognition import CREDENTIALS, LOOKS, SAME, WATERMARK, Answer
from avatar_scheduler.uploads import kinds, sandbox
from avatar_scheduler.uploads.incoming import Incoming
from avatar_scheduler.web.deps import Now, SettingsDep
from avatar_scheduler.web.errors import status_of, wants_json
from avatar_scheduler.web.multipart import Sink, receive
from avatar_scheduler.web.templating import page

router = APIRouter()
LARGEST_BODY = 2 * recognition.MOST_BYTES
"""Twice what is taken, so that too large a file is answered in its own words."""
WINDOW = timedelta(minutes=10)
PER_ADDRESS, IN_ALL = 10, 120
"""Files looked at in a window, by each web process."""
ARRIVING = 6
ARRIVAL_SECONDS, PATIENCE_SECONDS = 120.0, 20.0

HOW = {
    SAME: (N_("Yes, this is ours"), N_("It is exactly the file we published, byte for byte.")),
    CREDENTIALS: (N_("Yes, this is ours"), N_("Its Content Credentials are whole, and we signed them.")),
    WATERMARK: (
        N_("This leads to a post of ours"),
        N_("A hidden mark in it leads to the post below. The mark points there and proves nothing by itself: compare."),
    ),
    LOOKS: (
        N_("This looks like a post of ours"),
        N_("Nothing in the file says so, but it looks like the post below. Compare before you rely on it."),
    ),
}
CHANGES = {
    "nothing": ("check", N_("Nothing was changed.")),
    "rewritten": ("git-compare", N_("The file was written anew, as platforms do.")),
    "credentials_gone": (
        "git-compare",
        N_("The Content Credentials were removed. Ours, kept here, were checked just now."),
    ),
    "credentials_broken": (
        "triangle-alert",
        N_("The Content Credentials in it do not fit the file. Ours, kept here, were checked just now."),
    ),
    "source_type_gone": ("git-compare", N_("The note in its metadata that AI made it was removed.")),
    "size": ("git-compare", N_("It is %(after)s; we published %(before)s.")),
    "shape": ("triangle-alert", N_("It was cropped or framed: it is %(after)s; we published %(before)s.")),
    "length": ("triangle-alert", N_("It lasts %(after)s; we published %(before)s.")),
    "label_there": ("check", N_("The AI label is still in the picture.")),
    "label_gone": ("triangle-alert", N_("The AI label is gone or covered.")),
    "label_unclear": ("triangle-alert", N_("The AI label was altered or is hard to read.")),
    "label_unknown": ("circle-question-mark", N_("In another shape it cannot be measured whether the label is there.")),
    "caption_unknown": ("circle-question-mark", N_("What the caption says there is not in the file: not checked.")),
}


class Busy(Refused):
    code = "busy"

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Desk:
    """Who may have a file looked at now: so many an address, so many in all, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn = threading.Semaphore(1)
        self._arriving = 0
        self._served: deque[tuple[datetime, str]] = deque()

    @contextmanager
    def place(self, address: str, now: datetime) -> Iterator[None]:
        """Raises Busy. What is counted is counted whatever comes of it."""
        with self._lock:
            while self._served and self._served[0][0] <= now - WINDOW:
                self._served.popleft()
            if sum(who == address for _, who in self._served) >= PER_ADDRESS:
                raise Busy("You have had many files checked. Try again in ten minutes.", 429)
            if len(self._served) >= IN_ALL or self._arriving >= ARRIVING:
                raise Busy("Many files are being checked right now. Try again in a minute.", 503)
            self._served.append((now, address))
            self._arriving += 1
        try:
            yield
        finally:
            with self._lock:
                self._arriving -= 1

    @contextmanager
    def turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=PATIENCE_SECONDS):
            raise Busy("Many files are being checked right now. Try again in a minute.", 503)
        try:
            yield
        finally:
            self._turn.release()


def address_of(request: Request) -> str:
    """One household has a whole /64 of IPv6 addresses."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else host


@router.get("/verify")
def ask(request: Request) -> Response:
    return _page(request)


@router.post("/verify", max_body_size=LARGEST_BODY)
async def look(request: Request, settings: SettingsDep, now: Now) -> Response:
    """The file has no name on disk, so that not even a crash leaves it behind."""
    desk: Desk = request.app.state.desk
    try:
        with ExitStack() as stack:
            stack.enter_context(desk.place(address_of(request), now))
            incoming = stack.enter_context(await _arrived(request, settings))
            answer = await run_in_threadpool(_recognise, desk, settings, incoming)
    except SchedulerError as error:
        return await run_in_threadpool(_refusal, request, error)
    if wants_json(request):
        return JSONResponse(summary(answer))
    return await run_in_threadpool(_page, request, answer=answer)


async def _arrived(request: Request, settings: Settings) -> Incoming:
    incoming = await run_in_threadpool(Incoming, uploads.folder(settings), recognition.MOST_BYTES)

    def begin(_fields: Mapping[str, str], filename: str) -> Sink:
        if not filename:
            raise Invalid("Choose a file first.", code="upload_none")
        return incoming

    try:
        async with asyncio.timeout(ARRIVAL_SECONDS):
            await receive(request, frozenset(), begin)
    except TimeoutError:
        incoming.file.close()
        raise Invalid("The file took too long to arrive. Bring a smaller one.", code="upload_late") from None
    except BaseException:  # not kept for a moment longer, whatever went wrong
        incoming.file.close()
        raise
    return incoming


def _recognise(desk: Desk, settings: Settings, incoming: Incoming) -> Answer:
    with desk.turn():
        return recognition.recognise(settings, incoming)


def _refusal(request: Request, error: SchedulerError) -> Response:
    status = error.status if isinstance(error, Busy) else status_of(error)
    if wants_json(request):
        response: Response = JSONResponse({"error": error.code, "message": error.message}, status)
    else:
        response = _page(request, status=status, problem=error.message)
    if isinstance(error, Busy):
        response.headers["Retry-After"] = "600" if status == 429 else "60"
    return response


def _page(request: Request, *, status: int = 200, answer: Answer | None = None, problem: str = "") -> Response:
    return page(request, "verify.html", status=status, **view(answer, problem), off=sandbox.available())


def view(answer: Answer | None, problem: str = "") -> dict[str, object]:
    return {
        "answer": answer, "problem": problem, "how": HOW, "changes": CHANGES,
        "most": recognition.MOST_BYTES, "most_said": kinds.size(recognition.MOST_BYTES),
    }  # fmt: skip


def summary(answer: Answer) -> dict[str, object]:
    """For programs: what is on the page."""
    found = answer.found
    if found is None:
        return {"ours": False, "sha256": answer.sha256, "borrowed": answer.borrowed}
    proof = found.proof
    return {
        "ours": True, "sha256": answer.sha256, "how": found.how, "title": proof.title, "creator": proof.creator,
        "approved_by": proof.approved_by, "approved_at": proof.approved_at.isoformat(), "item_url": proof.item_url,
        "proof": f"/proof/{found.delivery_id}", "changes": [change._asdict() for change in found.changes],
    }  # fmt: skip
