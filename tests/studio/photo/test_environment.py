import os
from pathlib import Path

import numpy as np
import pytest

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.studio.photo import environment

PIXELS = np.zeros((8, 8, 3), np.uint8)


def prepared(data: Path, script: str) -> Path:
    """An environment whose python is this script."""
    folder = data / environment.FOLDER
    (folder / "bin").mkdir(parents=True)
    (folder / "ready").write_text(environment._wanted())
    (folder / "bin" / "python").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bin" / "python").chmod(0o755)
    return data


def test_says_how_to_set_it_up(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"not set up on this machine\. Run: avatar-scheduler look photo-setup"):
        environment.find(tmp_path, PIXELS)


def test_another_release_asks_to_set_it_up_again(tmp_path: Path) -> None:
    prepared(tmp_path, "exit 0")
    assert environment.is_ready(tmp_path)
    (tmp_path / environment.FOLDER / "ready").write_text("older")
    with pytest.raises(Refused, match="photo-setup"):
        environment.find(tmp_path, PIXELS)


def test_a_failure_is_told_in_one_line(tmp_path: Path) -> None:
    prepared(tmp_path, 'echo "Traceback" >&2; echo "no such model" >&2; exit 1')
    with pytest.raises(Refused, match=r"The photo environment failed: no such model\. Run: .* again\."):
        environment.find(tmp_path, PIXELS)


def test_the_child_gets_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVATAR_SCHEDULER_SECRET", "hush")
    prepared(tmp_path, 'env >&2; test -z "$AVATAR_SCHEDULER_SECRET" && echo clean >&2; exit 1')
    with pytest.raises(Refused, match="failed: clean"):
        environment.find(tmp_path, PIXELS)
    assert os.environ["AVATAR_SCHEDULER_SECRET"] == "hush"


def test_every_requirement_is_pinned_and_hashed() -> None:
    lines = environment.REQUIREMENTS.read_text("utf-8").splitlines()
    packages = [line for line in lines if not line.startswith((" ", "#"))]
    assert len(packages) == 6
    assert all("==" in line and line.endswith("\\") for line in packages)
    assert not any("://" in line for line in lines)
