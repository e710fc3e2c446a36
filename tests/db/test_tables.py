"""What the database itself forbids, whoever types the statement."""

import itertools

import pytest

from avatar_scheduler.db.columns import new_id
from avatar_scheduler.db.tables import Attempt, Delivery
from avatar_scheduler.domain.delivery import UNSETTLED_ATTEMPTS, AttemptState
from avatar_scheduler.domain.errors import Conflict
from tests.world import World

INSERT = """
    INSERT INTO attempt (id, delivery_id, number, fence, state, manifest_sha256, intent, detail, started_at)
    VALUES (:id, :delivery, :number, 1, :state, 'x', '{}', '', :now)
"""


def insert(world: World, delivery: Delivery, number: int, state: AttemptState) -> None:
    now = world.now.replace(tzinfo=None).isoformat(" ")
    world.sql(INSERT, id=new_id(), delivery=delivery.id, number=number, state=state.value, now=now)


@pytest.mark.parametrize("pair", list(itertools.product(UNSETTLED_ATTEMPTS, repeat=2)))
def test_two_unsettled_attempts_are_impossible(world: World, pair: tuple[AttemptState, AttemptState]) -> None:
    delivery = world.delivery(world.version(world.post()))
    insert(world, delivery, 1, pair[0])
    with pytest.raises(Conflict):
        insert(world, delivery, 2, pair[1])
    insert(world, delivery, 3, AttemptState.absent)
    with pytest.raises(Conflict):
        world.sql("UPDATE attempt SET state = :state WHERE number = 3", state=pair[1].value)
    assert [(a.number, a.state) for a in world.attempts(delivery)] == [(1, pair[0]), (3, AttemptState.absent)]


def test_one_number_is_given_once(world: World) -> None:
    delivery = world.delivery(world.version(world.post()))
    insert(world, delivery, 1, AttemptState.absent)
    with pytest.raises(Conflict):
        insert(world, delivery, 1, AttemptState.open)


def test_a_naive_time_is_refused(world: World) -> None:
    delivery = world.delivery(world.version(world.post()))
    naive = world.now.replace(tzinfo=None)
    with pytest.raises(Exception, match="naive datetime"), world.write() as session:
        session.add(Attempt(delivery_id=delivery.id, number=1, fence=1, manifest_sha256="x", started_at=naive))
