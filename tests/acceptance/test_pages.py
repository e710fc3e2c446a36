"""Every page of a furnished installation: clean, inside the policy, no wider than the screen, in both languages.

The pages are those the application itself lists, so a new one is looked at without anybody adding it here.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from babel.support import NullTranslations
from playwright.sync_api import Browser

from avatar_scheduler.db.tables import Member
from avatar_scheduler.web import templating
from tests.acceptance.site import SIDEWAYS, Site, site
from tests.world import World

pytestmark = [pytest.mark.parametrize("settings", ["sqlite"], indirect=True), pytest.mark.timeout(600)]
"""One database is enough: this is about the pages."""

PHONE, DESK = (390, 844), (1440, 900)
AXE = Axe()


@pytest.fixture
def furnished(world: World, browser: Browser) -> Iterator[Site]:
    with site(world, browser) as made:
        yield made


def speak(world: World, language: str) -> None:
    with world.write() as session:
        session.get_one(Member, world.ada.member_id).language = language


def look_at_all(made: Site, size: tuple[int, int], *, dark: bool = False, axe: bool = True) -> int:
    visit = made.visit(size, dark=dark)
    found: list[tuple[str, ...]] = []
    paths = made.paths()
    for path in paths:
        page = visit.open(path)
        if wide := page.evaluate(SIDEWAYS):
            found.append((path, f"{wide} px too wide"))
        if axe:
            violations = AXE.run(page).response["violations"]
            found += [(path, v["id"], *(node["html"][:160] for node in v["nodes"])) for v in violations]
    assert found + [("browser", problem) for problem in visit.problems] == []
    return len(paths)


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (DESK, True)])
def test_every_page_is_clean(furnished: Site, size: tuple[int, int], dark: bool) -> None:
    assert look_at_all(furnished, size, dark=dark) >= 18


def test_every_page_fits_a_narrow_phone_in_french(furnished: Site) -> None:
    speak(furnished.world, "fr")
    look_at_all(furnished, (320, 640), axe=False)


class Longer(NullTranslations):
    """English, 40 % longer: what does not fit this will not fit some language."""

    def gettext(self, message: str) -> str:
        return stretched(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return stretched(msgid1 if n == 1 else msgid2)


def stretched(message: str) -> str:
    plain = re.sub(r"%\(\w+\)[sd]", "", message)
    more = max(1, len(plain) * 2 // 5)
    return f"{message} {'ëxtrå wörds '[: more % 12 or 12] * (more // 12 + 1)}".rstrip()[: len(message) + more + 1]


@pytest.fixture
def longer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def made(language: str) -> Any:
        return Longer()

    templating.environment.cache_clear()
    monkeypatch.setattr(templating, "translations", made)
    yield
    templating.environment.cache_clear()


def test_words_may_be_longer_by_two_fifths(longer: None, furnished: Site) -> None:
    look_at_all(furnished, (320, 844), axe=False)


HOSTILE = (
    """"><img src=x onerror=alert(1)><svg onload=alert(2)>'-alert(3)-'</script><script>alert(4)</script>{{7*7}}""",
    """</textarea></title></style><iframe srcdoc="<script>alert(9)</script>"><a href="javascript:alert(7)">x</a>""",
)


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_do_nothing_anywhere(world: World, browser: Browser, words: str) -> None:
    """T20: written wherever somebody may, looked at by the owner: nothing runs, the policy has nothing to stop."""
    rename_everything(world, words)
    with site(world, browser, words) as made:
        visit = made.visit(DESK)
        for path in made.paths():
            page = visit.open(path)
            assert page.evaluate("document.querySelectorAll('img[src=x], iframe, svg[onload]').length") == 0, path
        assert visit.problems == []


def rename_everything(world: World, words: str) -> None:
    world.sql("UPDATE member SET name = :words", words=words)
    world.sql("UPDATE organization SET name = :words", words=words)


def test_no_page_can_be_framed(furnished: Site) -> None:
    """T21: a page elsewhere lays the card under somebody's finger."""
    visit = furnished.visit(DESK)
    card = f"{furnished.url}/review/{furnished.values['version_id']}"
    visit.page.set_content(f"<iframe src='{card}' width=800 height=600></iframe>")
    visit.page.wait_for_load_state("networkidle")
    framed = [frame for frame in visit.page.frames if frame != visit.page.main_frame]
    assert all("version_hash" not in frame.content() for frame in framed)
    assert any("frame" in problem for problem in visit.problems)
