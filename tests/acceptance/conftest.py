import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tree import Tree


@pytest.fixture
def folder() -> Iterator[Path]:
    """Outside pytest's own long paths, and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="avs-tree-") as name:
        yield Path(name)


@pytest.fixture
def tree(folder: Path) -> Tree:
    return Tree(folder / "data")
