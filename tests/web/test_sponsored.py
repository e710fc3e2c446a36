"""A post somebody pays for, on the pages where people decide: what it is, who asks what, and what a new rule does."""

import json
import re
from dataclasses import asdict
from typing import Any

import pytest

from avatar_scheduler import rules
from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Version
from avatar_scheduler.renderers import process
from avatar_scheduler.renderers.base import SIGNING, Order
from avatar_scheduler.services import orders, pages, signings
from tests.web.visitor import Visitor
from tests.world import CAPTION, Film, World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
"""The services are tested on both databases; this is about the page."""

LATER = """
[[rule]]
id = "agency.later"
law = "Agency rule: made after this post was frozen"
begins = 2026-01-01
source = "Contract of 12 May 2026, section 4"
checked = 2026-11-20
"""
TALLER = LATER + 'marks = ["label"]\nheight_thousandths = 400\n'
BLOCKS = LATER + 'sponsored = ["paid"]\nblocked = "Nothing paid for this autumn."\nway_out = "Wait until winter."\n'


@pytest.fixture(scope="module")
def paid_film(film: Film, tmp_path_factory: pytest.TempPathFactory) -> Film:
    """Two plates, two lines, and a spoken notice: made and measured once."""
    folder, keys = tmp_path_factory.mktemp("paid"), film.keys / "credentials"
    words = rules.texts("en", form="video", name="Maya", sponsored="paid")
    said = {**orders.said(words, [], CAPTION), "spoken": words.spoken_sponsored}
    order = Order.read({**film.order, **said})
    (folder / "order.json").write_text(json.dumps(asdict(order)))
    (folder / SIGNING).write_text(signings.settings_of(Settings()))
    made = process.run("make", folder, keys, lambda *_: None, 300)
    measured = process.run("measure", folder, keys, lambda *_: None, 300)
    return Film(folder, film.keys, asdict(order), made, measured["evidence"], measured["prints"])


@pytest.fixture
def version(world: World, paid_film: Film) -> Version:
    world.film = paid_film
    return world.version(world.post("tip", sponsored="paid"))


def add_rule(world: World, text: str) -> None:
    folder = world.settings.data / "rules"
    folder.mkdir()
    (folder / "agency.toml").write_text(text)


def approve(ada: Visitor, version: Version) -> Any:
    return ada.post(f"/review/{version.id}/approval", {"version_hash": version.sha256})


def test_the_card_says_so_and_every_mark_of_it_was_measured(ada: Visitor, version: Version) -> None:
    page = ada.get(f"/review/{version.id}").text
    assert "Paid partnership" in page
    assert "Sponsored posts always come to you" in page
    assert "9 ready" in page
    for name in ("Sponsor label", "Sponsor line", "Spoken notice", "FTC Endorsement Guides"):
        assert name in page


def test_a_tip_that_is_paid_for_is_personal(ada: Visitor, world: World, version: Version) -> None:
    with world.read() as session:
        (row,) = pages.waiting(session, world.ada, world.now)
    assert (row.core, row.sponsored) == (True, "paid")
    assert approve(ada, version).status_code == 422
    world.watch(version)
    assert approve(ada, version).status_code == 303


def test_proof_and_post_name_every_mark(ada: Visitor, stranger: Visitor, world: World, version: Version) -> None:
    world.watch(version)
    world.approve(version)
    delivery = world.publish(world.delivery(version))
    for page in (ada.get(f"/posts/{version.post_id}").text, stranger.get(f"/proof/{delivery.id}").text):
        assert "Paid partnership" in page
        assert page.count('<span class="v ok">There</span>') == 9
        assert "AI Act, Article 50(4)" in page
        assert re.search(r"<dt>Measured with</dt><dd>[^<]*\d", page)


def test_in_french(ada: Visitor, world: World, version: Version) -> None:
    world.sql("UPDATE member SET language = 'fr'")
    page = ada.get(f"/review/{version.id}").text
    assert "Partenariat rémunéré" in page
    assert "Les posts sponsorisés passent toujours par vous" in page
    assert "9 prêtes" in page


def test_a_stricter_rule_since_then_blocks_the_card(ada: Visitor, world: World, version: Version) -> None:
    world.watch(version)
    add_rule(world, TALLER)
    page = ada.get(f"/review/{version.id}").text
    assert "A disclosure layer is missing" in page
    assert "1 missing" in page
    assert "data-approve" not in page
    assert "Render again" in page


def test_a_rule_that_blocks_it_since_then_says_why_and_the_way_out(
    ada: Visitor, world: World, version: Version
) -> None:
    world.watch(version)
    add_rule(world, BLOCKS)
    page = ada.get(f"/review/{version.id}").text
    for said in ("A rule keeps this from going there", "Nothing paid for this autumn.", "Wait until winter.",
                 "agency.later"):  # fmt: skip
        assert said in page
    assert "data-approve" not in page
    assert "Render again" in page
