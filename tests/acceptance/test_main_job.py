"""The main job as a stranger does it: a text file, a browser, the feed, and `verify` on what was downloaded."""

from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from avatar_scheduler.clock import utc_now
from avatar_scheduler.domain.approval import UNDO
from tests.acceptance.tree import Tree, until

SCRIPT = "Three things I learned about bread this week. Wet hands stop the dough from sticking."
LATE = timedelta(seconds=10)
"""Generous, because the machine that tests is busy; benchmarks/ measure the real lateness."""


@pytest.mark.timeout(300)
def test_a_script_becomes_a_marked_video_that_a_person_approves_and_it_goes_out_once(
    tree: Tree, browser: Browser, folder: Path
) -> None:
    link = tree.set_up()
    script = folder / "my_script.txt"
    script.write_text(SCRIPT)
    with tree.up():
        due = utc_now() + timedelta(seconds=50)
        asked = due.strftime("%Y-%m-%d %H:%M:%S")
        arguments = ["--kind", "reply", "--caption", "Bread. #baking", "--title", "Bread"]
        made = tree.json("post", "new", str(script), *arguments, "--at", asked, "--zone", "UTC")
        post = made["post_id"]
        until(lambda: tree.state(post) == "in_review", "the render is done", 120)
        version = tree.json("post", "show", post)["progress"]["version_id"]

        approve_in_a_browser(browser, link, f"{tree.base_url}/review/{version}")
        may_go = max(due, utc_now() + UNDO)

        until(lambda: tree.state(post) == "published", "it is published", 120)
        assert [line["created"] for line in tree.ledger] == [True]
        out = datetime.fromisoformat(str(tree.ledger[0]["at"]))
        assert due.replace(microsecond=0) <= out <= may_go + LATE

        [item] = httpx.get(f"{tree.base_url}/f/maya/feed.json").raise_for_status().json()["items"]
        video = folder / "downloaded.mp4"
        video.write_bytes(httpx.get(item["attachments"][0]["url"]).raise_for_status().content)
        said = tree.cli("verify", str(video))
        for mark in ("label", "credentials", "xmp", "caption_line"):
            assert f"ok      {mark}" in said
        assert "state=trusted" in said
        proof = httpx.get(item["url"]).raise_for_status().text
        assert "AI" in proof
        assert "Bread" in httpx.get(f"{tree.base_url}/f/maya/atom.xml").raise_for_status().text
    assert "Intact" in tree.cli("audit", "verify")


def approve_in_a_browser(browser: Browser, link: str, review: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(link)
    page.fill("input[type=password]", "correct horse battery")
    page.click("button")
    page.wait_for_url("**/review**")
    page.goto(review)
    button = page.locator("[data-approve]")
    expect(button).to_be_disabled()
    page.locator("[data-play]").click()
    expect(button).to_be_enabled(timeout=60_000)
    button.click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    context.close()
