"""The log in its table: one order under any number of writers, and every edit by SQL is found."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone

import pytest
from sqlmodel import col, select

from avatar_scheduler.audit import GENESIS, Entry, Verdict, seal
from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Audit
from avatar_scheduler.domain.errors import Refused
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
    columns = (
        "organization_id",
        "actor",
        "action",
        "noun",
        "noun_id",
        "data",
        "previous",
        "hash",
        "own_previous",
        "mac",
    )
    for _ in range(40):
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


def forged(world: World, **said: str) -> None:
    """An entry with every hash and link as it should be, written by somebody who has all of the database but no key."""
    with world.write() as session:
        last = session.exec(select(Audit).order_by(col(Audit.seq).desc()).limit(1)).one()
        mine = select(Audit).where(Audit.organization_id == world.ada.organization_id)
        own = session.exec(mine.order_by(col(Audit.number).desc()).limit(1)).one()
        entry = Entry(last.seq + 1, world.now, world.ada.organization_id, world.ada.member_id, said["action"],
                      said["noun"], said["noun_id"], said["data"], last.hash, own.number + 1, own.hash)  # fmt: skip
        row = {**entry._asdict(), "organization_id": entry.organization}
        del row["organization"]
        session.add(Audit(**row, hash=entry.hash(), mac=seal(b"k" * 32, entry.hash())))


def test_a_fitting_entry_of_somebody_without_the_key_is_not_believed_and_named(world: World) -> None:
    forged(world, action="creator.audience", noun="creator", noun_id=world.maya.id, data='{"audience": "[]"}')
    with world.read() as session:
        for ask in (
            lambda: audits.said(session, "creator", world.maya.id),
            lambda: audits.happened(session, "creator.audience", world.maya.id),
            lambda: audits.given_at(session, "creator.audience", world.maya.id),
            lambda: audits.actors(session, world.maya.id, "creator.audience"),
        ):
            with pytest.raises(Refused, match="not as this installation wrote it"):
                ask()
    assert verdict(world).problem.endswith("(creator.audience) was not written by this installation.")


def test_an_edited_entry_is_not_believed_even_when_its_hash_fits(world: World) -> None:
    with world.write() as session:
        row = session.exec(select(Audit).where(Audit.action == "member.joined")).first()
        assert row is not None
        row.data = '{"role": "auditor"}'
        row.hash = Entry(row.seq, row.at, row.organization_id, row.actor, row.action, row.noun, row.noun_id, row.data,
                         row.previous, row.number, row.own_previous).hash()  # fmt: skip
        noun_id = row.noun_id
    with world.read() as session, pytest.raises(Refused, match="not as this installation wrote it"):
        audits.said(session, "member", noun_id)


def test_a_lost_key_is_said_and_not_replaced(world: World) -> None:
    note(world, 1)
    key = world.settings.keys / "audit.key"
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(Refused, match=r"audit\.key, is missing"):
        note(world, 2)
    with pytest.raises(Refused, match="is missing"):
        verdict(world)
    assert not key.exists()
    key.write_bytes(kept)
    key.chmod(0o600)
    note(world, 3)
    assert verdict(world).ok


def test_a_log_older_than_the_key_is_sealed_in_one_go(world: World) -> None:
    world.sql("DELETE FROM audit")
    (world.settings.keys / "audit.key").unlink()
    previous = GENESIS
    for seq in (1, 2, 3):
        entry = Entry(seq, world.now, "o", "ada", "old.entry", "n", f"n{seq}", "{}", previous)
        row = {**entry._asdict(), "organization_id": "o"}
        del row["organization"]
        with world.write() as session:
            session.add(Audit(**row, hash=entry.hash()))
        previous = entry.hash()
    with world.read() as session, pytest.raises(Refused):
        audits.said(session, "n", "n1")
    with world.write() as session:
        audits.prepare(session)
    with world.read() as session:
        assert audits.happened(session, "old.entry", "n1")
    note(world, 4)
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
    (world.settings.data / "audit-head.json").write_text("{}")
    with pytest.raises(Refused, match="damaged"):
        history.head(world.settings)


def test_entries_of_another_organization_are_not_shown(world: World) -> None:
    note(world, 1)
    with world.read() as session:
        assert len(audits.about(session, "o", ["n1"])) == 1
        assert audits.about(session, "elsewhere", ["n1"]) == []
