"""The wheel, in an empty environment outside the checkout, serves the review page."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.acceptance.tree import Tree, until

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(400)
def test_the_wheel_serves_the_review_page(folder: Path) -> None:
    run(UV, "build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder, cwd=ROOT)
    [wheel] = folder.glob("*.whl")
    run(UV, "venv", "--python", sys.executable, folder / "empty", cwd=folder)
    python = folder / "empty" / "bin" / "python"
    install: list[str | Path] = [
        UV,
        "pip",
        "install",
        "--system-certs",
        "--python",
        python,
        "--constraint",
        ROOT / "requirements.lock",
    ]
    run(*install, wheel, cwd=folder)
    tree = Tree(folder / "data")
    environment = {k: v for k, v in tree.environment.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    command = [str(python.with_name("avatar-scheduler"))]
    told = subprocess.run(
        [*command, "init", "--organization", "O", "--name", "Ada", "--email", "ada@example.org"],
        cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=100,
    ).stdout  # fmt: skip
    link = told.strip().splitlines()[-1]
    web = subprocess.Popen(
        [str(python), "-m", "avatar_scheduler.cli.run", "web"], cwd=folder, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(tree.ready, "the wheel's pages answer")
        with httpx.Client(base_url=tree.base_url, headers={"origin": tree.base_url}, follow_redirects=True) as client:
            assert client.get("/review").url.path == "/sign-in"
            page = client.post(link, data={"password": "correct horse battery"})
            assert page.url.path == "/review"
            assert "Nothing needs you" in page.text
            assert client.get("/static/css/tokens.css").status_code == 200
    finally:
        web.terminate()
        web.wait(timeout=30)
    assert os.fspath(ROOT) not in run(
        python, "-c", "import avatar_scheduler; print(avatar_scheduler.__file__)", cwd=folder
    )
