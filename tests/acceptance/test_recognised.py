"""The promise: a published file, encoded again at half the size and stripped of its metadata, is recognised by anybody
with a browser; a file that is not ours is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from avatar_scheduler.db.tables import Version
from avatar_scheduler.web.app import create_app
from tests import copies
from tests.web import gallery
from tests.world import Film, World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
MINUTE = 60_000


def publish(world: World, film: Film, version: Version) -> None:
    copies.signed(world, version, film)
    if film.made.get("pictures"):
        world.look(version)
    else:
        world.watch(version)
    world.approve(version)
    world.publish(world.delivery(version))


@pytest.fixture
def page(world: World, browser: Browser) -> Iterator[Page]:
    with gallery.serving(
        lambda url: create_app(world.settings.model_copy(update={"base_url": url}), world.clock)
    ) as url:
        context = browser.new_context(base_url=url)
        yield context.new_page()
        context.close()


def ask(page: Page, file: Path) -> None:
    page.goto("/verify")
    page.set_input_files("#file", file)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#answer")).to_be_visible(timeout=2 * MINUTE)


def test_a_film_from_a_platform(world: World, film: Film, page: Page, tmp_path: Path) -> None:
    publish(world, film, world.version(world.post()))
    page.goto("/f/maya")
    page.locator(".pubgrid h2 a").click()
    address = page.locator("video").get_attribute("src")
    assert address is not None
    (tmp_path / "published.mp4").write_bytes(page.request.get(address).body())
    ask(page, copies.of_film(tmp_path / "published.mp4", tmp_path / "copy.mp4", crf=28, scale=0.5))
    expect(page.locator("#answer")).to_have_text("This leads to a post of ours")
    expect(page.locator("main")).to_contain_text("Ada")
    expect(page.locator("main")).to_contain_text("It is 540×960; we published 1080×1920.")
    expect(page.locator("main")).to_contain_text("The Content Credentials were removed.")
    expect(page.locator("main")).to_contain_text("The AI label is still in the picture.")
    page.get_by_role("link", name="Who approved this").click()
    expect(page.locator("h1")).to_have_text("Onions")


def test_a_picture_from_a_platform(world: World, stills: Film, page: Page, tmp_path: Path) -> None:
    publish(world, stills, world.version(world.post(form="stills", template=stills.order["text"]), stills))
    first = stills.folder / stills.made["pictures"][0]["file"]
    ask(page, copies.of_picture(first, tmp_path / "copy.jpg", quality=70, scale=0.5))
    expect(page.locator("#answer")).to_have_text("This leads to a post of ours")


def test_what_is_not_ours(world: World, film: Film, page: Page, tmp_path: Path) -> None:
    publish(world, film, world.version(world.post()))
    ask(page, copies.stranger(tmp_path / "stranger.mp4"))
    expect(page.locator("#answer")).to_have_text("Nothing here leads to us")
