"""A whole installation with something on every page, served to a real browser, and the way through it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from playwright.sync_api import Browser, BrowserContext, Dialog, Page

from avatar_scheduler.db.tables import Delivery, Version
from avatar_scheduler.services import holds, posts
from avatar_scheduler.web import deps
from avatar_scheduler.web.app import create_app
from tests.web import gallery
from tests.web.conftest import link
from tests.web.visitor import PASSWORD
from tests.world import CAPTION, SCRIPT, World

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
NO_PAGES = frozenset({"/events", "/welcome/{token}"})
"""A stream without an end, and a link that is good once."""
LEADS_AWAY = ("/sign-in", "/invitation", "/account/codes", "/review/bulk")
"""Beginnings of pages that are there only in a state this installation is not in."""
FILES = frozenset({"place", "preview_id", "proof_id", "sha256", "upload_id"})
"""Parameters of routes that answer with files."""


@dataclass
class Site:
    url: str
    app: FastAPI
    world: World
    browser: Browser
    values: dict[str, str]
    """What stands for each path parameter."""
    cookie: dict[str, str]
    opened: list[BrowserContext] = field(default_factory=list)

    def paths(self) -> list[str]:
        """Every route that answers a signed-in person's GET with a page."""
        found = []
        with httpx.Client(base_url=self.url, cookies=self.cookie, follow_redirects=False, timeout=30) as client:
            for path in self._gets():
                filled = path.format(**self.values)
                answer = client.get(filled)
                assert answer.status_code < 500, (filled, answer.status_code, answer.text[:300])
                if "text/html" in answer.headers.get("content-type", ""):
                    assert answer.status_code == 200, (filled, answer.status_code)
                    found.append(filled)
        return found

    def _gets(self) -> list[str]:
        routes = iter_route_contexts(self.app.routes)
        paths = {str(getattr(r, "path", "")) for r in routes if "GET" in (getattr(r, "methods", None) or ())}
        pages = {path for path in paths - NO_PAGES if not FILES & set(re.findall(r"{(\w+)", path))}
        return sorted(path for path in pages if not path.startswith(LEADS_AWAY) and "/pictures/" not in path)

    def visit(self, size: tuple[int, int], *, dark: bool = False) -> "Visit":
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )  # fmt: skip
        name, value = next(iter(self.cookie.items()))
        context.add_cookies([{"name": name, "value": value, "url": self.url}])
        self.opened.append(context)
        return Visit(self, context.new_page())


class Visit:
    """One window, with every complaint of the browser kept."""

    def __init__(self, site: Site, page: Page) -> None:
        self.site, self.page = site, page
        self.problems: list[str] = []
        page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", self.asked)

    def asked(self, dialog: Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open(self, path: str) -> Page:
        self.page.goto(self.site.url + path)
        return self.page


@contextmanager
def site(world: World, browser: Browser, words: str = "") -> Iterator[Site]:
    """`words` stand wherever somebody may write."""
    values = furnish(world, words or "Onions")
    apps: list[FastAPI] = []

    def make(address: str) -> FastAPI:
        apps.append(create_app(world.settings.model_copy(update={"base_url": address}), world.clock))
        return apps[0]

    with gallery.serving(make) as url:
        made = Site(url, apps[0], world, browser, values, _signed_in(world, url))
        yield made
        for context in made.opened:
            context.close()
    apps[0].state.previews.close()


def _signed_in(world: World, url: str) -> dict[str, str]:
    token = link(world, world.ada.member_id)
    answer = httpx.post(f"{url}/welcome/{token}", data={"password": PASSWORD}, headers={"origin": url}, timeout=30)
    assert answer.status_code == 303, answer.text[:300]
    [cookie] = answer.cookies.jar
    return {deps.cookie_name(world.settings): str(cookie.value)}


def furnish(world: World, words: str) -> dict[str, str]:
    """Something published, something to decide, something of each kind of trouble; and who may see it."""
    out = _post(world, words, "tip")
    world.watch(out)
    world.approve(out)
    delivery = world.delivery(out)
    world.later(seconds=11)
    world.publish(delivery)
    waiting = _post(world, words, "reply")
    with world.write() as session:
        holds.put(session, world.ada, "creator", world.maya.id, words, world.now)
    return values_of(world, waiting, delivery)


def _post(world: World, words: str, kind: str) -> Version:
    new = posts.NewPost("maya", words[:100], kind, SCRIPT, caption=CAPTION, at="+90m" if kind == "reply" else "+1m")
    with world.write() as session:
        post = posts.make(session, world.settings, world.ada, new, world.maya, world.now)
    return world.version(post)


def values_of(world: World, version: Version, delivery: Delivery) -> dict[str, str]:
    return {
        "version_id": version.id, "post_id": version.post_id, "delivery_id": delivery.id, "item_id": delivery.id,
        "slug": "maya", "creator_id": world.maya.id, "number": "1", "member_id": world.ada.member_id,
    }  # fmt: skip
