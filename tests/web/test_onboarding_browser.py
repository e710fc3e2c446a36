"""Every screen of consent in a real browser, over a real server: clean, within the phone, without script, in French."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from avatar_scheduler.db.tables import Member
from avatar_scheduler.services import consent_proofs, ledger
from avatar_scheduler.web.consent_words import ORDER
from tests.acceptance.site import SIDEWAYS, Site, site
from tests.web.conftest import DESK, PHONE
from tests.world import World

pytestmark = [pytest.mark.parametrize("settings", ["sqlite"], indirect=True), pytest.mark.timeout(600)]
HERE = "/onboarding/maya"
ANSWERED = "&likeness=yes&voice=no&live=no&platforms=own_feed&languages=en&sponsored=no&months=12&brands=Acme"
PAGES = {
    "creators": "/creators",
    "creator": "/creators/maya",
    **{step: f"{HERE}?step={step}{ANSWERED}" for step in (*ORDER, "proof", "alone", "practice", "done")},
}
TARGETS = """[...document.querySelectorAll(
  'main a.btn, main button, main summary, main .answer, main .kind, main .chk')]
  .filter(e => e.offsetParent && e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 120))"""
AXE = Axe()


@pytest.fixture
def made(world: World, browser: Browser) -> Iterator[Site]:
    world.publish(world.approved())
    world.standing("tip")
    with world.write() as session:
        consent_proofs.ask(session, world.ada, world.maya, world.now)
    with site(world, browser) as there:
        yield there


@pytest.mark.parametrize(
    ("view", "size", "dark"),
    [("phone-light", PHONE, False), ("phone-dark", PHONE, True), ("desk-light", DESK, False)],
)
def test_each_screen_is_clean(made: Site, pictures: Path, view: str, size: tuple[int, int], dark: bool) -> None:
    visit = made.visit(size, dark=dark)
    found: list[object] = []
    for name, path in PAGES.items():
        page = visit.open(path)
        page.screenshot(path=pictures / f"consent-{name}-{view}.png", full_page=True)
        found += [(name, v["id"], *(n["html"][:120] for n in v["nodes"])) for v in AXE.run(page).response["violations"]]
        found += [(name, "sideways")] if page.evaluate(SIDEWAYS) else []
        found += [(name, "small", one) for one in page.evaluate(TARGETS)] if size == PHONE else []
    assert found + list(visit.problems) == []


def test_each_screen_fits_a_narrow_phone_in_french(made: Site, world: World, pictures: Path) -> None:
    with world.write() as session:
        session.get_one(Member, world.ada.member_id).language = "fr"
    visit = made.visit((320, 640))
    for name, path in PAGES.items():
        page = visit.open(path)
        page.screenshot(path=pictures / f"consent-{name}-narrow-fr.png", full_page=True)
        assert page.evaluate(SIDEWAYS) == 0, name
        assert page.locator("html").get_attribute("lang") == "fr", name


def test_all_of_it_by_thumb_in_one_go(made: Site, world: World) -> None:
    visit = made.visit(PHONE)
    page = visit.open(f"{HERE}?step=likeness")
    for step in ORDER[:-1]:
        if step in ("likeness", "voice"):
            page.locator(f"input[name={step}][value=yes]").check()
        elif step in ("live", "sponsored"):
            page.locator(f"input[name={step}][value=no]").check()
        elif step in ("platforms", "languages"):
            page.locator(f"input[name={step}]").first.check()
        elif step == "brands":
            page.locator("textarea").fill("Acme")
        else:
            page.locator("input[name=months][value='3']").check()
        page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="Is this right?")).to_be_visible()
    page.get_by_role("button", name="I agree to exactly this").click()
    expect(page.get_by_role("heading", name="Say it yourself")).to_be_visible()
    with world.read() as session:
        grant = ledger.of(session, world.ada, "maya", world.now).grant
    assert grant is not None
    assert (grant.ends_at - grant.starts_at).days == 91
    assert grant.brands_excluded == {"Acme"}
