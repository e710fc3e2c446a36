"""Sets up what `make` needs. Standard library only: it runs before anything is installed.

`env FOLDER`  a virtual environment with the locked, hashed requirements and this project, editable.
`peers`       what only the tests need: the Bluesky server and ExifTool (npm), the environment of photo looks, and from
              Debian a browser, a software token, a clock to set forward and the like.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST, NEWEST = (3, 11), (3, 14)


def say(text: str) -> None:
    sys.stdout.write(f"-- {text}\n")
    sys.stdout.flush()


def fail(what: str, way_out: str) -> None:
    sys.exit(f"\nSet-up stopped: {what}\n{way_out}")


def attempt(*command: str | Path) -> bool:
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode == 0


def run(*command: str | Path, why: str, way_out: str) -> None:
    if not attempt(*command):
        fail(why, way_out)


def env(folder: Path) -> None:
    version = sys.version_info[:2]
    if not OLDEST <= version <= NEWEST:
        name = f"{version[0]}.{version[1]}"
        fail(f"Python {name} cannot run this.", "Install Python 3.11 to 3.14, then: make PYTHON=python3.11 ...")
    if shutil.disk_usage(ROOT).free < 3 << 30:
        fail("Less than 3 GB are free on this disk.", "Free some space, then run make again.")
    python = folder / "bin" / "python"
    if not python.exists():
        say(f"Making a virtual environment in {folder}")
        try:
            venv.create(folder, with_pip=True)
        except (subprocess.CalledProcessError, OSError) as error:
            fail(f"the environment could not be made ({error}).", "On Debian: apt-get install python3-venv")
    say("Installing the locked requirements (about half a minute the first time)")
    network = "Check the network, and that pip can reach its package index: python3 -m pip download six"
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as only_uv:
        only_uv.write(_locked("uv"))
        only_uv.flush()
        pip = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", only_uv.name]
        run(*pip, why="the installer (uv) could not be installed.", way_out=network)
    uv = [folder / "bin" / "uv", "pip"]
    target = ["--quiet", "--system-certs", "--python", python]
    synced = attempt(*uv, "sync", *target, "--require-hashes", "requirements.lock")
    if not synced:
        # pip is slower, but it knows this machine's own index and proxy settings, which uv does not read
        say("Trying again with pip (about 2 minutes)")
        pip = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", "requirements.lock"]
        run(*pip, why="the requirements could not be installed.", way_out=network)
    editable = [*uv, "install", *target, "--no-deps", "--no-build-isolation", "--editable", "."]
    run(*editable, why="this project could not be installed.", way_out=network)
    say("Putting the voices in place (27 MB the first time)")
    tools = "Check that npm can reach its registry, then run make again."
    voices = [python, "-m", "avatar_scheduler", "voices", "install"]
    run(*voices, why="the voices could not be installed.", way_out=tools)
    emoji = [python, "-c", "from avatar_scheduler.studio import emoji; emoji.install()"]
    run(*emoji, why="the emoji font could not be installed.", way_out=tools)


def _locked(name: str) -> str:
    """The lock file's lines about one package."""
    lines = (ROOT / "requirements.lock").read_text().splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{name}=="))
    end = next(i for i in range(start + 1, len(lines)) if not lines[i].startswith(" "))
    return "".join(lines[start:end])


def peers() -> None:
    say("Installing the Bluesky server and ExifTool for the tests (about 2 minutes the first time)")
    code = "from tests.peers import pds; pds.ensure_installed()"
    tools = "Check that npm can reach its registry, then run make again."
    run(sys.executable, "-c", code, why="the Bluesky server could not be installed.", way_out=tools)
    say("Installing the environment of photo looks (about 60 MB the first time)")
    code = "from tests.studio.photo.portraits import installed; installed()"
    tools = "Check that pip can reach its package index, then run make again."
    run(sys.executable, "-c", code, why="the environment of photo looks could not be installed.", way_out=tools)
    programs()


DEBIAN = {
    "softhsm2-util": "softhsm2",
    "pkcs11-tool": "opensc",
    "faketime": "faketime",
    "openssl": "openssl",
    "perl": "perl",
}
"""Program -> package: a token that signs, a clock to set forward, a time-stamp authority, and what ExifTool runs on."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def programs() -> None:
    missing = [package for program, package in DEBIAN.items() if not shutil.which(program)]
    if not any(shutil.which(name) for name in BROWSERS):
        missing.append("chromium")
    if not missing:
        return
    names = " ".join(missing)
    way_out = f"Install them, on Debian as root: apt-get update && apt-get install {names}"
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        fail(f"the tests need {names}.", way_out)
    say(f"Installing {names} for the tests")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run("apt-get", "-qq", "update", why="apt-get update failed.", way_out=way_out)
    packages = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *missing]
    run(*packages, why=f"{names} could not be installed.", way_out=way_out)


if __name__ == "__main__":
    if sys.argv[1:2] == ["env"]:
        env(Path(sys.argv[2]))
    elif sys.argv[1:] == ["peers"]:
        peers()
    else:
        sys.exit(__doc__)
