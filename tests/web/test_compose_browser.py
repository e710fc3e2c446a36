"""The composer in a real browser, on a real installation: typed into, listened to, sent."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect

from avatar_scheduler.web.app import create_app
from tests.web import gallery
from tests.web.conftest import DESK, PHONE, link
from tests.web.visitor import PASSWORD
from tests.world import World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
"""One database is enough: this is about the page."""

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PLAYED = """new Promise((done) => {
  const video = document.querySelector("video");
  video.addEventListener("timeupdate", () => video.currentTime > 0.5 && done(video.currentTime));
})"""
AXE = Axe()
VIEWS = [
    pytest.param(PHONE, False, "en", id="phone-light-en"),
    pytest.param(PHONE, True, "fr", id="phone-dark-fr"),
    pytest.param(DESK, False, "fr", id="desk-light-fr"),
    pytest.param(DESK, True, "en", id="desk-dark-en"),
    pytest.param((320, 640), False, "fr", id="narrow-fr"),
]


@pytest.fixture
def url(world: World) -> Iterator[str]:
    apps: list[FastAPI] = []

    def make(address: str) -> FastAPI:
        apps.append(create_app(world.settings.model_copy(update={"base_url": address}), world.clock))
        return apps[0]

    with gallery.serving(make) as address:
        yield address
    apps[0].state.previews.close()


class Desk:
    """Ada, signed in, with every complaint of the browser kept."""

    def __init__(self, browser: Browser, url: str, world: World, size: tuple[int, int], *, dark: bool, script: bool):
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        self.page: Page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.goto(f"{url}/welcome/{link(world, world.ada.member_id)}")
        self.page.fill("input[type=password]", PASSWORD)
        self.page.click("button[type=submit], form button")
        self.page.wait_for_url("**/review")
        self.page.goto(f"{url}/compose")


@pytest.fixture
def desk(browser: Browser, url: str, world: World) -> Iterator[Desk]:
    made = Desk(browser, url, world, DESK, dark=False, script=True)
    yield made
    made.context.close()


@pytest.mark.parametrize(("size", "dark", "language"), VIEWS)
def test_it_is_clean_with_and_without_mistakes(
    browser: Browser, url: str, world: World, pictures: Path, size: tuple[int, int], dark: bool, language: str
) -> None:
    world.sql("UPDATE member SET language = :language", language=language)
    seen = Desk(browser, url, world, size, dark=dark, script=True)
    page = seen.page
    name = f"compose-{size[0]}-{'dark' if dark else 'light'}-{language}"
    page.goto(f"{url}/compose?starter=tip_of_the_day.{language}")
    page.screenshot(path=pictures / f"{name}.png", full_page=True)
    assert [v["id"] for v in AXE.run(page).response["violations"]] == []
    page.fill("[name='var.topic']", "x" * 61)
    page.fill("[name=caption]", "y" * 2201)
    expect(page.locator(".fixes a")).to_have_count(2)
    page.screenshot(path=pictures / f"{name}-wrong.png", full_page=True)
    assert [v["id"] for v in AXE.run(page).response["violations"]] == []
    page.locator(".pick:has([value=paid])").click()
    expect(page.locator(".disc .t")).to_have_count(10)
    page.evaluate("document.querySelectorAll('.disc details').forEach((folded) => { folded.open = true; })")
    page.screenshot(path=pictures / f"{name}-paid.png", full_page=True)
    assert [v["id"] for v in AXE.run(page).response["violations"]] == []
    assert page.evaluate(SIDEWAYS) == 0
    assert seen.problems == []
    seen.context.close()


def test_a_script_is_typed_seen_and_sent(desk: Desk, pictures: Path) -> None:
    page = desk.page
    page.fill("[name=title]", "Onions")
    page.fill("[name=template]", "Keep the heat low. Give the onions ten minutes.")
    expect(page.locator("[data-part=numbers]")).to_contain_text("9 words")
    page.click("[data-watch]")
    assert page.evaluate(PLAYED) > 0.5
    assert page.evaluate("document.querySelector('video').videoWidth") == 360
    page.screenshot(path=pictures / "compose-watching.png")
    page.evaluate("document.querySelector('video').pause()")
    with page.expect_response("**/compose/preview/*") as ahead:
        page.fill("[name=template]", "Keep the heat very low. Give the onions ten minutes.")
    assert ahead.value.ok
    page.click("header [data-send]")
    page.wait_for_url(re.compile(r"/posts/[0-9a-f]{32}$"))
    expect(page.locator("h1")).to_have_text("Onions")
    expect(page.locator("[data-progress]")).to_be_visible()
    page.screenshot(path=pictures / "compose-sent.png")
    assert desk.problems == []


def test_who_pays_changes_the_verdict_while_typing(desk: Desk, world: World) -> None:
    page = desk.page
    page.fill("[name=title]", "Onions")
    page.fill("[name=template]", "Keep the heat low.")
    page.locator(".pick:has([value=paid])").click()
    expect(page.locator("[data-part=marks]")).to_contain_text("Ad: paid partnership.")
    expect(page.locator("[data-part=lines] p")).to_have_count(2)
    expect(page.locator("[data-part=asks]")).to_contain_text("Sponsored posts always come to you")
    world.sql("DELETE FROM audit WHERE noun = 'avatar'")  # as added by a release that did not log its kind
    world.sql("UPDATE avatar SET performer = 'somebody'")
    page.locator(".pick:has([value=no])").click()
    expect(page.locator("[data-part=marks] .note")).to_contain_text("It cannot go to Own feed like this")
    expect(page.locator(".fixes a")).to_contain_text("unknown.performer")
    page.locator(".fixes a").click()
    assert page.url.endswith("#f-channels")
    assert desk.problems == []


def test_a_mistake_is_said_while_typing_and_leads_to_its_place(desk: Desk) -> None:
    page = desk.page
    page.fill("[name=title]", "Onions")
    page.fill("[name=template]", "Hello.\nIt is {{ tip }}.")
    problem = page.locator(".fixes a")
    expect(problem).to_have_count(1)
    expect(problem).to_contain_text("Line 2, column 10")
    expect(page.locator("[name=template]")).to_have_attribute("aria-invalid", "true")
    problem.click()
    assert page.evaluate("document.activeElement.selectionStart") == len("Hello.\nIt is {{ ")
    page.fill("[name=template]", "Hello.")
    expect(problem).to_have_count(0)


def test_without_script_it_can_be_sent(browser: Browser, url: str, world: World) -> None:
    seen = Desk(browser, url, world, PHONE, dark=False, script=False)
    seen.page.fill("[name=title]", "Onions")
    seen.page.fill("[name=template]", "Keep the heat low.")
    assert not seen.page.locator("[data-watch]").is_visible()
    seen.page.click(".comp > .big")
    assert re.search(r"/posts/[0-9a-f]{32}$", seen.page.url)
    seen.context.close()
