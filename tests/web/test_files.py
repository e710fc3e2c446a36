"""Files by hash, the public feed and the proof."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect

from avatar_scheduler.clock import utc_now
from avatar_scheduler.web.app import create_app
from tests.web import gallery
from tests.web.conftest import DESK, link
from tests.web.visitor import PASSWORD, Visitor
from tests.world import World

ATOM = "{http://www.w3.org/2005/Atom}"


def video_of(world: World, ada: Visitor) -> str:
    page = ada.get(f"/review/{world.version(world.post()).id}").text
    return page.split('<video src="')[1].split('"')[0]


class TestMedia:
    def test_comes_whole_and_in_parts(self, world: World, ada: Visitor) -> None:
        url = video_of(world, ada)
        whole = ada.get(url)
        assert whole.status_code == 200
        assert whole.headers["content-type"] == "video/mp4"
        assert whole.headers["accept-ranges"] == "bytes"
        part = ada.get(url, headers={"range": "bytes=4-7"})
        assert (part.status_code, part.content) == (206, b"ftyp")
        assert part.headers["content-range"] == f"bytes 4-7/{len(whole.content)}"
        assert ada.get(url, headers={"range": "bytes=999999999-"}).status_code == 416
        assert ada.ask("HEAD", url).headers["content-length"] == str(len(whole.content))

    def test_can_do_nothing_but_be_shown(self, world: World, ada: Visitor) -> None:
        headers = ada.get(video_of(world, ada)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert headers["content-disposition"].startswith("inline; filename=")
        assert headers["cache-control"] == "private, no-cache"

    def test_is_not_there_for_others(self, world: World, ada: Visitor, cy: Visitor, stranger: Visitor) -> None:
        url = video_of(world, ada)
        assert cy.get(url).status_code == 404
        assert stranger.get(url).status_code == 303
        assert stranger.get(f"/f/maya{url}").status_code == 404

    @pytest.mark.parametrize(
        "name",
        ["..%2f..%2fkeys", "%252e%252e%252fkeys", "%00", "/etc/passwd",
         "a" * 63, "A" * 64, "a" * 65, f"{'a' * 64}.mp4"],
    )  # fmt: skip
    def test_a_name_that_is_no_hash_is_not_there(self, ada: Visitor, name: str) -> None:
        for base in ("/media", "/f/maya/media"):
            assert ada.get(f"{base}/{name}").status_code == 404


class TestPublic:
    def test_feed_item_and_proof_are_open_once_published(self, world: World, stranger: Visitor) -> None:
        assert "Nothing published yet." in stranger.get("/f/maya").text
        delivery = world.publish(world.approved("reply"))
        for path in ("/f/maya", f"/f/maya/{delivery.id}"):
            answer = stranger.get(path)
            assert answer.status_code == 200
            assert "<b>AI</b>" in answer.text
        proof = stranger.get(f"/proof/{delivery.id}").text
        assert "Ada" in proof
        assert "A person looked at this exact version" in proof
        assert proof.count('<span class="v ok">') == 6

    def test_nothing_is_open_before(self, world: World, stranger: Visitor) -> None:
        delivery = world.approved()
        assert stranger.get(f"/f/maya/{delivery.id}").status_code == 404
        assert stranger.get(f"/proof/{delivery.id}").status_code == 404

    def test_feeds_point_at_files_that_are_there(self, world: World, stranger: Visitor) -> None:
        world.publish(world.approved())
        atom = stranger.get("/f/maya/atom.xml")
        assert atom.headers["content-type"] == "application/atom+xml"
        enclosure = ET.fromstring(atom.content).find(f"{ATOM}entry/{ATOM}link[@rel='enclosure']")
        assert enclosure is not None
        file = stranger.get(enclosure.attrib["href"])
        assert len(file.content) == int(enclosure.attrib["length"])
        assert file.headers["cache-control"] == "public, max-age=60"
        feed = stranger.get("/f/maya/feed.json")
        assert feed.headers["content-type"] == "application/feed+json"
        assert feed.json()["items"][0]["attachments"][0]["url"] == enclosure.attrib["href"]

    def test_an_unknown_feed_is_a_page_that_says_so(self, stranger: Visitor) -> None:
        answer = stranger.get("/f/nobody")
        assert answer.status_code == 404
        assert "Nothing here" in answer.text


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_person_signs_in_watches_and_approves_with_the_keyboard(
    world: World, browser: Browser, pictures: Path
) -> None:
    """The real application, film and database, in a real browser."""
    version = world.version(world.post("reply", at="+30m"))
    token = link(world, world.ada.member_id)

    def make(url: str) -> FastAPI:
        world.settings = world.settings.model_copy(update={"base_url": url})
        return create_app(world.settings, utc_now)

    with gallery.serving(make) as url:
        # Each page has its keys once its scripts ran: the help button shows then.
        page = browser.new_page(viewport={"width": DESK[0], "height": DESK[1]})
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(f"{url}/welcome/{token}")
        page.get_by_label("New password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{url}/review")
        expect(page.locator("[data-approve]")).to_be_disabled()
        expect(page.get_by_label("Keyboard help")).to_be_visible()
        page.keyboard.press("Space")
        expect(page.locator("[data-approve]")).to_be_enabled(timeout=60_000)
        page.screenshot(path=pictures / "real-review-desk-light.png")
        page.keyboard.press("a")
        expect(page.get_by_role("status")).to_contain_text("approved")
        expect(page.get_by_label("Keyboard help")).to_be_visible()
        page.keyboard.press("u")
        expect(page).to_have_url(f"{url}/review")
        expect(page.locator("[data-approve]")).to_be_enabled()
        assert problems == []
        page.close()
    assert world.delivery(version).state == "waiting"
