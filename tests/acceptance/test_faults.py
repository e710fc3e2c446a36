"""Once, with the real tree: each process is killed at each named point, Redis is flushed, and it goes out once."""

from pathlib import Path

import pytest

from avatar_scheduler.crash import VARIABLE
from tests.acceptance.test_crashes import POINTS
from tests.acceptance.tree import Tree, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run_one(tree: Tree, folder: Path, killed: Path | None) -> None:
    tree.set_up()
    tree.cli("standing", "grant", "tip")
    (folder / "script.txt").write_text("Keep the heat low.")
    with tree.up():
        made = tree.json("post", "new", str(folder / "script.txt"), "--kind", "tip", "--at", "+8s")
        if killed is not None:
            until(killed.exists, "the process was killed at the point", 90)
        tree.flush_redis()
        until(lambda: tree.state(made["post_id"]) == "published", "it is published", 150)
        assert [line["created"] for line in tree.ledger] == [True]


# The points of a purchase need a vendor, those of a second look a day: they are killed at, with both, in test_crashes.
@pytest.mark.parametrize(
    "point", [point for point in POINTS if not point.startswith(("purchase.", "again.", "purge."))]
)
def test_a_killed_process_is_restarted_and_it_goes_out_once(folder: Path, point: str) -> None:
    flag = folder / "killed"
    run_one(Tree(folder / "data", **{VARIABLE: f"{point}={flag}"}), folder, flag)


def test_a_killed_supervisor_leaves_no_workers_behind(tree: Tree) -> None:
    tree.set_up()
    with tree.up():
        [worker] = tree.processes("publish")
        supervisor = worker.parent()
        assert supervisor is not None
        supervisor.kill()
        until(
            lambda: not any(tree.processes(n) for n in ("publish", "render", "clock", "web", "redis")), "all ended", 60
        )


@pytest.mark.parametrize("name", ["web", "clock", "render", "publish", "redis"])
def test_what_dies_is_restarted(tree: Tree, name: str) -> None:
    tree.set_up()
    with tree.up():
        [first] = until(lambda: tree.processes(name), f"{name} runs")
        first.kill()
        until(lambda: [p for p in tree.processes(name) if p.pid != first.pid], f"{name} is back", 30)
        until(tree.ready, "the pages answer", 30)
