"""Many writes in one transaction: what each caller is told is what was kept."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col, select

from avatar_scheduler.db import ahead, engine, grouping
from avatar_scheduler.db.engine import engine_for, ring_after_commit
from avatar_scheduler.db.grouping import Group
from avatar_scheduler.db.tables import Organization
from avatar_scheduler.domain.errors import Conflict, Refused
from tests.world import World


def add(name: str) -> Callable[[Session], str]:
    def step(session: Session) -> str:
        session.add(Organization(name=name, created_at=datetime.now(UTC)))
        session.flush()
        return name

    return step


def broken(error: Exception) -> Callable[[Session], str]:
    def step(session: Session) -> str:
        add("undone")(session)
        ring_after_commit(session, "publish.run", "undone")
        raise error

    return step


def names(world: World) -> set[str]:
    with world.read() as session:
        return set(session.exec(select(Organization.name).where(col(Organization.name) != "Maya Studio")))


def together(group: Group, steps: list[Callable[[Session], str]]) -> list[str | Exception]:
    """All of them wait before the first commit begins, so that they share it."""

    def one(step: Callable[[Session], str]) -> str | Exception:
        try:
            return group(step)
        except Exception as error:  # noqa: BLE001 - what the caller was told is what is tested
            return error

    with ThreadPoolExecutor(len(steps)) as pool:
        with group._committing:
            asked = [pool.submit(one, step) for step in steps]
            while len(group._waiting) < len(steps):
                threading.Event().wait(0.001)
        return [answer.result(60) for answer in asked]


@pytest.fixture
def commits(world: World) -> list[str]:
    seen: list[str] = []
    event.listen(engine_for(world.settings), "commit", lambda _: seen.append("commit"))
    return seen


def test_a_crowd_shares_one_commit(world: World, commits: list[str]) -> None:
    before = names(world)
    answers = together(Group(world.settings, ahead.read), [add(f"n{number}") for number in range(20)])
    assert sorted(map(str, answers)) == sorted(f"n{number}" for number in range(20))
    assert names(world) - before == {f"n{number}" for number in range(20)}
    assert len(commits) == 1


@pytest.mark.parametrize("error", [Refused("no"), Conflict("no"), KeyError("damaged row")])
def test_who_raises_is_undone_alone_and_rings_nobody(
    world: World, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[tuple[str, str]] = []
    monkeypatch.setattr(engine, "ring", lambda _, name, noun_id: rung.append((name, noun_id)))
    before = names(world)

    def rings(session: Session) -> str:
        ring_after_commit(session, "publish.run", "kept")
        return add("b")(session)

    answers = together(Group(world.settings, ahead.read), [add("a"), broken(error), rings])
    assert {str(answer) for answer in answers} == {"a", "b", str(error)}
    assert names(world) - before == {"a", "b"}
    assert rung == [("publish.run", "kept")]


def test_a_broken_rule_of_the_database_is_that_steps_alone(world: World) -> None:
    before = names(world)

    def twice(session: Session) -> str:
        existing = session.exec(select(Organization).limit(1)).one()
        session.execute(
            text("INSERT INTO organization SELECT * FROM organization WHERE id = :one"), {"one": existing.id}
        )
        return "never"

    answers = together(Group(world.settings, ahead.read), [add("a"), twice, add("b")])
    assert sum(isinstance(answer, Conflict | IntegrityError) for answer in answers) == 1
    assert names(world) - before == {"a", "b"}


def test_trouble_with_the_database_is_told_to_all_and_nothing_is_kept(world: World) -> None:
    before = names(world)
    full = OperationalError("INSERT", {}, Exception("database or disk is full"))
    answers = together(Group(world.settings, ahead.read), [add("a"), broken(full), add("b")])
    assert [type(answer) for answer in answers] == [Refused] * 3
    assert names(world) == before


def test_a_failed_commit_is_told_to_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = names(world)

    def fails(self: Session) -> None:
        raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    monkeypatch.setattr(Session, "commit", fails)
    answers = together(Group(world.settings, ahead.read), [add("a"), add("b")])
    assert [type(answer) for answer in answers] == [Refused] * 2
    monkeypatch.undo()
    assert names(world) == before


def test_a_group_has_an_end(world: World, commits: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "MOST", 4)
    together(Group(world.settings, ahead.read), [add(f"n{number}") for number in range(10)])
    assert len(commits) == 3
