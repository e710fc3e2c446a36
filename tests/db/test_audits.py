"""The log in its table: one order under any number of writers, and every edit by SQL is found."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone

import pytest
from sqlmodel import select

from avatar_scheduler.audit import Verdict
from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Audit
from avatar_scheduler.services import dispatch, history
from tests.world import World


def note(world: World, number: int) -> None:
    with world.write() as session:
        audits.append(
            session, at=world.now, organization="o", actor="ada", action="test", noun="n", noun_id=f"n{number}"
        )


def verdict(world: World) -> Verdict:
    with world.read() as session:
        return audits.check(session, history.head(world.settings))


def test_eight_writers_at_once_make_one_chain(world: World) -> None:
    before = verdict(world).entries
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: note(world, number), range(48)))
    found = verdict(world)
    assert (found.ok, found.entries) == (True, before + 48)


def test_a_time_in_another_zone_is_hashed_as_it_is_read_back(world: World) -> None:
    world.now = world.now.astimezone(timezone(timedelta(hours=5, minutes=45)))
    note(world, 1)
    assert verdict(world).ok


def test_what_is_done_by_sql_is_found(world: World) -> None:
    for number in range(10):
        note(world, number)
    dispatch.checkpoint(world.settings)
    with world.read() as session:
        rows = [row.model_dump() for row in session.exec(select(Audit).order_by("seq"))]
    chance = random.Random(3)
    columns = ("organization_id", "actor", "action", "noun", "noun_id", "data", "previous", "hash")
    for _ in range(25):
        seq = chance.randint(1, len(rows))
        if chance.random() < 0.3:
            world.sql("DELETE FROM audit WHERE seq = :seq", seq=seq)
        else:
            world.sql(f"UPDATE audit SET {chance.choice(columns)} = 'x' WHERE seq = :seq", seq=seq)
        assert not verdict(world).ok
        with world.write() as session:
            found = session.get(Audit, seq)
            if found is not None:
                session.delete(found)
                session.flush()
            session.add(Audit(**rows[seq - 1]))
        assert verdict(world).ok


def test_a_cut_tail_is_found_and_the_checkpoint_is_not_moved_back(world: World) -> None:
    note(world, 1)
    dispatch.checkpoint(world.settings)
    kept = history.head(world.settings)
    assert kept is not None
    world.sql("DELETE FROM audit WHERE seq = :seq", seq=kept[0])
    assert "checkpoint knows" in verdict(world).problem
    dispatch.checkpoint(world.settings)
    assert history.head(world.settings) == kept
    note(world, 2)  # the log grows over the gap, with another entry under the same number
    dispatch.checkpoint(world.settings)
    assert history.head(world.settings) == kept
    assert "not the one of the checkpoint" in verdict(world).problem


def test_a_damaged_checkpoint_is_said(world: World) -> None:
    from avatar_scheduler.domain.errors import Refused

    (world.settings.data / "audit-head.json").write_text("{}")
    with pytest.raises(Refused, match="damaged"):
        history.head(world.settings)


def test_entries_of_another_organization_are_not_shown(world: World) -> None:
    note(world, 1)
    with world.read() as session:
        assert len(audits.about(session, "o", ["n1"])) == 1
        assert audits.about(session, "elsewhere", ["n1"]) == []
