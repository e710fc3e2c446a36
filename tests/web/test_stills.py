"""Pictures through the real application: who may fetch them, what counts as seen, what the public gets."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect

from avatar_scheduler.clock import utc_now
from avatar_scheduler.db.tables import Version
from avatar_scheduler.web.app import create_app
from tests.web import gallery
from tests.web.conftest import DESK, PHONE, link
from tests.web.visitor import PASSWORD, Visitor
from tests.world import STILLS, Film, World

on_one_database = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def version(world: World, stills: Film) -> Version:
    return world.version(world.post("reply", template=STILLS, form="stills", at="+30m"), stills)


def test_fetched_and_reported_unlocks_and_neither_alone_does(world: World, ada: Visitor, version: Version) -> None:
    url, at = f"/review/{version.id}", {"version_hash": version.sha256}
    assert ada.tell(f"{url}/looked", {"pictures": []}).json() == {"pictures": [], "complete": False}
    world.later(seconds=10)
    assert ada.tell(f"{url}/looked", {"pictures": [1, 2, 3]}).json() == {"pictures": [], "complete": False}
    assert ada.post(f"{url}/approval", at).status_code == 422
    for number in (1, 2, 3):
        answer = ada.get(f"{url}/pictures/{number}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert answer.headers["cache-control"] == "private, no-store"  # asked again for each person's look
    assert ada.tell(f"{url}/looked", {"pictures": []}).json() == {"pictures": [1, 2, 3], "complete": True}
    assert ada.post(f"{url}/approval", at).status_code == 303


@on_one_database
@pytest.mark.parametrize(
    "body", [{}, {"pictures": [0]}, {"pictures": [11]}, {"pictures": ["x"]}, {"pictures": [1], "x": 1}]
)
def test_nonsense_is_refused(ada: Visitor, version: Version, body: dict[str, Any]) -> None:
    assert ada.tell(f"/review/{version.id}/looked", body).status_code == 422


def test_pictures_are_not_there_for_others(cy: Visitor, stranger: Visitor, version: Version) -> None:
    path = f"/review/{version.id}/pictures/1"
    assert cy.get(path).status_code == 404
    assert cy.tell(f"/review/{version.id}/looked", {"pictures": [1]}).status_code == 404
    assert stranger.get(path).status_code == 303


@on_one_database
@pytest.mark.parametrize("number", ["0", "4", "x", "-1", "99999999999999999999"])
def test_a_picture_that_is_not_there(ada: Visitor, version: Version, number: str) -> None:
    assert ada.get(f"/review/{version.id}/pictures/{number}").status_code in (404, 422)


def test_the_public_gets_every_picture(world: World, stranger: Visitor, ada: Visitor, version: Version) -> None:
    world.look(version)
    world.approve(version)
    delivery = world.publish(world.delivery(version))
    page = stranger.get(f"/f/maya/{delivery.id}").text
    assert page.count("<img src=") == 3
    assert "AI-generated avatar image. “Keep the heat low.” — Grandma" in page
    links = ET.fromstring(stranger.get("/f/maya/atom.xml").content).findall(f"{ATOM}entry/{ATOM}link[@rel='enclosure']")
    for found in links:
        file = stranger.get(found.attrib["href"])
        assert (file.headers["content-type"], len(file.content)) == ("image/jpeg", int(found.attrib["length"]))
    assert len(links) == len(stranger.get("/f/maya/feed.json").json()["items"][0]["attachments"]) == 3
    proof = stranger.get(f"/proof/{delivery.id}").text
    assert proof.count('<span class="v ok">') == 6
    assert "(3 of 3 pictures)" in proof
    assert ada.get(f"/posts/{delivery.post_id}").text.count("<img src=") == 3


@on_one_database
def test_a_person_looks_at_each_and_approves(
    world: World, stills: Film, version: Version, browser: Browser, pictures: Path
) -> None:
    """The real application, pictures and database, in a real browser."""
    token = link(world, world.ada.member_id)

    def make(url: str) -> FastAPI:
        world.settings = world.settings.model_copy(update={"base_url": url})
        return create_app(world.settings, utc_now)

    with gallery.serving(make) as url:
        page = browser.new_page(viewport={"width": PHONE[0], "height": PHONE[1]})
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(f"{url}/welcome/{token}")
        page.get_by_label("New password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{url}/review")
        approve = page.locator("[data-approve]")
        expect(approve).to_have_text("1 of 3 seen", use_inner_text=True)
        page.screenshot(path=pictures / "real-stills-phone-light.png")
        page.get_by_role("button", name="Next picture").click()
        expect(approve).to_have_text("2 of 3 seen", use_inner_text=True)
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        page.screenshot(path=pictures / "real-stills-desk-light.png")
        expect(approve).to_be_disabled()
        page.keyboard.press("ArrowRight")
        expect(approve).to_be_enabled()
        page.screenshot(path=pictures / "real-stills-seen-desk-light.png")
        approve.click()
        expect(page.get_by_role("status")).to_contain_text("approved")
        assert problems == []
        page.close()
    assert world.delivery(version).state == "scheduled"
