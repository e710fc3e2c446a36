"""`up`: all processes in one supervised tree."""

import fcntl
import os
import socket
import sys

import typer

from avatar_scheduler.cli.common import console, settings
from avatar_scheduler.cli.run import PROCESSES
from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import Conflict, Refused

_SOCKET_LIMIT = 107


def register(app: typer.Typer) -> None:
    app.command()(up)


def up() -> None:
    """Start pages, clock, workers and the embedded parts; restart what dies; Ctrl-C stops all."""
    from avatar_scheduler.db import schema

    config = settings()
    if not (config.keys / "sign-approval.private.pem").exists():
        raise Refused("This installation is not set up yet. Run: avatar-scheduler init", code="not_set_up")
    schema.upgrade(config)
    prepare_runtime(config)
    _check_port(config)
    conf = config.runtime / "supervisord.conf"
    conf.write_text(supervisor_conf(config))
    console.print(f"Starting on {config.base_url}, data in {config.data}. Ctrl-C stops it.", soft_wrap=True)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(conf)])  # noqa: S606


def prepare_runtime(config: Settings) -> None:
    """A private short folder for sockets, and a lock so that one data folder has one tree."""
    config.runtime.mkdir(mode=0o700, exist_ok=True)
    if config.runtime.stat().st_uid != os.getuid():
        raise Refused(f"{config.runtime} belongs to somebody else. Remove it, then try again.", code="runtime")
    if len(str(config.runtime / "redis.sock")) > _SOCKET_LIMIT:
        raise Refused(
            f"{config.runtime} is too long a path for a socket. Set TMPDIR to a shorter folder.", code="runtime"
        )
    lock = os.open(config.data / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Conflict(f"Avatar Scheduler is running on {config.data} already.", code="running") from None
    os.set_inheritable(lock, True)  # kept by supervisord, so the lock lives as long as the tree


def _check_port(config: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.host, config.port))
        except OSError as error:
            raise Refused(
                f"Port {config.port} on {config.host} cannot be used ({error.strerror}). "
                "Set AVATAR_SCHEDULER_PORT and AVATAR_SCHEDULER_BASE_URL.",
                code="port",
            ) from None


def supervisor_conf(config: Settings) -> str:
    names = [name for name in PROCESSES if name != "redis" or not config.redis]
    parts = [
        "[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\nloglevel=warn\n"
        f"pidfile={config.runtime / 'supervisord.pid'}\nchildlogdir={config.runtime}\nminfds=1024\n"
        + ("user=root\n" if os.getuid() == 0 else "")
    ]
    for order, name in enumerate(names):
        parts.append(
            f"[program:{name}]\ncommand={sys.executable} -m avatar_scheduler.cli.run {name}\npriority={order}\n"
            "autorestart=true\nstartsecs=1\nstartretries=1000000\nstopwaitsecs=15\nstopasgroup=false\nkillasgroup=true\n"
            "redirect_stderr=true\nstdout_logfile=/dev/fd/1\nstdout_logfile_maxbytes=0\n"
        )
    return "\n".join(parts)
