"""Many workers, many deliveries: each goes out once."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Attempt, Delivery
from avatar_scheduler.domain.delivery import AttemptState, DeliveryState
from avatar_scheduler.domain.errors import Conflict
from avatar_scheduler.publishers.own_feed import OwnFeed
from avatar_scheduler.services import installation, posts, settle
from avatar_scheduler.services import publish as publishing
from tests.world import SCRIPT, World

POSTS = 50


@pytest.fixture(autouse=True)
def _scripts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The script's own process is not what is tested here, and fifty of them take ten seconds."""
    monkeypatch.setattr(posts, "render_script", lambda *_: SCRIPT)


def states(world: World) -> Counter[DeliveryState]:
    with world.read() as session:
        return Counter(row.state for row in session.exec(select(Delivery)))


def crowd(world: World, count: int) -> list[Delivery]:
    world.standing("tip", per_day=100)
    made = [world.delivery(world.version(world.post(title=f"Post {n}", at="now"))) for n in range(count)]
    world.later(seconds=1)
    return made


def test_eight_workers_publish_fifty_once_each(world: World) -> None:
    """Each worker is told of each delivery, in an order of its own: 400 messages for 50 posts."""
    world.settings = world.settings.model_copy(update={"lease_seconds": 60})  # the machine may be busy
    made = [one.id for one in crowd(world, POSTS)]

    def work(number: int) -> int:
        mine = random.Random(number).sample(made, len(made))
        return sum(publishing.run(world.settings, one, world.clock) for one in mine)

    with ThreadPoolExecutor(8) as pool:
        published = list(pool.map(work, range(8)))
        assert sum(published) == POSTS
        list(pool.map(lambda one: settle.run(world.settings, one, world.clock), made))
    assert states(world) == {DeliveryState.published: POSTS}
    assert Counter(line["item"] for line in world.ledger) == Counter(made)
    with world.read() as session:
        assert Counter(session.exec(select(Attempt.state))) == {AttemptState.accepted: POSTS}


@pytest.mark.parametrize("verb", ["edit", "cancel"])
def test_who_stops_it_while_it_goes_out_is_before_or_after_never_between(world: World, verb: str) -> None:
    """The stop lands at a random moment of eight publishings: a yes to it means nothing of it is out."""

    def stop(one: Delivery) -> bool:
        try:
            with world.write() as session:
                if verb == "edit":
                    posts.edit(session, world.settings, world.ada, one.post_id, posts.Edit(caption="Other."), world.now)
                else:
                    posts.cancel(session, world.ada, one.post_id, world.now)
        except Conflict:
            return False
        return True

    world.settings = world.settings.model_copy(update={"lease_seconds": 60})
    made = crowd(world, 8)
    with ThreadPoolExecutor(4) as pool:
        sending = [pool.submit(publishing.run, world.settings, one.id, world.clock) for one in made]
        stopping = [pool.submit(stop, one) for one in reversed(made)]
    for sent, one, stopped in zip(sending, made, reversed(stopping), strict=True):
        assert sent.result() is not stopped.result()
        assert (one.id in {line["item"] for line in world.ledger}) is sent.result()


def test_after_consent_is_withdrawn_no_call_starts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Withdrawn during the upload, at the last moment before the call is allowed."""
    delivery = world.approved()
    upload = OwnFeed.upload

    def and_withdraw(self: OwnFeed, *args: Any) -> Any:
        done = upload(self, *args)
        with world.write() as session:
            installation.revoke_consent(session, world.ada, world.maya, world.now)
        return done

    monkeypatch.setattr(OwnFeed, "upload", and_withdraw)
    assert world.publish(delivery).state is DeliveryState.kept_back
    assert world.ledger == []
