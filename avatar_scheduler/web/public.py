"""What the world sees, with the mark and the disclosure line on every page and in both feeds."""

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from avatar_scheduler.services import media, public
from avatar_scheduler.web import feeds
from avatar_scheduler.web.deps import ReadSession, SettingsDep
from avatar_scheduler.web.media import Sha256Path, serve
from avatar_scheduler.web.templating import page

router = APIRouter()

SHORT = "public, max-age=60"
"""A minute: what is taken down must be gone soon."""
READ = ["GET", "HEAD"]


@router.api_route("/f/{slug}", methods=READ)
def feed(request: Request, slug: str, session: ReadSession, settings: SettingsDep) -> Response:
    return page(request, "feed.html", feed=public.feed(session, settings, slug))


@router.api_route("/f/{slug}/atom.xml", methods=READ)
def atom(slug: str, session: ReadSession, settings: SettingsDep) -> Response:
    body = feeds.atom(public.feed(session, settings, slug), settings.base_url)
    return Response(body, media_type="application/atom+xml", headers={"Cache-Control": SHORT})


@router.api_route("/f/{slug}/feed.json", methods=READ)
def json_feed(slug: str, session: ReadSession, settings: SettingsDep) -> Response:
    body = feeds.json_feed(public.feed(session, settings, slug), settings.base_url)
    return JSONResponse(body, media_type="application/feed+json", headers={"Cache-Control": SHORT})


@router.api_route("/f/{slug}/media/{sha256}", methods=READ)
def feed_media(slug: str, sha256: Sha256Path, session: ReadSession, settings: SettingsDep) -> FileResponse:
    return serve(media.public_blob(session, settings, slug, sha256), sha256, cache=SHORT)


@router.api_route("/f/{slug}/{item_id}", methods=READ)
def feed_item(request: Request, slug: str, item_id: str, session: ReadSession, settings: SettingsDep) -> Response:
    return page(request, "feed_item.html", item=public.feed_item(session, settings, slug, item_id), slug=slug)


@router.api_route("/proof/{delivery_id}", methods=READ)
def proof(request: Request, delivery_id: str, session: ReadSession, settings: SettingsDep) -> Response:
    return page(request, "proof.html", proof=public.proof(session, settings, delivery_id))


@router.get("/licences")
def licences(request: Request) -> Response:
    return page(request, "licences.html")
