"""What `make test` runs, in order, with a line for each step. Stops at the first that fails."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


def step(name: str, *command: str, **more: str) -> None:
    began = time.monotonic()
    sys.stdout.write(f"-- {name}\n")
    sys.stdout.flush()
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **more}
    code = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, env=env, check=False).returncode
    sys.stdout.write(f"   {time.monotonic() - began:.0f} s\n")
    if code != 0:
        sys.exit(f"{name} failed.")


def main(slow: bool) -> None:
    step("format", "ruff", "format", "--check", "--quiet", ".")
    step("lint", "ruff", "check", "--quiet", ".")
    step("types", "mypy")
    step("layers", "lint-imports", "--no-logo")
    with tempfile.TemporaryDirectory() as data:
        code = "from avatar_scheduler.config import Settings as S; from avatar_scheduler.db import schema as s; "
        step("schema", "python", "-c", code + "s.upgrade(S()); s.check(S())", AVATAR_SCHEDULER_DATA=data)
    marks = [] if slow else ["-m", "not slow"]
    # One more than two cores: a worker that waits for a browser or a clock leaves its core to another.
    step("tests", "pytest", "-q", "-n", "3", "--dist", "loadgroup", *marks)


if __name__ == "__main__":
    main(slow="--slow" in sys.argv[1:])
