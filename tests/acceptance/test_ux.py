"""The acceptance checks of the interface, by their numbers.

1 stale, 2 unseen, 4 undo, 5 deadline, 10 greyscale are here; 3 is `test_doors_*` and `tests/rules`; 7 and 9 are
`test_pages`; 8 is `test_calendar`. 6, cutting a live, waits for lives.
"""

import io
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from PIL import Image, ImageStat
from playwright.sync_api import Browser, Locator
from sqlmodel import select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Approval, Notice, Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.services import dispatch, posts
from avatar_scheduler.web.app import create_app
from tests.acceptance.site import site
from tests.web.conftest import link
from tests.web.visitor import Visitor
from tests.world import World


@pytest.fixture
def app(world: World) -> Iterator[FastAPI]:
    made = create_app(world.settings, world.clock)
    yield made
    made.state.previews.close()


@pytest.fixture
def ada(world: World, app: FastAPI) -> Visitor:
    return Visitor(app, world.settings.base_url).enter(link(world, world.ada.member_id))


def yeses(world: World) -> list[Approval]:
    with world.read() as session:
        return list(session.exec(select(Approval)))


def say_yes(visitor: Visitor, version: Version) -> int:
    return visitor.post(f"/review/{version.id}/approval", {"version_hash": version.sha256}).status_code


def test_1_a_stale_yes_is_answered_with_what_changed_and_recorded_nowhere(world: World, ada: Visitor) -> None:
    old = world.version(world.post())
    with world.write() as session:
        change = posts.Edit(template="Keep the heat slow.")
        post = posts.edit(session, world.settings, world.ada, old.post_id, change, world.now)
    world.version(post)
    answer = ada.post(f"/review/{old.id}/approval", {"version_hash": old.sha256})
    assert answer.status_code == 409
    assert "<del>low." in answer.text
    assert "<ins>slow." in answer.text
    assert yeses(world) == []


def test_2_a_core_item_nobody_saw_is_not_approved(world: World, ada: Visitor) -> None:
    version = world.version(world.post("reply"))
    assert say_yes(ada, version) == 422
    assert yeses(world) == []
    world.watch(version)
    assert say_yes(ada, version) == 303


@pytest.mark.parametrize(("seconds", "status"), [(9, 303), (11, 410)])
def test_4_undo_works_for_ten_seconds(world: World, ada: Visitor, seconds: int, status: int) -> None:
    version = world.version(world.post())
    assert say_yes(ada, version) == 303
    [row] = yeses(world)
    world.later(seconds=seconds)
    assert ada.post(f"/approvals/{row.id}/undo").status_code == status
    expected = DeliveryState.waiting if status == 303 else DeliveryState.scheduled
    assert world.delivery(version).state is expected


def test_5_no_decision_means_kept_back_logged_and_told(world: World) -> None:
    version = world.version(world.post("reply"))
    delivery = world.delivery(version)
    world.now = delivery.latest_start
    world.later(seconds=1)
    dispatch.Sweeper(world.settings).sweep(world.now)
    assert world.again(delivery).state is DeliveryState.kept_back
    with world.read() as session:
        assert audits.happened(session, "delivery.kept_back", delivery.id)
        kinds = set(session.exec(select(Notice.kind).where(Notice.about == version.id)))
    assert "kept_back" in kinds
    assert world.ledger == []


def texture(dot: Locator) -> float:
    """How much the greys differ inside a mark: a hatch has edges whatever its colours are."""
    grey = Image.open(io.BytesIO(dot.screenshot())).convert("L")
    middle = grey.crop((grey.width // 8, grey.height // 8, grey.width // 4, grey.height * 7 // 8))
    return float(ImageStat.Stat(middle).stddev[0])


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
@pytest.mark.parametrize("dark", [False, True])
def test_10_avatar_and_human_are_told_apart_without_colour(world: World, browser: Browser, dark: bool) -> None:
    with site(world, browser) as made:
        page = made.visit((1440, 900), dark=dark).open(f"/posts/{made.values['post_id']}")
        people, machines = page.locator("li.hu .dot"), page.locator("li.mc .dot")
        assert people.count() > 0
        assert machines.count() > 0
        plain = max(texture(people.nth(n)) for n in range(people.count()))
        hatched = min(texture(machines.nth(n)) for n in range(machines.count()))
        assert hatched > plain + 10
