"""A real browser over the gallery."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page

from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Member, Organization
from avatar_scheduler.services import people
from avatar_scheduler.web.app import create_app
from tests.services.cast import joined
from tests.web import gallery
from tests.web.visitor import Visitor
from tests.world import World

PHONE, DESK = (390, 844), (1440, 900)


@pytest.fixture(scope="session")
def gallery_app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    media = tmp_path_factory.mktemp("media")
    gallery.make_media(media)
    return gallery.gallery(Settings(data=media), media)


@pytest.fixture(scope="session")
def gallery_url(gallery_app: FastAPI) -> Iterator[str]:
    with gallery.serving(lambda _: gallery_app) as url:
        yield url


class Watched:
    """A page that remembers every policy violation and every script error."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.page: Page = context.new_page()
        self.problems: list[str] = []
        self.page.on("console", lambda message: self.problems.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))

    def open(self, name: str, language: str = "en") -> Page:
        self.page.goto(f"{self.url}/page/{name}?lang={language}")
        return self.page


class Watcher:
    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        self.opened: list[BrowserContext] = []

    def __call__(self, size: tuple[int, int] = PHONE, *, dark: bool = False, script: bool = True) -> Watched:
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        self.opened.append(context)
        return Watched(context, self.url)


@pytest.fixture
def watch(browser: Browser, gallery_url: str) -> Iterator[Watcher]:
    watcher = Watcher(browser, gallery_url)
    yield watcher
    for context in watcher.opened:
        context.close()


@pytest.fixture(scope="session")
def pictures() -> Path:
    folder = Path(__file__).parent / "out"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def app(world: World) -> Iterator[FastAPI]:
    """Whoever opens the composer warms up a process."""
    made = create_app(world.settings, world.clock)
    yield made
    made.state.previews.close()


@pytest.fixture
def stranger(world: World, app: FastAPI) -> Visitor:
    return Visitor(app, world.settings.base_url)


@pytest.fixture
def ada(world: World, app: FastAPI) -> Visitor:
    """The owner, signed in."""
    return Visitor(app, world.settings.base_url).enter(link(world, world.ada.member_id))


def link(world: World, member_id: str) -> str:
    with world.write() as session:
        return people.make_link(session, session.get_one(Member, member_id), world.now)


@pytest.fixture
def cy(world: World, app: FastAPI) -> Visitor:
    """Owns another organization in the same installation."""
    with world.write() as session:
        other = Organization(name="Elsewhere", created_at=world.now)
        session.add(other)
        session.flush()
        member = Member(
            organization_id=other.id, name="Cy", email="cy@example.org", role="owner", language="fr",
            created_at=world.now,
        )  # fmt: skip
        session.add(member)
        session.flush()
        joined(session, member)
        member_id = member.id
    return Visitor(app, world.settings.base_url).enter(link(world, member_id))
