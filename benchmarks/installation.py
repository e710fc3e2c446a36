"""A running installation to measure: the same tree the acceptance tests start."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.acceptance.tree import Tree


@contextmanager
def running() -> Iterator[Tree]:
    with tempfile.TemporaryDirectory(prefix="avs-bench-") as name:
        tree = Tree(Path(name) / "data")
        tree.set_up()
        with tree.up():
            yield tree


def members(tree: Tree) -> list[psutil.Process]:
    """Supervisor and everything below it."""
    [publisher] = tree.processes("publish")
    supervisor = publisher.parent()
    assert supervisor is not None
    return [supervisor, *supervisor.children(recursive=True)]
