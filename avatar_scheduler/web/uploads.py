"""The page of files posts are made with: what there is, adding one, removing one."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.db.tables import Creator, Upload
from avatar_scheduler.domain.errors import Invalid, NotFound, SchedulerError
from avatar_scheduler.i18n import N_
from avatar_scheduler.services import installation, uploads
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import WRITE
from avatar_scheduler.uploads import kinds, sandbox
from avatar_scheduler.uploads.incoming import Incoming
from avatar_scheduler.web import security
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Who
from avatar_scheduler.web.errors import status_of, wants_json
from avatar_scheduler.web.forms import Signed
from avatar_scheduler.web.incidents import around
from avatar_scheduler.web.media import serve
from avatar_scheduler.web.multipart import Sink, receive
from avatar_scheduler.web.templating import page

router = APIRouter()
LARGEST_BODY = max(kind.most_bytes for kind in kinds.KINDS.values()) * 2
"""Twice what any kind may have, so that too large a file is answered in its own words."""
FIELDS = frozenset({"csrf", "creator", "kind", "name"})


@dataclass(frozen=True)
class Word:
    word: str
    icon: str
    hint: str


KINDS = {
    "photo": Word(N_("Portrait"), "user-round", N_("A face, for a look. JPEG, PNG or WebP, up to 25 MB.")),
    "image": Word(N_("Picture"), "image", N_("To show in a post. JPEG, PNG or WebP, up to 25 MB.")),
    "audio": Word(N_("Recording"), "mic", N_("A person’s voice. WAV, MP3, M4A and more, up to 10 minutes.")),
    "music": Word(N_("Music"), "audio-lines", N_("Under the voice. WAV, MP3, M4A and more, up to 10 minutes.")),
    "clip": Word(N_("Film"), "film", N_("A person or a place. MP4, MOV or WebM, up to 3 minutes.")),
    "pack": Word(N_("Look"), "shirt", N_("An avatar pack as ZIP, up to 50 MB.")),
}
PICTURED = frozenset({"photo", "image", "clip"})


def view(rows: list[uploads.Row], creators: list[tuple[str, str]], person: Person, **more: Any) -> dict[str, Any]:
    context = {"rows": rows, "creators": creators, "kinds": KINDS, "pictured": PICTURED, "size": kinds.size,
               "largest": {name: kind.most_bytes for name, kind in kinds.KINDS.items()},
               "can_write": person.role in WRITE, "off": "", "problem": "", "given": {}}  # fmt: skip
    return {**context, **more}


def _page(
    request: Request, settings: Settings, who: Person, now: datetime, *, status: int = 200, **more: Any
) -> Response:
    with read_scope(settings) as session:
        context = view(uploads.listing(session, who), uploads.creators(session, who), who, **more)
        context |= around(session, who, now)
    return page(request, "uploads.html", status=status, **{**context, "off": sandbox.available()})


@router.get("/uploads")
def listing(request: Request, settings: SettingsDep, who: Who, now: Now) -> Response:
    return _page(request, settings, who, now)


@router.post("/uploads", max_body_size=LARGEST_BODY)
async def add(request: Request, settings: SettingsDep, who: Who, now: Now) -> Response:
    """Takes as long as opening the file takes. Its own words for what is wrong; the list stays in sight."""
    form = _Arriving(settings, who)
    try:
        with form.stack:
            await receive(request, FIELDS, form.begin)
            row = await run_in_threadpool(form.add, now)
    except SchedulerError as error:
        if wants_json(request):
            return JSONResponse({"error": error.code, "message": error.message}, status_of(error))
        return await run_in_threadpool(
            _page, request, settings, who, now, status=status_of(error), problem=error.message, given=form.fields
        )
    there = f"/uploads#u-{row.id}"
    return JSONResponse({"url": there}) if wants_json(request) else RedirectResponse(there, 303)


class _Arriving:
    """One form on its way in."""

    def __init__(self, settings: Settings, who: Person) -> None:
        self.settings, self.who, self.stack = settings, who, ExitStack()
        self.fields: Mapping[str, str] = {}
        self.filename = ""
        self.incoming: Incoming | None = None

    def begin(self, fields: Mapping[str, str], filename: str) -> Sink:
        # The gate leaves this form to us (deps.STREAMED): its token is inside, and nothing of it was read yet.
        security.same_token(fields.get("csrf"), self.who.csrf)
        self.fields, self.filename = fields, filename
        if not filename:
            raise Invalid("Choose a file first.", code="upload_none")
        uploads.may_add(self.settings, self.who, self._creator(), self._new())
        most = kinds.kind_of(fields.get("kind", "")).most_bytes
        self.incoming = self.stack.enter_context(Incoming(uploads.folder(self.settings), most))
        return self.incoming

    def add(self, now: datetime) -> Upload:
        if self.incoming is None:
            raise Invalid("Choose a file first.", code="upload_none")
        return uploads.add(self.settings, self.who, self._creator(), self._new(), self.incoming, now)

    def _new(self) -> uploads.New:
        return uploads.New(self.fields.get("kind", ""), self.fields.get("name", "").strip(), self.filename)

    def _creator(self) -> Creator:
        with read_scope(self.settings) as session:
            return installation.creator_by_slug(session, self.who, self.fields.get("creator", ""))


@router.post("/uploads/{upload_id}/removal")
def remove(
    request: Request, upload_id: str, form: Annotated[Signed, Form()], settings: SettingsDep, who: Who, now: Now
) -> Response:
    try:
        uploads.remove(settings, who, upload_id, now)
    except NotFound:
        raise
    except SchedulerError as error:
        return _page(request, settings, who, now, status=status_of(error), problem=error.message)
    return RedirectResponse("/uploads", 303)


@router.api_route("/uploads/{upload_id}/file", methods=["GET", "HEAD"])
def one(upload_id: str, session: ReadSession, settings: SettingsDep, who: Who) -> FileResponse:
    file = uploads.file(session, settings, who, upload_id)
    return serve(file, uploads.by_id(session, who, upload_id).sha256, cache="private, no-cache")


@router.api_route("/uploads/{upload_id}/thumbnail", methods=["GET", "HEAD"])
def thumbnail(upload_id: str, session: ReadSession, settings: SettingsDep, who: Who) -> FileResponse:
    small = uploads.small(session, settings, who, upload_id)
    return serve(small, f"small-{uploads.by_id(session, who, upload_id).sha256}", cache="private, no-cache")
