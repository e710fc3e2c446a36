"""The ways out that refusals name."""

import pytest

from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import NotFound, Refused
from avatar_scheduler.services import installation, standing
from tests.world import World


def test_a_withdrawn_consent_can_be_given_again(world: World) -> None:
    delivery = world.approved()
    with world.write() as session:
        installation.revoke_consent(session, world.ada, world.maya, world.now)
    with pytest.raises(Refused, match="consent renew"):
        world.post()
    with world.write() as session:
        installation.renew_consent(session, world.ada, world.maya, 30, world.now)
    kept = world.publish(delivery)  # approved under the consent that was withdrawn
    assert kept.state is DeliveryState.kept_back
    assert world.publish(world.approved(title="After")).state is DeliveryState.published


def test_a_standing_approval_can_be_withdrawn(world: World) -> None:
    given = world.standing("tip")
    delivery = world.delivery(world.version(world.post("tip")))
    with world.write() as session:
        [(row, scope)] = standing.in_force(session, world.ada, world.now)
        assert (row.id, scope.kinds) == (given.id, ("tip",))
        standing.revoke(session, world.ada, given.id[:12], world.now)
        assert standing.in_force(session, world.ada, world.now) == []
    assert world.publish(delivery).state is DeliveryState.kept_back
    world.sql("UPDATE approval SET revoked_at = NULL")
    assert world.delivery(world.version(world.post("tip"))).state is DeliveryState.waiting
    with pytest.raises(NotFound), world.write() as session:
        standing.revoke(session, world.ada, "", world.now)
