"""How late a due post goes out on an idle installation: due time to the feed's own ledger."""

import shutil
import statistics
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from avatar_scheduler.clock import utc_now
from avatar_scheduler.db import schema
from tests.acceptance.tree import Tree, until
from tests.world import World, make_film

POSTS = 100
APART = 0.7
"""Seconds between two due times: each one finds the clock asleep."""


def main(argv: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="avs-bench-") as name:
        folder = Path(name)
        film = make_film(folder)
        shutil.copytree(film.keys, folder / "data" / "keys")
        tree = Tree(folder / "data")
        schema.upgrade(tree.settings)
        world = World(tree.settings, film)
        world.standing("tip", per_day=POSTS)
        with tree.up():
            world.now = utc_now()
            start = world.now + timedelta(seconds=POSTS * 0.6 + 15)
            due = {}
            for index in range(POSTS):
                at = start + timedelta(seconds=index * APART)
                delivery = world.delivery(world.version(world.post("tip", at=at.isoformat())))
                due[delivery.id] = at
            assert utc_now() < start, "preparing took too long: raise the head start"
            until(lambda: len(tree.ledger) == POSTS, "all went out", POSTS * APART + 120)
            late = sorted(_late(line, due) for line in tree.ledger)
    p99 = late[int(len(late) * 0.99) - 1]
    print(f"  {POSTS} posts: median {statistics.median(late):.3f} s, p99 {p99:.3f} s, worst {late[-1]:.3f} s", end="")
    print("   (target p99 <= 1 s)")


def _late(line: dict[str, object], due: dict[str, datetime]) -> float:
    return (datetime.fromisoformat(str(line["at"])) - due[str(line["item"])]).total_seconds()


if __name__ == "__main__":
    main(sys.argv[1:])
