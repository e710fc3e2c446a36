"""A standing approval limited to some scripts and channels; and those signed before there were limits."""

import pytest

from avatar_scheduler.db.tables import Approval, Post
from avatar_scheduler.domain.approval import Scope
from avatar_scheduler.domain.errors import NotFound, Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.scripts import starters
from avatar_scheduler.services import installation, ledger, standing
from tests.services.cast import creator_of
from tests.world import SCRIPT, World

STARTER = "tip_of_the_day.en"


def grant(world: World, templates: tuple[str, ...] = (), channels: tuple[str, ...] = ()) -> Approval:
    with world.write() as session:
        return standing.grant(
            session, world.settings, world.ada, world.maya, ("tip",), 3, 30, world.now, templates, channels
        )


def feed(world: World) -> str:
    with world.read() as session:
        return ledger.channels(session, world.maya)[0].id


def covered(world: World, row: Approval, template: str) -> bool:
    """Whether it covers a tip made from this template."""
    post = world.post("tip")
    with world.write() as session:
        stored = session.get_one(Post, post.id)
        stored.template = template
        try:
            standing.check(session, world.settings, session.get_one(Approval, row.id), stored, world.now, counting=True)
        except Refused:
            return False
    return True


def test_only_the_named_script_and_only_unchanged(world: World) -> None:
    row, source = grant(world, (STARTER,)), starters.load(STARTER).source
    assert covered(world, row, source)
    assert not covered(world, row, source + " ")
    assert not covered(world, row, SCRIPT)
    assert covered(world, grant(world), SCRIPT)


def test_only_the_named_channel(world: World) -> None:
    row = grant(world, channels=(feed(world),))
    assert covered(world, row, SCRIPT)
    with world.write() as session:
        other = installation.add_channel(
            session, world.ada, world.maya, "bluesky", "did:plc:x", "https://b.example", "", world.now
        )
        other_id = other.id
    assert not covered(world, grant(world, channels=(other_id,)), SCRIPT)


def test_a_channel_of_somebody_else_and_a_script_that_is_none_are_refused(world: World) -> None:
    leo = creator_of(world, world.ada, "leo")
    with world.read() as session:
        his = ledger.channels(session, leo)[0].id
    for templates, channels in (((), (his,)), (("../../etc/passwd",), ())):
        with pytest.raises(NotFound):
            grant(world, templates, channels)


def test_limits_written_into_the_row_are_forged(world: World) -> None:
    row = grant(world, (STARTER,))
    world.sql("UPDATE approval SET scope = :scope WHERE id = :id", id=row.id, scope=_unlimited(row))
    assert not covered(world, row, SCRIPT)


def _unlimited(row: Approval) -> str:
    scope = standing.read_scope(row)
    return Scope(scope.creator, scope.kinds, scope.platforms, scope.per_day, scope.ends_at).text()


def test_a_scope_without_limits_is_written_as_it_always_was(world: World) -> None:
    row = grant(world)
    assert "templates" not in row.scope
    assert "channels" not in row.scope
    assert standing.read_scope(row).text() == row.scope
    version = world.version(world.post("tip"))
    with world.read() as session:
        assert session.get_one(Post, version.post_id).state is PostState.approved
