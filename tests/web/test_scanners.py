"""Mail scanners follow the link of a notice, submit what they find and click on everything: nothing is decided by that.

Safe Links and Barracuda fetch links, some with a browser; Outlook submits forms that would submit themselves.
"""

import re

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext
from sqlmodel import func, select

from avatar_scheduler.db.tables import Approval, Audit, Version, WebSession
from avatar_scheduler.web.app import create_app
from avatar_scheduler.web.deps import cookie_name
from tests.web import gallery
from tests.web.visitor import Visitor
from tests.world import World

FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
FIELD = re.compile(r"<(?:input|button|textarea|select)\b([^>]*)", re.DOTALL)
DECISIONS = ("approval", "rejection", "changes", "drop", "nudge")


@pytest.fixture
def version(world: World) -> Version:
    return world.version(world.post("reply", at="+4h"))


def attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return found[1] if found else ""


def submit_all(visitor: Visitor, page: str, at: str) -> int:
    """Every form, filled with what it brings along, the way a mail program's preview would send it."""
    forms = FORM.findall(page)
    for tag, inside in forms:
        fields = {attribute(field, "name"): attribute(field, "value") for field in FIELD.findall(inside)}
        fields.pop("", None)
        target = attribute(tag, "action") or at
        for headers in ({}, {"origin": None}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
            if attribute(tag, "method").lower() == "post":
                visitor.ask("POST", target, headers=dict(headers), data=fields)
            else:
                visitor.get(target, params=fields)
    return len(forms)


def decided(world: World, version: Version) -> tuple[int, str, str, int]:
    """Approvals in the installation, the states of post and delivery, and entries of the log about any of them."""
    with world.read() as session:
        approvals = session.exec(select(func.count()).select_from(Approval)).one()
        about = Audit.noun_id.in_([version.id, version.post_id])  # type: ignore[attr-defined]
        entries = session.exec(select(func.count()).select_from(Audit).where(about)).one()
    return approvals, str(post_state(world, version)), str(world.delivery(version).state), entries


def post_state(world: World, version: Version) -> str:
    from avatar_scheduler.db.tables import Post

    with world.read() as session:
        return session.get_one(Post, version.post_id).state


class TestWithoutASession:
    def test_head_get_and_submitted_forms_decide_nothing(
        self, world: World, version: Version, stranger: Visitor
    ) -> None:
        link, before, forms = f"/review/{version.id}", decided(world, version), 0
        for _ in range(3):
            for method in ("HEAD", "GET"):
                answer = stranger.ask(method, link)
                if "location" in answer.headers:
                    answer = stranger.ask(method, answer.headers["location"])
                forms += submit_all(stranger, answer.text, link)
        for verb in DECISIONS:
            for method in ("GET", "HEAD", "POST", "PUT"):
                data = {"version_hash": version.sha256} if method in ("POST", "PUT") else None
                assert stranger.ask(method, f"{link}/{verb}", data=data).status_code in (303, 401, 403, 404, 405)
        assert forms >= 3
        assert decided(world, version) == before
        assert before[:3] == (0, "in_review", "waiting")
        with world.read() as session:
            assert list(session.exec(select(WebSession))) == []
        print(f"{forms} forms sent 4 times each, {len(DECISIONS) * 4} direct calls: 0 approvals")  # noqa: T201

    def test_a_browser_that_clicks_on_everything_decides_nothing(
        self, world: World, version: Version, browser: Browser
    ) -> None:
        before = decided(world, version)
        with gallery.serving(lambda url: served(world, url)) as url:
            context = browser.new_context()
            clicks = click_everything(context, f"{url}/review/{version.id}", url)
            context.close()
            usable(world, version, url)
        assert clicks >= 5
        assert decided(world, version)[:3] == before[:3]
        print(f"{clicks} clicks and submits in a browser: 0 approvals")  # noqa: T201


class TestWithASession:
    def test_looking_with_every_method_that_only_looks_decides_nothing(
        self, world: World, version: Version, ada: Visitor
    ) -> None:
        before = decided(world, version)
        for method in ("GET", "HEAD"):
            ada.ask(method, f"/review/{version.id}")
            for verb in DECISIONS:
                assert ada.ask(method, f"/review/{version.id}/{verb}").status_code in (404, 405)
        assert decided(world, version) == before

    def test_forms_sent_by_a_program_that_holds_the_cookie_are_refused(
        self, world: World, version: Version, ada: Visitor
    ) -> None:
        """It fetched the page with the cookie, so it has the token and the hash; it is no page of ours, and says so."""
        page = ada.get(f"/review/{version.id}").text
        before = decided(world, version)
        for tag, inside in FORM.findall(page):
            fields = {attribute(field, "name"): attribute(field, "value") for field in FIELD.findall(inside)}
            fields.pop("", None)
            if f"/review/{version.id}/" in attribute(tag, "action"):
                for headers in ({"origin": None}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
                    answer = ada.ask("POST", attribute(tag, "action"), headers=dict(headers), data=fields)
                    assert answer.status_code == 403
        assert decided(world, version) == before


def served(world: World, url: str) -> FastAPI:
    return create_app(world.settings.model_copy(update={"base_url": url}), world.clock)


def click_everything(context: BrowserContext, link: str, url: str) -> int:
    """Opens the link anew for each control, clicks on it and submits the form around it past the browser's checks."""
    controls, number = 1, 0
    while number < controls:
        page = context.new_page()
        page.goto(link)
        found = page.locator("a, button, input, select, summary, [role=button]")
        controls = found.count()
        act = "c => { if (c.form) c.form.noValidate = true; c.click(); if (c.form) c.form.submit(); }"
        found.nth(number).evaluate(act)
        page.wait_for_load_state("networkidle")
        assert page.url.startswith((url, url.replace("127.0.0.1", "localhost")))
        page.close()
        number += 1
    return number


def usable(world: World, version: Version, url: str) -> None:
    """The person the link was for comes afterwards, signs in and finds the card."""
    from tests.web.conftest import link

    settings = world.settings.model_copy(update={"base_url": url})
    visitor = Visitor(create_app(settings, world.clock), url).enter(link(world, world.ada.member_id))
    assert visitor.cookies.get(cookie_name(settings))
    answer = visitor.get(f"/review/{version.id}")
    assert answer.status_code == 200
    assert version.sha256 in answer.text
