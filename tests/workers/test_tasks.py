"""Celery carries ids and nothing else; losing or doubling a message changes nothing."""

import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import text

from avatar_scheduler.clock import utc_now
from avatar_scheduler.config import Settings
from avatar_scheduler.queue import NOTIFY, PUBLISH, QUEUES, RENDER, SETTLE
from avatar_scheduler.services.crew import Crew
from tests.cli.command import ROOT
from tests.world import World
from workers import notify, publish, render
from workers.app import app

TASKS = {RENDER: render.render, PUBLISH: publish.publish, SETTLE: publish.settle, NOTIFY: notify.notify}
NOBODY = "f" * 32


@pytest.fixture
def at_work(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The workers read their settings when they start; here they are given the test's."""
    for module in (publish, render, notify):
        monkeypatch.setattr(module, "settings", world.settings)
    monkeypatch.setattr(publish, "crew", Crew(world.settings, utc_now))
    return world


def rows(world: World) -> list[Any]:
    names = ("post", "render", "delivery", "attempt", "receipt", "audit")
    with world.read() as session:
        return [session.execute(text(f"SELECT * FROM {name} ORDER BY 1")).all() for name in names]


def test_each_bell_has_its_task_and_its_queue() -> None:
    app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    assert set(ours) == set(QUEUES) == set(TASKS)
    for name, queue in QUEUES.items():
        assert app.conf.task_routes[name] == {"queue": queue}


def test_no_task_is_ever_tried_again_by_celery() -> None:
    for task in TASKS.values():
        assert task.max_retries == 0
        assert task.acks_late is False  # taken off the queue before it runs: a killed worker cannot send twice
        assert not getattr(task, "autoretry_for", ())
        assert task.ignore_result


def test_the_workers_take_one_message_at_a_time_and_json_only() -> None:
    conf = app.conf
    assert conf.worker_prefetch_multiplier == 1
    assert conf.task_acks_late is False
    assert (conf.task_serializer, conf.accept_content) == ("json", ["json"])
    assert conf.task_ignore_result is True
    assert conf.worker_enable_remote_control is False
    assert not conf.beat_schedule  # due times live in the database, and the clock looks there


@pytest.mark.parametrize("name", TASKS)
def test_a_message_about_nothing_does_nothing(at_work: World, name: str) -> None:
    at_work.approved()
    before = rows(at_work)
    TASKS[name].apply((NOBODY,)).get()
    assert rows(at_work) == before


@pytest.mark.parametrize("name", [PUBLISH, SETTLE])
def test_a_message_that_comes_too_early_does_nothing(at_work: World, name: str) -> None:
    delivery = at_work.approved()
    before = rows(at_work)
    TASKS[name].apply((delivery.id,)).get()
    assert rows(at_work) == before
    assert at_work.ledger == []


def test_a_task_takes_an_id_and_reads_the_row_again(at_work: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Settings, str]] = []
    for module, service in ((render, "renders"), (publish, "settling")):
        monkeypatch.setattr(
            getattr(module, service), "run", lambda settings, noun_id, _: seen.append((settings, noun_id))
        )
    for name in (RENDER, SETTLE):
        TASKS[name].apply(("an-id",)).get()
    assert seen == [(at_work.settings, "an-id")] * 2


def test_a_bell_publishes_what_is_due_whatever_it_says(at_work: World) -> None:
    at_work.now = utc_now()
    delivery = at_work.approved(at="now")
    publish.crew = Crew(at_work.settings, at_work.clock)
    at_work.due(delivery)
    TASKS[PUBLISH].apply((NOBODY,)).get()
    assert [line["item"] for line in at_work.ledger] == [delivery.id]


def test_web_clock_and_workers_start_without_the_media_libraries() -> None:
    """Only the process that renders pays for them."""
    heavy = ("av", "skia", "onnxruntime", "hibari", "c2pa", "numpy", "PIL")
    code = (
        "import sys\n"
        "import workers.clock, workers.publish, workers.render, avatar_scheduler.web.app\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
