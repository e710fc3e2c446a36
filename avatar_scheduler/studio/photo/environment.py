"""The photo environment: a Python of its own beside the data, because its packages need older versions than ours."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Refused

FOLDER = "photo"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_CHILD = Path(__file__).with_name("landmarks_child.py")
_VERSIONS = ("3.11", "3.12")
"""The pythons mediapipe 0.10.14 has wheels for."""
_MOST_SECONDS = 120
_HOW = "Run: avatar-scheduler look photo-setup"
_READY = "ready"


@dataclass(frozen=True)
class Found:
    faces: list[list[list[float]]]
    cutout: NDArray[np.uint8]
    """255 where the person is."""


def python(data: Path) -> Path:
    found = data / FOLDER / "bin" / "python"
    if not is_ready(data):
        raise Refused(f"Photo looks are not set up on this machine. {_HOW}", code="photo_environment")
    return found


def is_ready(data: Path) -> bool:
    """Set up, to its end, with the versions this release asks for."""
    stamp = data / FOLDER / _READY
    return stamp.is_file() and stamp.read_text("utf-8") == _wanted()


def _wanted() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def find(data: Path, pixels: NDArray[np.uint8]) -> Found:
    """Landmarks and cut-out, by a process that ends with the picture."""
    runner = python(data)
    with tempfile.TemporaryDirectory(prefix="photo-") as room:
        paths = [Path(room) / name for name in ("pixels.npy", "faces.json", "cutout.npy")]
        np.save(paths[0], pixels)
        command = [str(runner), "-I", str(_CHILD), *map(str, paths)]
        try:
            done = subprocess.run(command, cwd=room, env={}, capture_output=True, timeout=_MOST_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise Refused("The picture took too long to look at. Try a smaller one.", code="photo_slow") from None
        if done.returncode or not paths[2].exists():
            why = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it ended without a word"]
            raise Refused(f"The photo environment failed: {why[0][:200]}. {_HOW} again.", code="photo_environment")
        faces: Any = json.loads(paths[1].read_text("utf-8"))
        return Found(faces, np.load(paths[2], allow_pickle=False))


def set_up(data: Path, say: Callable[[str], None]) -> None:
    """Makes the environment anew. pip reads this machine's own index and proxy; every file is checked by hash."""
    folder = data / FOLDER
    base = _base()
    shutil.rmtree(folder, ignore_errors=True)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    say(f"Making an environment in {folder}")
    _run(
        [base, "-m", "venv", str(folder)], "the environment could not be made. On Debian: apt-get install python3-venv"
    )
    say("Installing the landmark models (about 60 MB to fetch, 180 MB on disk)")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run(
        [*pip, "--require-hashes", "--no-deps", "-r", str(REQUIREMENTS)],
        "the packages could not be installed. Check that pip reaches its index: python3 -m pip download six",
    )
    (folder / _READY).write_text(_wanted(), "utf-8")


def _base() -> str:
    if f"{sys.version_info[0]}.{sys.version_info[1]}" in _VERSIONS:
        return sys.executable
    for version in _VERSIONS:
        if found := shutil.which(f"python{version}"):
            return found
    raise Refused("Photo looks need Python 3.11 or 3.12 beside this one. Install it, then run this again.")


def _run(command: list[str], why: str) -> None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(command, env=clean, capture_output=True, check=False)
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [""]
        raise Refused(f"Set-up stopped: {why}. It said: {last[0][:200]}", code="photo_environment")
