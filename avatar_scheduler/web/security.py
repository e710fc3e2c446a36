"""What every answer carries, and what every changing request must prove."""

from hmac import compare_digest
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import Forbidden

MAX_BODY = 64 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# Not "no-referrer": with it browsers send "Origin: null" from our own forms, and the origin check would refuse them.
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def dress(headers: MutableHeaders, settings: Settings) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    # Pages are about one person at one moment; files say for themselves how long they keep.
    headers.setdefault("Cache-Control", "no-store")
    if settings.secure_cookies:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")


class SecurityHeaders:
    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                dress(MutableHeaders(scope=message), self.settings)
            await send(message)

        await self.app(scope, receive, dressed)


def own_origins(base_url: str) -> frozenset[str]:
    """On one machine people type either name of it; elsewhere only the configured origin is ours."""
    parts = urlsplit(base_url)
    hosts = _LOOPBACK if parts.hostname in _LOOPBACK else (parts.hostname or "",)
    port = f":{parts.port}" if parts.port else ""
    return frozenset(f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}" for host in hosts)


def check_origin(request: Request, settings: Settings) -> None:
    """Every browser says where a form came from; a request that says nothing is not one of ours."""
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site")
    if origin is None and site is None:
        raise Forbidden("The request does not say where it comes from. Reload the page and try again.", code="origin")
    if origin is not None and origin not in own_origins(settings.base_url):
        raise Forbidden("The request comes from another site. Open the page here and try again.", code="origin")
    if site is not None and site != "same-origin":
        raise Forbidden("The request comes from another site. Open the page here and try again.", code="origin")


async def check_csrf(request: Request, expected: str) -> None:
    """The session's token, in the form or in the X-CSRF header."""
    if request.method in SAFE_METHODS:
        return
    sent: object = request.headers.get("x-csrf")
    if sent is None and request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        sent = (await request.form()).get("csrf")
    same_token(sent, expected)


def same_token(sent: object, expected: str) -> None:
    if not isinstance(sent, str) or not compare_digest(sent.encode(), expected.encode()):
        raise Forbidden("This form is from an older session. Reload the page and try again.", code="csrf")


def local_path(target: str) -> str:
    """Where to go after signing in, or the queue: never another site."""
    parts = urlsplit(target)
    odd = parts.scheme or parts.netloc or not target.startswith("/") or target.startswith("//") or "\\" in target
    return "/review" if odd or any(ord(sign) < 32 for sign in target) else target
