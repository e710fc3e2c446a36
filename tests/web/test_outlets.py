"""The page of ways to be told, the installable application around it, and the worker that shows notices."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from avatar_scheduler.services import chats
from avatar_scheduler.services.outlets import Shown
from avatar_scheduler.web import push
from avatar_scheduler.web.app import create_app
from tests.peers.pushing import PushService
from tests.services.test_outlets import TELEGRAM
from tests.web import gallery
from tests.web.conftest import DESK, PHONE, Watcher
from tests.web.test_browser import AXE, SIDEWAYS, VIEWS
from tests.web.visitor import Visitor
from tests.world import World

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
SHOWN = [Shown("a", "push", "Chrome, Android", AT, AT), Shown("b", "chat", "Telegram", AT, None)]
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "outlets": (
        "outlets.html",
        {"outlets": SHOWN, "push_key": "BAAA", "chats": list(chats.ADDRESSES), "mail_on": True},
    ),
    "outlets-none": (
        "outlets.html",
        {"outlets": [], "push_key": "BAAA", "chats": list(chats.ADDRESSES), "mail_on": False},
    ),
    "offline": ("offline.html", {"person": None}),
}


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (template, context) in CASES.items():
        monkeypatch.setitem(gallery.PAGES, name, (template, {"waiting": 3, **context}))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", list(CASES))
def test_page_is_clean(watch: Watcher, pictures: Path, name: str, view: str) -> None:
    size, dark = VIEWS[view]
    seen = watch(size, dark=dark)
    page = seen.open(name)
    page.screenshot(path=pictures / f"{name}-{view}.png", full_page=True)
    assert AXE.run(page).response["violations"] == []
    assert page.evaluate(SIDEWAYS) == 0
    assert seen.problems == []
    if size == PHONE:
        heights = page.locator(".page button:visible, .page input:visible, .page .btn:visible").evaluate_all(
            "all => all.map((one) => one.getBoundingClientRect().height)"
        )
        assert min(heights) >= 44


@pytest.mark.parametrize("name", list(CASES))
def test_page_fits_a_narrow_phone_in_french(watch: Watcher, pictures: Path, name: str) -> None:
    page = watch((320, 640)).open(name, "fr")
    expect(page.locator("h1")).to_have_text({"offline": "Pas de connexion"}.get(name, "Avis"))
    assert page.evaluate(SIDEWAYS) == 0
    page.screenshot(path=pictures / f"{name}-narrow-fr.png", full_page=True)


class TestForms:
    def test_a_chat_is_added_tested_and_removed_without_script(self, ada: Visitor) -> None:
        assert ada.post("/account/outlets", {"kind": "chat", "address": TELEGRAM}).status_code == 303
        page = ada.get("/account/outlets").text
        assert "Telegram" in page
        assert "123456789" not in page
        assert ada.post("/account/outlets/test").headers["location"] == "/account/outlets#sent"
        (path,) = re.findall(r'action="(/account/outlets/\w+/removal)"', page)
        assert ada.post(path).status_code == 303
        assert "Telegram</b>" not in ada.get("/account/outlets").text

    def test_a_browser_is_added_by_its_subscription(self, ada: Visitor) -> None:
        service = PushService(url="https://push.example")
        form = {"kind": "push", "subscription": service.subscription(), "label": "Chrome, Linux"}
        assert ada.post("/account/outlets", form).status_code == 303
        assert "Chrome, Linux" in ada.get("/account/outlets").text

    def test_a_wrong_address_is_explained(self, ada: Visitor) -> None:
        answer = ada.post("/account/outlets", {"kind": "chat", "address": "json://localhost/"})
        assert answer.status_code >= 400
        assert "no address of Telegram" in answer.text

    def test_another_person_cannot_remove_it(self, ada: Visitor, cy: Visitor) -> None:
        ada.post("/account/outlets", {"kind": "chat", "address": TELEGRAM})
        (path,) = re.findall(r'action="(/account/outlets/\w+/removal)"', ada.get("/account/outlets").text)
        assert cy.post(path).status_code == 404
        assert "Telegram</b>" in ada.get("/account/outlets").text


class TestInstallable:
    def test_the_manifest_names_pictures_that_are_there(self, stranger: Visitor) -> None:
        answer = stranger.get("/manifest.webmanifest")
        assert answer.headers["content-type"] == "application/manifest+json"
        for icon in answer.json()["icons"]:
            assert stranger.get(icon["src"]).status_code == 200
            if icon["sizes"] != "any":
                with Image.open(push.STATIC / icon["src"].removeprefix("/static/")) as picture:
                    assert f"{picture.width}x{picture.height}" == icon["sizes"]

    def test_the_worker_is_served_from_the_root_and_asked_for_anew(self, stranger: Visitor) -> None:
        answer = stranger.get("/sw.js")
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cache-control"] == "no-cache"

    def test_the_page_for_no_connection_has_nobodys_name_on_it(self, ada: Visitor, stranger: Visitor) -> None:
        assert ada.get("/offline").text == stranger.get("/offline").text


@pytest.fixture
def phone(world: World, browser: Browser) -> Iterator[tuple[Page, str, FastAPI]]:
    """A window on the real pages, with the service worker running."""
    apps: list[FastAPI] = []

    def make(url: str) -> FastAPI:
        apps.append(create_app(world.settings.model_copy(update={"base_url": url}), world.clock))
        return apps[0]

    with gallery.serving(make) as url:
        context = browser.new_context(viewport={"width": DESK[0], "height": DESK[1]}, permissions=["notifications"])
        page = context.new_page()
        page.goto(f"{url}/sign-in")
        page.evaluate("navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready)")
        yield page, url, apps[0]
        context.close()


def push_to(page: Page, url: str, text: str) -> list[dict[str, str]]:
    """What the worker shows for a push message with this text."""
    devtools = page.context.new_cdp_session(page)
    found: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda said: found.extend(row["registrationId"] for row in said["registrations"]),
    )
    devtools.send("ServiceWorker.enable")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    message = {"origin": url, "registrationId": found[-1], "data": text}
    shown = """() => new Promise((done) => {
        setTimeout(() => done([]), 5000);
        const about = (n) => ({title: n.title, body: n.body, tag: n.tag, path: n.data.path});
        const look = () => navigator.serviceWorker.ready.then((r) => r.getNotifications()).then(
            (all) => all.length ? done(all.map(about)) : requestAnimationFrame(look));
        look();
    })"""
    for _ in range(5):  # on a busy machine Chromium sometimes drops one
        devtools.send("ServiceWorker.deliverPushMessage", message)
        rows: list[dict[str, str]] = page.evaluate(shown)
        if rows:
            return rows
    raise AssertionError("the worker showed nothing")


class TestWorker:
    def test_it_shows_the_notice_and_leads_to_the_card(self, phone: tuple[Page, str, FastAPI]) -> None:
        page, url, _ = phone
        notice = {"title": "A reply needs you by 17:45", "body": "b", "path": "/review/abc", "tag": "t"}
        for _ in range(2):  # the second replaces the first
            shown = push_to(page, url, json.dumps(notice))
        assert shown == [notice]

    @pytest.mark.parametrize("path", ["https://evil.example/x", "//evil.example/x", "javascript:alert(1)"])
    def test_it_never_leads_elsewhere(self, phone: tuple[Page, str, FastAPI], path: str) -> None:
        page, url, _ = phone
        (shown,) = push_to(page, url, json.dumps({"title": "x", "path": path}))
        assert shown["path"] == "/review"

    def test_a_message_it_cannot_read_is_shown_too(self, phone: tuple[Page, str, FastAPI]) -> None:
        page, url, _ = phone
        (shown,) = push_to(page, url, "no json")
        assert (shown["title"], shown["path"]) == ("Avatar Scheduler", "/review")

    def test_without_a_connection_it_says_so_and_keeps_no_page(self, phone: tuple[Page, str, FastAPI]) -> None:
        page, url, _ = phone
        page.wait_for_function("navigator.serviceWorker.controller !== null")
        page.goto(f"{url}/sign-in?next=/posts")
        kept = page.evaluate(
            "caches.keys().then((n) => caches.open(n[0])).then((c) => c.keys()).then((k) => k.map((r) => r.url))"
        )
        assert all("/static/" in one or one.endswith("/offline") for one in kept)
        page.context.set_offline(True)
        page.goto(f"{url}/review")
        expect(page.locator("h1")).to_have_text("No connection")
