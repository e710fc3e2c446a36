"""A virtual authenticator in real Chromium (WebAuthn 11), over the real app."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from avatar_scheduler.web.app import create_app
from tests.web import gallery
from tests.world import World


@contextmanager
def site(world: World) -> Iterator[str]:
    """The app at http://localhost:PORT: passkeys belong to a name."""

    def make(url: str) -> FastAPI:
        object.__setattr__(world.settings, "base_url", url)
        return create_app(world.settings, world.clock)

    with gallery.serving(make) as url:
        yield url.replace("127.0.0.1", "localhost")


class Authenticator:
    def __init__(self, page: Page, **options: Any) -> None:
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        told = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True, **options,
        }  # fmt: skip
        self.id = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": told})["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        found = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"]
        return list(found)

    def verified(self, yes: bool) -> None:
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": yes})


def fresh(browser: Browser) -> BrowserContext:
    return browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
