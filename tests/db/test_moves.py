"""The one mover: nothing but the table's moves, one winner, and the entry in the same transaction."""

import json
from typing import Any

import pytest
from sqlmodel import Session, select

from avatar_scheduler.db import audits, moves
from avatar_scheduler.db.tables import Audit, Delivery, Post, Purchase, Render
from avatar_scheduler.domain import delivery, post, purchase, render
from avatar_scheduler.domain.errors import Conflict
from avatar_scheduler.services import renders
from tests.world import World

NOUNS: dict[type[moves.Row], dict[Any, frozenset[Any]]] = {
    Post: post.TRANSITIONS,
    Delivery: delivery.TRANSITIONS,
    Render: render.TRANSITIONS,
    Purchase: purchase.TRANSITIONS,
}


def make(world: World) -> dict[type[moves.Row], str]:
    version = world.version(world.post())
    with world.read() as session:
        render_id = session.exec(select(Render.id)).one()
    with world.write() as session:
        bought = Purchase(
            organization_id=world.ada.organization_id,
            creator_id=world.maya.id,
            render_id=render_id,
            renderer="heygen",
            estimate_cents=1,
            created_at=world.now,
        )
        session.add(bought)
    return {Purchase: bought.id, Post: version.post_id, Delivery: world.delivery(version).id, Render: render_id}


def test_every_forbidden_move_raises_and_every_allowed_one_is_written(world: World) -> None:
    ids, tried = make(world), 0
    with world.write() as session:
        for noun, table in NOUNS.items():
            row: Any = session.get_one(noun, ids[noun])
            for source, targets in table.items():
                for target in table:
                    row.state = source  # the way here does not matter, only the step
                    session.flush()
                    if target in targets:
                        moves.move(session, row, target, at=world.now, actor="ada")
                        assert row.state is target
                    else:
                        with pytest.raises(Conflict, match="cannot become"):
                            moves.move(session, row, target, at=world.now, actor="ada")
                    tried += 1
        session.rollback()
    assert tried == 9**2 + 10**2 + 6**2 + 8**2


def test_the_entry_says_from_where_to_where_and_by_whom(world: World) -> None:
    post_id = make(world)[Post]
    with world.write() as session:
        moves.move(session, session.get_one(Post, post_id), post.PostState.rejected, at=world.now, actor="ada")
    with world.read() as session:
        entry = audits.about(session, world.ada.organization_id, [post_id])[0]
    assert (entry.action, entry.actor, entry.at) == ("post.rejected", "ada", world.now)
    assert json.loads(entry.data) == {"from": "in_review", "to": "rejected"}


def test_who_read_the_row_before_it_moved_loses(world: World) -> None:
    delivery_id = make(world)[Delivery]
    with world.read() as session:
        stale = session.get_one(Delivery, delivery_id)
    with world.write() as session:
        row = session.get_one(Delivery, delivery_id)
        moves.move(session, row, delivery.DeliveryState.scheduled, at=world.now, actor="ada")
    with world.write() as session:
        session.add(stale)
        with pytest.raises(Conflict, match="Somebody else changed this delivery"):
            moves.move(session, stale, delivery.DeliveryState.withdrawn, at=world.now, actor="ada")


def test_an_older_fence_loses(world: World) -> None:
    delivery_id = make(world)[Delivery]
    with world.write() as session:
        row, to = session.get_one(Delivery, delivery_id), delivery.DeliveryState.scheduled
        with pytest.raises(Conflict, match="Somebody else"):
            moves.move(session, row, to, at=world.now, actor="ada", was=row.fence - 1)
    assert world.again(row).state is delivery.DeliveryState.waiting


def test_a_rolled_back_move_leaves_no_entry(world: World) -> None:
    post_id = make(world)[Post]

    def entries(session: Session) -> int:
        return len(list(session.exec(select(Audit.seq))))

    with world.read() as session:
        before = entries(session)

    def move_and_fail() -> None:
        with world.write() as session:
            moves.move(session, session.get_one(Post, post_id), post.PostState.rejected, at=world.now, actor="ada")
            assert entries(session) == before + 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        move_and_fail()
    with world.read() as session:
        assert entries(session) == before
        assert session.get_one(Post, post_id).state is post.PostState.in_review


def test_a_lost_race_of_two_sessions_raises_for_one(world: World) -> None:
    """The second writer waits for the first, then sees that its reading is old."""
    made = world.post()
    with world.read() as session:
        stale = session.get_one(Post, made.id)
    with world.write() as session:
        renders.submit(session, world.settings, world.ada, session.get_one(Post, made.id), world.now)
    with pytest.raises(Conflict), world.write() as session:
        renders.submit(session, world.settings, world.ada, stale, world.now)
    with world.read() as session:
        assert len(list(session.exec(select(Render.id)))) == 1
