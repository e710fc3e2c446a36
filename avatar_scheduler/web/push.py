"""What makes the pages an application on the phone, and the ways of being told."""

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from pydantic import Field

from avatar_scheduler.services import asking, chats, outlets, push
from avatar_scheduler.web.deps import Now, ReadSession, SettingsDep, Who, WriteSession
from avatar_scheduler.web.forms import Signed
from avatar_scheduler.web.incidents import around
from avatar_scheduler.web.templating import page

router = APIRouter()
STATIC = Path(__file__).parent / "static"
PAGE = "/account/outlets"
MANIFEST = {
    "id": "/",
    "name": "Avatar Scheduler",
    "short_name": "Avatars",
    "start_url": "/review",
    "scope": "/",
    "display": "standalone",
    "background_color": "#f4f6f5",
    "theme_color": "#33454a",
    "icons": [
        {"src": "/static/img/icon-192.png", "sizes": "192x192", "type": "image/png"},
        {"src": "/static/img/icon-512.png", "sizes": "512x512", "type": "image/png"},
        {"src": "/static/img/icon-512.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
        {"src": "/static/img/mark.svg", "sizes": "any", "type": "image/svg+xml"},
    ],
}


class NewOutlet(Signed):
    kind: Literal["push", "chat"]
    subscription: str = Field(default="", max_length=4000)
    """JSON of PushSubscription.toJSON()."""
    label: str = Field(default="", max_length=200)
    address: str = Field(default="", max_length=400)


@router.get("/manifest.webmanifest")
def manifest() -> JSONResponse:
    return JSONResponse(MANIFEST, media_type="application/manifest+json")


@router.get("/sw.js")
def worker() -> FileResponse:
    """From the root, because a service worker only ever reaches what lies below its own address."""
    headers = {"Cache-Control": "no-cache"}
    return FileResponse(STATIC / "sw.js", media_type="text/javascript; charset=utf-8", headers=headers)


@router.get("/offline")
def offline(request: Request) -> Response:
    """Kept by the service worker, so there is nobody's name on it."""
    return page(request, "offline.html", person=None)


@router.get(PAGE)
def ways(request: Request, session: ReadSession, settings: SettingsDep, who: Who, now: Now) -> Response:
    return page(request, "outlets.html", **{**view(session, settings, who), **around(session, who, now)})


def view(session: ReadSession, settings: SettingsDep, who: Who) -> dict[str, Any]:
    """What `_outlets.html` is given."""
    return {
        "outlets": outlets.mine(session, who),
        "push_key": push.public_key(settings),
        "chats": list(chats.ADDRESSES),
        "mail_on": bool(settings.smtp and settings.mail_from),
    }


@router.post(PAGE)
def add(
    form: Annotated[NewOutlet, Form()], session: WriteSession, settings: SettingsDep, who: Who, now: Now
) -> Response:
    if form.kind == "push":
        outlets.add_browser(session, settings, who, form.subscription, form.label, now)
    else:
        outlets.add_chat(session, settings, who, form.address, now)
    return RedirectResponse(PAGE, 303)


@router.post("/account/outlets/{outlet_id}/removal")
def remove(outlet_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    outlets.remove(session, who, outlet_id, now)
    return RedirectResponse(PAGE, 303)


@router.post("/account/outlets/test")
def test(form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    outlets.test(session, who, now)
    return RedirectResponse(f"{PAGE}#sent", 303)


@router.post("/review/{version_id}/nudge")
def nudge(version_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    """Reminds whoever is asked once more."""
    return RedirectResponse(f"/posts/{asking.nudge(session, who, version_id, now)}", 303)
