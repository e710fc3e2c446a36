"""The clock process: what wakes it, and what must not stop it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from avatar_scheduler.clock import utc_now
from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Lease
from avatar_scheduler.services import dispatch
from tests.cli.command import ROOT
from tests.world import World
from workers import clock

PATIENCE = 30
HOUR = timedelta(hours=1)


class Rounds:
    """Stands where the sweeper is: says what each sweep does and when to look next. The clock around it is real."""

    def __init__(self, *steps: Callable[[], timedelta]) -> None:
        self.steps = list(steps)
        self.count = 0
        self.changed = threading.Condition()

    def sweep(self, now: datetime) -> datetime:
        step = self.steps.pop(0) if self.steps else lambda: HOUR
        try:
            return now + step()
        finally:
            with self.changed:
                self.count += 1
                self.changed.notify_all()

    def wait_for(self, count: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.count >= count, PATIENCE)


@pytest.fixture
def begin() -> Iterator[Callable[[Rounds], clock.ClockProcess]]:
    started: list[tuple[clock.ClockProcess, threading.Thread]] = []

    def start(rounds: Rounds) -> clock.ClockProcess:
        process = clock.ClockProcess(Settings())
        process.sweeper = rounds  # type: ignore[assignment]
        process.scheduler.start()
        thread = threading.Thread(target=process.sweep_until_stopped)
        thread.start()
        started.append((process, thread))
        return process

    yield start
    for process, thread in started:
        process.stopped.set()
        process.rung.set()
        thread.join(PATIENCE)
        process.scheduler.shutdown()
        assert not thread.is_alive()


Begin = Callable[[Rounds], clock.ClockProcess]


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """No look without a reason, so that a lost bell is a hung test."""
    monkeypatch.setattr(dispatch, "IDLE", HOUR)


@pytest.mark.usefixtures("far")
def test_it_wakes_at_the_next_due_time(begin: Begin) -> None:
    began = utc_now()
    rounds = Rounds(lambda: timedelta(milliseconds=300))
    begin(rounds)
    assert rounds.wait_for(2)
    assert utc_now() - began >= timedelta(milliseconds=300)


@pytest.mark.usefixtures("far")
def test_a_ring_wakes_it(begin: Begin) -> None:
    rounds = Rounds()
    process = begin(rounds)
    assert rounds.wait_for(1)
    process.rung.set()
    assert rounds.wait_for(2)


@pytest.mark.usefixtures("far")
def test_a_ring_during_a_sweep_is_not_lost(begin: Begin) -> None:
    looked, rang = threading.Event(), threading.Event()

    def slow() -> timedelta:
        looked.set()
        assert rang.wait(PATIENCE)
        return HOUR

    rounds = Rounds(slow)
    process = begin(rounds)
    assert looked.wait(PATIENCE)
    process.rung.set()  # about a row that the sweep has passed already
    rang.set()
    assert rounds.wait_for(2)


@pytest.mark.usefixtures("far")
def test_many_rings_and_near_times_never_stop_it(begin: Begin) -> None:
    """Held by the real scheduler: a job that is due while the same job runs would be dropped for good."""
    rounds = Rounds(*[lambda: timedelta(0)] * 200)
    process = begin(rounds)
    for _ in range(100):
        process.rung.set()
    assert rounds.wait_for(201)


@pytest.mark.usefixtures("far")
def test_a_sweep_that_fails_does_not_stop_it(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> timedelta:
        raise OSError("the database went away")

    monkeypatch.setattr(clock, "PAUSE", timedelta(milliseconds=10))
    rounds = Rounds(fail, fail)
    begin(rounds)
    assert rounds.wait_for(3)


def test_without_any_bell_it_looks_again_by_itself(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "IDLE", timedelta(milliseconds=20))
    rounds = Rounds()
    process = begin(rounds)
    process.scheduler.pause()  # not even the alarm goes off
    assert rounds.wait_for(3)


class TestTwoClocks:
    """Times are given, nobody sleeps."""

    @pytest.fixture
    def rung(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        calls: list[str] = []

        def ring(settings: Settings, name: str, noun_id: str) -> bool:
            calls.append(f"{name} {noun_id}")
            return True

        monkeypatch.setattr(dispatch, "ring", ring)
        return calls

    def test_one_leads_and_the_other_takes_over_after_the_term(self, world: World, rung: list[str]) -> None:
        leader, standby = dispatch.Sweeper(world.settings), dispatch.Sweeper(world.settings)
        delivery = world.approved()
        world.due(delivery)
        wanted = f"publish.run {delivery.id}"
        leader.sweep(world.now)
        assert rung.count(wanted) == 1
        standby.sweep(world.now)
        standby.sweep(world.later(seconds=dispatch.TERM.total_seconds() - 1))
        assert rung.count(wanted) == 1
        standby.sweep(world.later(seconds=2))  # nothing was heard of the leader for a whole term
        assert rung.count(wanted) == 2
        leader.sweep(world.later(seconds=1))
        assert rung.count(wanted) == 2  # it comes back and finds itself replaced

    def test_a_leader_that_is_there_keeps_the_lead(self, world: World, rung: list[str]) -> None:
        leader, standby = dispatch.Sweeper(world.settings), dispatch.Sweeper(world.settings)
        for _ in range(10):
            leader.sweep(world.later(seconds=dispatch.TERM.total_seconds() * 0.6))
            standby.sweep(world.now)
        with world.read() as session:
            lease = session.get_one(Lease, "clock")
        assert (lease.owner, lease.term) == (leader.owner, 1)
        assert rung == []


def test_the_process_sweeps_by_itself_and_ends_when_told(world: World) -> None:
    env = {**os.environ, "AVATAR_SCHEDULER_DATA": str(world.settings.data)}
    env["AVATAR_SCHEDULER_DATABASE"] = world.settings.database
    process = subprocess.Popen([sys.executable, "-m", "workers.clock"], cwd=ROOT, env=env, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE
        while not leads(world):
            assert time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


def leads(world: World) -> bool:
    with world.read() as session:
        return session.get(Lease, "clock") is not None
