"""The card by thumb and by key in a real browser: swiping, reading, a lost line, and how much travels."""

import logging

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from tests.web import gallery
from tests.web.cases import HASH
from tests.web.conftest import DESK, PHONE, Watcher
from tests.web.visitor import Visitor
from tests.world import World

MOST_BYTES = 150_000
log = logging.getLogger(__name__)

SWIPE = """([selector, share]) => {
  const card = document.querySelector(selector);
  const box = card.getBoundingClientRect();
  const to = (type, x) => card.dispatchEvent(new PointerEvent(type, {
    bubbles: true, isPrimary: true, pointerType: "touch", clientX: x, clientY: box.top + 80 }));
  const from = box.left + box.width / 2;
  to("pointerdown", from);
  for (let step = 1; step <= 4; step++) to("pointermove", from + (box.width * share * step) / 4);
  const said = [card.dataset.swipe, card.hasAttribute("data-far")];
  to("pointerup", from + box.width * share);
  return said;
}"""


def swipe(page: Page, share: float, card: str = ".rcard") -> list[object]:
    """What the card said before the finger was lifted: the side, and whether it was far enough."""
    found: list[object] = page.evaluate(SWIPE, [card, share])
    return found


class TestSwipe:
    def test_right_approves(self, watch: Watcher) -> None:
        page = watch(PHONE).open("review-swiped")
        assert swipe(page, 0.45) == ["yes", True]
        expect(page.locator("#what")).to_have_text(f"approval {HASH} csrf-of-ada")

    def test_left_asks_what_should_change(self, watch: Watcher) -> None:
        page = watch(PHONE).open("review-swiped")
        assert swipe(page, -0.45) == ["no", True]
        expect(page.locator("#changes")).to_be_visible()

    def test_less_than_two_fifths_decides_nothing(self, watch: Watcher) -> None:
        page = watch(PHONE).open("review-swiped")
        assert swipe(page, 0.38) == ["yes", False]
        assert swipe(page, -0.38) == ["no", False]
        expect(page.locator("#changes")).to_be_hidden()
        expect(page.locator("[data-approve]")).to_be_enabled()

    @pytest.mark.parametrize("name", ["review-ready", "review-locked", "review-still", "review-passkey"])
    def test_core_kinds_never_swipe(self, watch: Watcher, name: str) -> None:
        page = watch(PHONE).open(name)
        assert swipe(page, 0.9) == [None, False]
        expect(page.locator("[data-approve]").first).to_be_visible()

    def test_the_card_stays_where_it_is_when_motion_is_not_wanted(self, watch: Watcher) -> None:
        page = watch(PHONE).open("review-swiped")  # the watcher asks for reduced motion
        page.evaluate(SWIPE.replace('to("pointerup"', '// to("pointerup"'), [".rcard", 0.3])
        assert page.locator(".rcard").evaluate("card => card.style.transform") == ""
        expect(page.locator(".swipeword.yes")).to_be_visible()


class TestKeys:
    def test_are_off_when_the_person_turned_them_off(self, watch: Watcher) -> None:
        page = watch(DESK).open("review-swiped")
        page.keyboard.press("r")
        expect(page.locator("#reject")).to_be_hidden()

    def test_v_opens_what_changed_and_e_edits(self, watch: Watcher) -> None:
        page = watch(DESK).open("review-ready")
        page.keyboard.press("v")
        expect(page.locator("details.vers p")).to_be_visible()
        page.route("**/posts/p1/compose", lambda route: route.fulfill(body="edit", content_type="text/html"))
        page.keyboard.press("e")
        page.wait_for_url("**/posts/p1/compose")


class TestReading:
    def test_the_end_of_the_text_on_the_screen_unlocks_once_the_server_says_so(
        self, watch: Watcher, gallery_app: FastAPI
    ) -> None:
        gallery_app.state.reads.clear()
        gallery_app.state.readable_at = 2
        try:
            page = watch((390, 400)).open("review-locked")
            expect(page.locator("[data-approve]")).to_be_disabled()
            assert gallery_app.state.reads == []  # the end is below the fold
            page.locator("[data-text-end]").scroll_into_view_if_needed()
            expect(page.locator("[data-approve]")).to_be_enabled()
            assert len(gallery_app.state.reads) == 2
        finally:
            gallery_app.state.readable_at = 0


class TestLostLine:
    def test_keeps_the_card_and_offers_to_try_again(self, watch: Watcher) -> None:
        page = watch(PHONE).open("review-ready")
        page.route("**/healthz", lambda route: route.abort())
        page.locator("[data-approve]").click()
        expect(page.locator("[data-lost]")).to_be_visible()
        expect(page.locator("#rt")).to_be_visible()
        page.unroute("**/healthz")
        page.locator("[data-retry]").click()
        expect(page.locator("#what")).to_have_text(f"approval {HASH} csrf-of-ada")


class TestLive:
    def test_a_fragment_takes_its_place_and_the_card_stays(self, watch: Watcher) -> None:
        page = watch(DESK)
        told = "retry: 600000\nevent: queue\nid: 7\ndata: <li class='help'>Other onions</li>\n\n"
        told += "event: card\nid: 7\ndata: <b>Nadia changed this</b>\n\n"
        page.page.route("**/events?**", lambda route: route.fulfill(body=told, content_type="text/event-stream"))
        shown = page.open("review-ready")
        expect(shown.locator("[data-live=queue]")).to_have_text("Other onions")
        expect(shown.locator("[data-live=card]")).to_have_text("Nadia changed this")
        expect(shown.locator("#rt")).to_have_text("Reply to @lina.cooks")
        assert page.problems == []

    def test_silence_is_said(self, watch: Watcher) -> None:
        page = watch(DESK)
        page.page.clock.install()
        shown = page.open("review-ready")
        shown.clock.run_for(40_000)
        expect(shown.locator("[data-notlive]")).to_be_hidden()
        shown.clock.run_for(10_000)
        expect(shown.locator("[data-notlive]")).to_be_visible()
        assert "Not live. Last update" in shown.locator("[data-notlive]").inner_text()


def test_a_review_page_is_light(world: World, app: FastAPI, ada: Visitor, watch: Watcher) -> None:
    """Everything a phone that was never here fetches, but the film and the frame that stands for it."""
    version = world.version(world.post("reply"))
    seen = watch(PHONE)
    sizes: dict[str, int] = {}
    with gallery.serving(lambda _: app) as url:
        seen.context.add_cookies([{"name": name, "value": value, "url": url} for name, value in ada.cookies.items()])
        devtools = seen.context.new_cdp_session(seen.page)
        devtools.send("Network.enable")
        devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
        kinds: dict[str, tuple[str, str]] = {}
        devtools.on(
            "Network.responseReceived", lambda e: kinds.update({e["requestId"]: (e["type"], e["response"]["url"])})
        )
        devtools.on("Network.loadingFinished", lambda e: sizes.update({e["requestId"]: int(e["encodedDataLength"])}))
        seen.page.goto(f"{url}/review/{version.id}")
        expect(seen.page.locator("#rt")).to_be_visible()
        seen.page.wait_for_load_state("load")
    film = ("Media", "Image", "EventSource")
    spent = {kinds[request]: size for request, size in sizes.items() if kinds[request][0] not in film}
    assert any(kind == "Document" for kind, _ in spent)
    assert any(kind == "Font" for kind, _ in spent)
    total = sum(spent.values())
    log.info("review page without the film: %s bytes in %s answers", total, len(spent))
    assert total <= MOST_BYTES, sorted(spent.items(), key=lambda item: -item[1])[:6]
