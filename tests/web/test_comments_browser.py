"""Comments in a real browser: a pin leads to its moment, marked words become a quote."""

from playwright.sync_api import expect

from tests.web.conftest import DESK, Watcher


def test_a_pin_leads_to_its_moment_and_back(watch: Watcher) -> None:
    page = watch(DESK).open("comments")
    page.click("[data-seek='1000']")
    page.wait_for_function("document.querySelector('[data-player] video').currentTime === 1")
    page.click(".cpin summary")
    page.click("[data-pin-now]")
    expect(page.locator("#cm-at")).to_have_value("0:01")


def test_words_marked_in_the_script_become_the_quote(watch: Watcher) -> None:
    page = watch(DESK).open("comments")
    page.locator("[data-script]").select_text()
    words = page.locator("[data-script]").inner_text().strip()
    expect(page.locator("#cm-quote")).to_have_value(" ".join(words.split()) if "\n" not in words else words)


def test_without_script_everything_can_be_written(watch: Watcher) -> None:
    page = watch(script=False).open("comments")
    for name in ("words", "at", "quote", "audience"):
        assert page.locator(f".cnew [name={name}]").count()
    assert page.locator(".cnew button:not([data-pin-now])").is_visible()
