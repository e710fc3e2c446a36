"""Every page in every state, drawn by the real templates under the real headers, without a database."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import av
import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from PIL import Image, ImageDraw, ImageFont

from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import Conflict, Invalid, NotFound
from avatar_scheduler.web import app as web_app
from avatar_scheduler.web import errors, posts, review, uploads, verify
from avatar_scheduler.web.security import SecurityHeaders
from avatar_scheduler.web.templating import render
from tests.web import cases, comment_cases, review_cases


def pages() -> dict[str, tuple[str, dict[str, Any]]]:
    """Name -> template and what it is given."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for name, card in cases.CARDS.items():
        newer = replace(cases.READY, version_number=2) if name == "stale" else None
        found[f"review-{name}"] = ("review.html", review.view(card, cases.ROWS, cases.NOW, newer))
    found["review-empty"] = ("review_empty.html", {"waiting": 0, "coming": []})
    found |= review_cases.pages()
    found |= comment_cases.pages()
    for name, post in cases.POSTS.items():
        incidents = cases.INCIDENTS if name == "incident" else ()
        found[f"post-{name}"] = ("post.html", posts.view(post, cases.ADA, waiting=3, incidents=incidents))
    found["posts"] = ("posts.html", {"rows": cases.LISTING, "moving": posts.MOVING, "waiting": 3})
    around = {"waiting": 3, "incidents": cases.INCIDENTS}
    found["posts-incident"] = ("posts.html", {"rows": cases.LISTING, "moving": posts.MOVING, **around})
    found["posts-none"] = ("posts.html", {"rows": [], "moving": posts.MOVING, "waiting": 0})
    for name, rows, more in (("uploads", cases.UPLOADS, {"problem": "The file is a text."}), ("uploads-none", [], {})):
        shown = uploads.view(rows, [("maya", "Maya Okafor"), ("leo", "Léo Garnier")], cases.ADA, **more)
        found[name] = ("uploads.html", {**shown, "waiting": 3})
    found["sign-in"] = ("sign_in.html", {"next": "", "email": "", "problem": "", "person": None})
    found["sign-in-wrong"] = (
        "sign_in.html", {"next": "", "email": "a@b.c", "problem": "E-mail or password is wrong.", "person": None}
    )  # fmt: skip
    found["welcome"] = ("welcome.html", {"name": "Ada", "token": "t", "problem": "Too short.", "person": None})
    found["feed"] = ("feed.html", {"feed": cases.FEED, "person": None})
    found["feed-item"] = ("feed_item.html", {"item": cases.ITEM, "slug": "maya", "person": None})
    found["feed-item-still"] = ("feed_item.html", {"item": cases.STILL_ITEM, "slug": "maya", "person": None})
    found["proof-still"] = ("proof.html", {"proof": cases.STILL_PROOF, "person": None})
    found["proof"] = ("proof.html", {"proof": cases.PROOF, "person": None})
    for name, answer in cases.ANSWERS.items():
        found[f"verify-{name}"] = ("verify.html", {**verify.view(answer), "off": "", "person": None})
    found["verify-refused"] = ("verify.html", {**verify.view(None, "The file is a text."), "off": "", "person": None})
    found["verify-off"] = ("verify.html", {**verify.view(None), "off": "no filter", "person": None})
    found["licences"] = ("licences.html", {"person": None})
    for kind in (NotFound, Conflict, Invalid):
        error = {"kind": errors.KINDS[kind], "message": "It is gone.", "path": "/x", "code": "not_found"}
        found[f"error-{kind.code}"] = ("error.html", error)
    found["error-stranger"] = ("error.html", {**error, "person": None})
    return found


PAGES = pages()


def draw(name: str, language: str = "en") -> str:
    template, context = PAGES[name]
    return render(template, language, **{"person": cases.ADA, **context})


def make_media(folder: Path) -> None:
    """A two-second clip with a label in the picture, its poster and its captions."""
    plates = []
    for step in range(10):
        picture = Image.new("RGB", (360, 640), (214, 160 + step, 110))
        pen = ImageDraw.Draw(picture)
        pen.ellipse((100, 180, 260, 380), fill=(150, 92, 62))
        pen.rounded_rectangle((150, 14, 346, 52), 10, fill=(10, 20, 19))
        pen.text((160, 20), "AI  Avatar of Maya", font=ImageFont.load_default(20), fill="white")
        plates.append(picture)
    plates[0].save(folder / "poster.jpg")
    for number in range(1, 4):
        plates[number].crop((0, 0, 360, 450)).save(folder / f"still{number}.jpg")
    with av.open(str(folder / "clip.mp4"), "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 360, 640, "yuv420p"
        for number in range(cases.VIDEO_MS // 100):
            frame = av.VideoFrame.from_ndarray(np.asarray(plates[number % 10]), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    (folder / "captions.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:02.000\nKeep the heat low.\n")


def _quiet(app: FastAPI) -> None:
    """What pages ask for by themselves: a stream that says nothing, a sign of life, whether the text was read."""

    @app.get("/events")
    def events() -> Response:
        return Response("retry: 600000\n\n", media_type="text/event-stream")

    @app.get("/healthz")
    def health() -> JSONResponse:
        return JSONResponse({"ok": True})

    @app.post("/review/{version_id}/read")
    def read(version_id: str) -> JSONResponse:
        app.state.reads.append(version_id)
        return JSONResponse({"complete": len(app.state.reads) == app.state.readable_at, "wait_ms": 200})


def gallery(settings: Settings, media: Path) -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.state.settings = settings
    app.add_middleware(SecurityHeaders, settings=settings)
    web_app.mount_static(app)
    app.state.seen = []
    app.state.looked = set()
    app.state.reads, app.state.readable_at = [], 0
    _quiet(app)

    @app.get("/page/{name}")
    def one(name: str, lang: str = "en") -> HTMLResponse:
        return HTMLResponse(draw(name, lang))

    @app.get("/uploads/{name}/thumbnail")
    def thumbnail(name: str) -> FileResponse:
        return FileResponse(media / "poster.jpg")

    @app.get("/{name}.{ending}")
    def file(name: str, ending: str) -> FileResponse:
        return FileResponse(media / f"{name}.{ending}")

    @app.get("/posts/{post_id}/progress")
    def progress(post_id: str) -> JSONResponse:
        return JSONResponse({"state": "rendering", "percent": 61, "step": "Encoding", "moving": True})

    @app.post("/review/{version_id}/seen")
    async def seen(request: Request, version_id: str) -> JSONResponse:
        ranges = (await request.json())["ranges"]
        app.state.seen.append(ranges)
        covered = max((end for _, end in ranges), default=0)
        return JSONResponse({"seen_ms": covered, "complete": covered >= cases.VIDEO_MS - 400})

    @app.post("/review/{version_id}/looked")
    async def looked(request: Request, version_id: str) -> JSONResponse:
        app.state.looked |= set((await request.json())["pictures"])
        return JSONResponse({"pictures": sorted(app.state.looked), "complete": len(app.state.looked) == 3})

    @app.post("/review/{version_id}/{verb}")
    async def decide(request: Request, version_id: str, verb: str) -> HTMLResponse:
        sent = dict(await request.form())
        return HTMLResponse(f"<title>decided</title><p id=what>{verb} {sent['version_hash']} {sent['csrf']}</p>")

    return app


@contextmanager
def serving(make: Callable[[str], FastAPI]) -> Iterator[str]:
    """What `make` builds for its own address, on a free loopback port, in a thread of this process."""
    listening = socket.socket(
        socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # named, or asyncio leaves Nagle on
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(make(url), log_level="warning", lifespan="off"))
    thread = Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
