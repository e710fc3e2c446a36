"""Check 8: a post is moved with the keyboard alone; and by a plain form without script."""

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect
from sqlmodel import select

from avatar_scheduler.db.tables import Delivery
from tests.acceptance.site import Site, site
from tests.world import World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@pytest.fixture
def furnished(world: World, browser: Browser) -> Iterator[Site]:
    with site(world, browser) as made:
        yield made


def waiting(made: Site) -> Delivery:
    with made.world.read() as session:
        return session.exec(select(Delivery).where(Delivery.version_id == made.values["version_id"])).one()


def week_of(made: Site, delivery: Delivery) -> str:
    return f"/calendar?week={delivery.due_at.astimezone(ZoneInfo('Europe/Paris')):%Y-%m-%d}"


def test_8_moved_by_keyboard_alone_and_back(furnished: Site) -> None:
    before = waiting(furnished)
    visit = furnished.visit((1440, 900))
    page = visit.open(week_of(furnished, before))
    event = page.locator(f"#p-{furnished.values['post_id']}")
    for _ in range(60):
        page.keyboard.press("Tab")
        if event.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("m")
    said = page.locator("[data-said]")
    expect(said).to_contain_text("Picked up")
    page.keyboard.press("ArrowDown")
    expect(said).to_contain_text("keeps the approval")
    for _ in range(9):
        page.keyboard.press("ArrowDown")
    expect(said).to_contain_text("asks again")
    for _ in range(8):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**moved=**")
    moved = waiting(furnished)
    assert moved.due_at == (before.due_at + timedelta(minutes=30)).replace(second=0, microsecond=0)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").press("Enter")
    page.wait_for_url("**kept=yes**")
    assert abs(waiting(furnished).due_at - before.due_at) < timedelta(minutes=1)
    assert visit.problems == []


def test_escape_leaves_it(furnished: Site) -> None:
    before = waiting(furnished)
    page = furnished.visit((1440, 900)).open(week_of(furnished, before))
    event = page.locator(f"#p-{furnished.values['post_id']}")
    event.focus()
    page.keyboard.press("m")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator("[data-said]")).to_have_text("Left where it was")
    assert waiting(furnished).due_at == before.due_at


def test_without_script_a_slot_is_a_button(furnished: Site) -> None:
    before = waiting(furnished)
    context = furnished.browser.new_context(java_script_enabled=False)
    furnished.opened.append(context)
    name, value = next(iter(furnished.cookie.items()))
    context.add_cookies([{"name": name, "value": value, "url": furnished.url}])
    page = context.new_page()
    page.goto(furnished.url + week_of(furnished, before))
    event = page.locator(f"#p-{furnished.values['post_id']}")
    event.locator("summary").click()
    event.locator("button.slot").nth(2).click()
    assert waiting(furnished).due_at == (before.due_at + timedelta(hours=1)).replace(second=0, microsecond=0)
