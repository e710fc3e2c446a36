"""The pages in a real browser: clean for assistive technology, inside the policy, usable by thumb and by keyboard."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import expect

from tests.web import gallery
from tests.web.cases import HASH
from tests.web.conftest import DESK, PHONE, Watcher

VIEWS = {
    "phone-light": (PHONE, False),
    "phone-dark": (PHONE, True),
    "desk-light": (DESK, False),
    "desk-dark": (DESK, True),
}
QUICK = ("phone-light", "desk-dark")
EACH = [
    pytest.param(name, view, marks=() if view == QUICK[at % len(QUICK)] else pytest.mark.slow)
    for at, name in enumerate(gallery.PAGES)
    for view in VIEWS
]
"""The quick run looks at every page once, at every other one in the dark on a desk; the slow run four times."""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
AXE = Axe()


@pytest.mark.parametrize(("name", "view"), EACH)
def test_page_is_clean(watch: Watcher, pictures: Path, name: str, view: str) -> None:
    size, dark = VIEWS[view]
    seen = watch(size, dark=dark)
    page = seen.open(name)
    page.screenshot(path=pictures / f"{name}-{view}.png")
    found = AXE.run(page).response["violations"]
    assert [(v["id"], [node["html"][:120] for node in v["nodes"]]) for v in found] == []
    assert page.evaluate(SIDEWAYS) == 0
    assert seen.problems == []


@pytest.mark.parametrize("name", list(gallery.PAGES))
def test_page_fits_a_narrow_phone_in_french(watch: Watcher, pictures: Path, name: str) -> None:
    page = watch((320, 640)).open(name, "fr")
    assert page.evaluate(SIDEWAYS) == 0
    page.screenshot(path=pictures / f"{name}-narrow-fr.png")


@pytest.mark.parametrize("sheet", ["changes", "reject"])
def test_the_sheets_are_clean_too(watch: Watcher, pictures: Path, sheet: str) -> None:
    page = watch().open("review-ready")
    page.click(f"a[href='#{sheet}']")
    page.screenshot(path=pictures / f"review-{sheet}-phone-light.png")
    assert AXE.run(page).response["violations"] == []
    page.keyboard.press("Escape")
    expect(page.locator(f"#{sheet}")).to_be_hidden()


class TestKeys:
    def test_a_approves_this_very_version(self, watch: Watcher) -> None:
        page = watch(DESK).open("review-ready")
        page.keyboard.press("a")
        expect(page.locator("#what")).to_have_text(f"approval {HASH} csrf-of-ada")

    def test_a_does_nothing_while_the_video_was_not_seen(self, watch: Watcher) -> None:
        page = watch(DESK).open("review-locked")
        expect(page.locator("[data-approve]")).to_have_text("0:02 to go", use_inner_text=True)
        page.keyboard.press("a")
        expect(page.locator("[data-approve]")).to_be_disabled()

    def test_j_goes_to_the_next_card(self, watch: Watcher) -> None:
        page = watch(DESK).open("review-ready")
        page.route("**/review/v3id", lambda route: route.fulfill(body="next", content_type="text/html"))
        page.keyboard.press("j")
        page.wait_for_url("**/review/v3id")

    def test_r_asks_before_it_rejects(self, watch: Watcher) -> None:
        page = watch(DESK).open("review-ready")
        page.keyboard.press("r")
        expect(page.locator("#reject")).to_be_visible()
        page.locator("#reject button").click()
        expect(page.locator("#what")).to_have_text(f"rejection {HASH} csrf-of-ada")

    def test_letters_in_a_field_are_letters(self, watch: Watcher) -> None:
        page = watch(DESK).open("review-ready")
        page.keyboard.press("c")
        page.locator("textarea").fill("")
        page.locator("textarea").press_sequentially("a jack rabbit?")
        expect(page.locator("textarea")).to_have_value("a jack rabbit?")

    def test_single_keys_can_be_turned_off(self, watch: Watcher) -> None:
        page = watch(DESK).open("review-ready")
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        page.locator("[data-keys-on]").uncheck()
        page.locator("#keys button").click()
        page.keyboard.press("r")
        expect(page.locator("#reject")).to_be_hidden()

    def test_every_control_can_be_reached_with_tab(self, watch: Watcher) -> None:
        page = watch(DESK).open("review-ready")
        reached = set()
        for _ in range(40):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.dataset.key || document.activeElement.className"))
        assert {"space", "r", "c", "a", "?", "scrub"} <= reached


class TestPlayer:
    def test_watching_to_the_end_unlocks_approve(self, watch: Watcher, gallery_app: FastAPI) -> None:
        gallery_app.state.seen.clear()
        page = watch(DESK).open("review-locked")
        page.keyboard.press("Space")
        expect(page.locator("[data-approve]")).to_be_enabled(timeout=15_000)
        expect(page.locator("[data-done]")).to_be_visible()
        assert "NaN" not in page.locator("body").inner_text()
        expect(page.locator("[data-locked-note]")).to_be_hidden()
        assert gallery_app.state.seen[0] == []
        start, end = gallery_app.state.seen[-1][-1]
        assert start < 100
        assert end >= 1600

    def test_jumping_to_the_end_does_not(self, watch: Watcher, gallery_app: FastAPI) -> None:
        page = watch(DESK).open("review-locked")
        page.locator("[data-scrub]").focus()
        page.keyboard.press("End")
        expect(page.locator("[data-scrub]")).to_have_attribute("aria-valuetext", "0:02 / 0:02")
        expect(page.locator("[data-approve]")).to_be_disabled()

    def test_the_moment_is_pinned_when_changes_are_asked(self, watch: Watcher) -> None:
        page = watch().open("review-ready")
        page.locator("[data-scrub]").fill("550")
        expect(page.locator("[data-scrub]")).to_have_attribute("aria-valuetext", "0:01 / 0:02")
        page.click("a[href='#changes']")
        expect(page.locator("[data-pinned]")).to_have_text("Pinned at 0:01")
        assert page.locator("[data-pin]").input_value() == "1100"


class TestMessages:
    def test_offline_locks_every_decision_and_says_so(self, watch: Watcher) -> None:
        seen = watch()
        page = seen.open("review-ready")
        seen.context.set_offline(True)
        expect(page.locator("[data-offline]")).to_be_visible()
        expect(page.locator("[data-approve]")).to_be_disabled()
        expect(page.locator("[data-approve]")).to_have_text("Offline", use_inner_text=True)
        seen.context.set_offline(False)
        expect(page.locator("[data-approve]")).to_be_enabled()

    def test_the_undo_counts_down_and_goes_away(self, watch: Watcher) -> None:
        page = watch().open("review-approved")
        toast = page.locator("[data-toast]")
        expect(toast).to_be_visible()
        expect(toast.locator("[data-left]")).to_have_text("7 s", timeout=5_000)
        expect(toast).to_be_hidden(timeout=12_000)

    def test_progress_moves_by_itself(self, watch: Watcher) -> None:
        page = watch(DESK).open("post-rendering")
        expect(page.locator("[data-percent]")).to_have_text("61 %", timeout=5_000)
        expect(page.locator("[data-step]")).to_have_text("Encoding")


class TestReel:
    def test_a_picture_nobody_scrolled_to_was_not_seen(self, watch: Watcher, gallery_app: FastAPI) -> None:
        gallery_app.state.looked.clear()
        seen = watch(DESK)
        page = seen.open("review-still-locked")
        expect(page.locator("[data-approve]")).to_have_text("1 of 3 seen", use_inner_text=True)
        page.keyboard.press("ArrowRight")
        expect(page.locator("[data-at]")).to_have_text("2 of 3")
        expect(page.locator("[data-approve]")).to_have_text("2 of 3 seen", use_inner_text=True)
        expect(page.locator("[data-approve]")).to_be_disabled()
        page.locator("[data-step='1']").click()
        expect(page.locator("[data-approve]")).to_be_enabled()
        expect(page.locator("[data-looked-all]")).to_be_visible()
        expect(page.locator("[data-locked-note]")).to_be_hidden()
        assert gallery_app.state.looked == {1, 2, 3}
        assert seen.problems == []

    def test_a_picture_that_never_came_was_not_seen(self, watch: Watcher, gallery_app: FastAPI) -> None:
        gallery_app.state.looked.clear()
        seen = watch(DESK)
        seen.page.route("**/still1.jpg", lambda route: route.abort())
        page = seen.open("review-still-locked")
        with page.expect_response("**/looked"):
            page.keyboard.press("ArrowRight")
        expect(page.locator("[data-approve]")).to_have_text("1 of 3 seen", use_inner_text=True)
        assert gallery_app.state.looked == {2}

    def test_it_ends_where_the_pictures_end(self, watch: Watcher) -> None:
        page = watch(DESK).open("feed-item-still")
        expect(page.locator("[data-step='-1']")).to_be_disabled()
        page.locator("[data-step='1']").click()
        page.locator("[data-step='1']").click()
        expect(page.locator("[data-at]")).to_have_text("3 of 3")
        expect(page.locator("[data-step='1']")).to_be_disabled()

    def test_without_script_it_scrolls_by_itself(self, watch: Watcher) -> None:
        page = watch(script=False).open("feed-item-still")
        assert page.locator(".reel").evaluate("reel => reel.scrollWidth > reel.clientWidth * 2")
        assert not page.locator("[data-reelbar]").is_visible()


class TestWithoutScript:
    def test_the_card_can_still_be_decided(self, watch: Watcher) -> None:
        page = watch(script=False).open("review-ready")
        page.locator("[data-approve]").click()
        assert page.locator("#what").inner_text().startswith("approval")

    def test_the_changes_sheet_still_opens_and_closes(self, watch: Watcher) -> None:
        page = watch(script=False).open("review-ready")
        page.click("a[href='#changes']")
        assert page.locator("#changes").is_visible()
        page.locator("#changes a").click()
        assert not page.locator("#changes").is_visible()

    def test_a_locked_card_says_how_else_to_review(self, watch: Watcher) -> None:
        page = watch(script=False).open("review-locked")
        assert "avatar-scheduler review" in page.locator("noscript").inner_text()

    def test_the_video_has_the_browsers_own_controls(self, watch: Watcher) -> None:
        page = watch(script=False).open("review-ready")
        assert page.locator("video").get_attribute("controls") is not None


def test_the_policy_really_blocks_what_is_not_ours(watch: Watcher) -> None:
    """Proof that the clean runs above mean something."""
    seen = watch()
    page = seen.open("review-ready")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('img'), {src: 'http://127.0.0.1:9/x.png'}))"
    )
    page.evaluate("document.body.setAttribute('style', 'color:red')")
    assert any("Content Security Policy" in problem for problem in seen.problems)
