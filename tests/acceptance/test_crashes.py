"""Once: a process killed at any named point never doubles a post and never loses one.

Each worker step runs in a real process that SIGKILLs itself at the point; recovery is the clock and the workers again.
The count is the feed's own ledger.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from avatar_scheduler.crash import VARIABLE
from avatar_scheduler.db.tables import Creator, Delivery, Render
from avatar_scheduler.domain.delivery import SETTLED, DeliveryState
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.services import dispatch, incidents, installation, renders, settle
from avatar_scheduler.services import publish as publishing
from tests.vendors.server import running
from tests.vendors.shop import KINDS, PAID, TINY, Shop, no_studio
from tests.world import World

PUBLISH_POINTS = [
    "publish.taken",
    "publish.after_intent",
    "publish.after_upload",
    "publish.before_commit",
    "publish.after_commit",
    "publish.after_answer",
    "settle.before_look",
    "settle.after_look",
]
AGAIN_POINTS = ["again.before_look", "again.after_look", "again.taken_down"]
CLOCK_POINTS = ["clock.leading", "clock.swept", "clock.rung"]
RENDER_POINTS = ["render.claimed", "render.made", "render.measured", "render.stored", "render.frozen"]
QUICK_RENDER_POINTS = ("render.made", "render.stored")
"""A film is made again after each: the others are killed at in the slow run only."""
PURCHASE_POINTS = [
    "purchase.submitting",
    "purchase.called",
    "purchase.submitted",
    "purchase.found",
    "purchase.polled",
    "purchase.fetched",
    "purchase.stored",
]
PURGE_POINTS = ["purge.removed"]
"""Killed at in tests/services/test_purging.py: nothing of it leaves the house."""
POINTS = PUBLISH_POINTS + AGAIN_POINTS + CLOCK_POINTS + RENDER_POINTS + PURCHASE_POINTS + PURGE_POINTS

UNCONFIRMED_AFTER = {"publish.before_commit", "publish.after_commit"}
"""Where the irreversible call may have left: only a read-back may settle these."""


def kill_at(world: World, point: str, step: str, noun_id: str, flag: Path) -> None:
    environment = {
        **os.environ,
        VARIABLE: f"{point}={flag}",
        "AVATAR_SCHEDULER_DATA": str(world.settings.data),
        "AVATAR_SCHEDULER_DATABASE": world.settings.database,
        "AVATAR_SCHEDULER_LEASE_SECONDS": str(world.settings.lease_seconds),
        "AVATAR_SCHEDULER_ALLOW_HOSTS": json.dumps(world.settings.allow_hosts),
    }
    command = [sys.executable, "-m", "tests.acceptance.child", step, noun_id, world.now.isoformat()]
    done = subprocess.run(command, env=environment, check=False, timeout=100, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]


def recover(world: World, delivery: Delivery, seen: list[DeliveryState]) -> Delivery:
    """What the clock and the publish worker do from then on, each step at a later time."""
    sweeper = dispatch.Sweeper(world.settings)
    for _ in range(8):
        sweeper.sweep(world.later(seconds=world.settings.lease_seconds + 1))
        seen.append(world.again(delivery).state)
        publishing.run(world.settings, delivery.id, world.clock)
        settle.run(world.settings, delivery.id, world.clock)
        delivery = world.again(delivery)
        if delivery.state in SETTLED:
            break
    return delivery


@pytest.mark.parametrize("point", PUBLISH_POINTS)
def test_a_killed_publish_worker_neither_doubles_nor_loses(world: World, tmp_path: Path, point: str) -> None:
    delivery = world.approved()
    world.due(delivery)
    kill_at(world, point, "publish", delivery.id, tmp_path / "killed")
    seen: list[DeliveryState] = []
    delivery = recover(world, delivery, seen)
    assert delivery.state is DeliveryState.published
    assert [line["created"] for line in world.ledger] == [True]
    assert (DeliveryState.unconfirmed in seen) is (point in UNCONFIRMED_AFTER)


@pytest.mark.sqlite_first
@pytest.mark.parametrize("second", ["publish.after_intent", "publish.before_commit", "publish.after_commit"])
@pytest.mark.parametrize("first", ["publish.after_intent", "publish.before_commit"])
def test_killed_again_during_the_second_try(world: World, tmp_path: Path, first: str, second: str) -> None:
    delivery = world.approved()
    world.due(delivery)
    kill_at(world, first, "publish", delivery.id, tmp_path / "first")
    sweeper = dispatch.Sweeper(world.settings)
    while world.again(delivery).state is not DeliveryState.scheduled:
        sweeper.sweep(world.later(seconds=world.settings.lease_seconds + 1))
        settle.run(world.settings, delivery.id, world.clock)
    kill_at(world, second, "publish", delivery.id, tmp_path / "second")
    assert recover(world, delivery, []).state is DeliveryState.published
    assert [line["created"] for line in world.ledger] == [True]


@pytest.mark.parametrize("point", AGAIN_POINTS)
def test_a_killed_worker_takes_an_item_down_once(world: World, tmp_path: Path, point: str) -> None:
    """A day later, with a mark gone and a creator who said "auto"."""
    delivery = world.publish(world.approved())
    with world.write() as session:
        maya = session.get_one(Creator, world.maya.id)
        installation.set_rules(session, world.ada, maya, None, "auto", world.now)
    [path] = (world.settings.feed / "items" / "maya").glob("*.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "caption": "Me, for real."}))
    world.later(hours=24)
    kill_at(world, point, "settle", delivery.id, tmp_path / "killed")
    sweeper = dispatch.Sweeper(world.settings)
    for _ in range(4):
        sweeper.sweep(world.later(minutes=20))
        settle.run(world.settings, delivery.id, world.clock)
    assert [line["removed"] for line in world.ledger] == [False, True]
    with world.read() as session:
        assert [notice.state for notice in incidents.open_for(session, world.ada)] == ["taken_down"]


@pytest.mark.parametrize("point", CLOCK_POINTS)
def test_a_killed_clock_is_replaced(world: World, tmp_path: Path, point: str) -> None:
    delivery = world.approved()
    world.due(delivery)
    kill_at(world, point, "clock", "-", tmp_path / "killed")
    world.later(seconds=dispatch.TERM.total_seconds() + 1)
    assert recover(world, delivery, []).state is DeliveryState.published
    assert [line["created"] for line in world.ledger] == [True]


@pytest.mark.sqlite_first
@pytest.mark.parametrize(
    "point", [pytest.param(at, marks=() if at in QUICK_RENDER_POINTS else pytest.mark.slow) for at in RENDER_POINTS]
)
def test_a_killed_render_worker_is_made_good(world: World, tmp_path: Path, point: str) -> None:
    post = world.post("reply", at="+10m")
    with world.write() as session:
        row = renders.submit(session, world.settings, world.ada, session.get_one(type(post), post.id), world.now)
    kill_at(world, point, "render", row.id, tmp_path / "killed")
    if point != "render.frozen":
        assert world.again(post).version_id == ""  # nothing partial can be approved
    dispatch.Sweeper(world.settings).sweep(world.later(seconds=world.settings.lease_seconds + 1))
    renders.run(world.settings, row.id, world.clock)
    found: Render = world.again(row)
    assert found.state is RenderState.done
    assert world.again(post).state is PostState.in_review


@pytest.mark.sqlite_first
@pytest.mark.parametrize(
    ("name", "point"),
    [("heygen", point) for point in PURCHASE_POINTS] + [(name, "purchase.called") for name in PAID[1:]],
)
def test_a_killed_worker_never_buys_a_film_twice(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, point: str
) -> None:
    """The count is the vendor's bill."""
    no_studio(world, monkeypatch)
    with running(KINDS[name], TINY) as vendor:
        shop = Shop(world, name, vendor)
        render = shop.submit()
        if point == "purchase.found":  # somebody heard no answer
            vendor.next("POST", vendor.create, after=True, status=504)
        if point in PURCHASE_POINTS[3:]:
            vendor.stages = vendor.stages[-1:]
            render = shop.work(render)
            shop.sweep(seconds=6)
        kill_at(world, point, "render", render.id, tmp_path / "killed")
        for _ in range(10):
            render = shop.step(render, seconds=max(30, world.settings.lease_seconds + 1))
            if render.state is RenderState.done:
                break
        assert render.state is RenderState.done, render.step
        assert vendor.bought == [shop.purchase(render).id]


def test_every_point_is_listed_once() -> None:
    assert len(POINTS) == len(set(POINTS)) >= 14
