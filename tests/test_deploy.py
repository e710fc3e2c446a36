"""The files in deploy/ are read by what will read them."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

from avatar_scheduler.cli.run import PROCESSES
from avatar_scheduler.config import Settings

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
UNITS = DEPLOY / "systemd"
PYTHON = "/opt/avatar-scheduler/.venv/bin/python"
SERVED = [name for name in PROCESSES if name != "redis"]  # the distribution's Redis, see deploy/README.md


def unit(path: Path) -> configparser.ConfigParser:
    """One value for each key is enough here; systemd's own repeated keys are joined."""
    conf = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    conf.optionxform = str  # type: ignore[assignment,method-assign]
    conf.read_string(path.read_text())
    return conf


def test_systemd_finds_nothing_to_say(tmp_path: Path) -> None:
    units = Path(shutil.copytree(UNITS, tmp_path / "units"))
    template = units / "avatar-scheduler@.service"
    template.write_text(template.read_text().replace(PYTHON, sys.executable))
    analyze = shutil.which("systemd-analyze")
    if analyze is None:  # not on every machine; what can be read without it is read below
        return
    instances = [f"avatar-scheduler@{name}.service" for name in SERVED]
    env = {"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": "/usr/bin:/bin"}
    for name in ["avatar-scheduler.target", *instances]:
        done = subprocess.run(
            [analyze, "verify", name], cwd=units, env=env, capture_output=True, text=True, check=False
        )
        ours = [line for line in done.stderr.splitlines() if "avatar-scheduler" in line]
        assert (done.returncode, ours) == (0, []), done.stderr


def test_the_unit_starts_the_process_it_is_named_after_and_holds_it_tight() -> None:
    service = unit(UNITS / "avatar-scheduler@.service")["Service"]
    assert service["ExecStart"] == f"{PYTHON} -m avatar_scheduler.cli.run %i"
    assert service["NoNewPrivileges"] == service["PrivateTmp"] == service["ProtectHome"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["StateDirectory"] == "avatar-scheduler"
    wanted = re.findall(r"avatar-scheduler@(\w+)\.service", (UNITS / "avatar-scheduler.target").read_text())
    assert sorted(wanted) == sorted(SERVED)


def test_only_publish_has_the_user_who_can_open_passwords() -> None:
    service = unit(UNITS / "avatar-scheduler@.service")["Service"]
    publish = unit(UNITS / "avatar-scheduler@publish.service.d" / "own-user.conf")["Service"]
    assert (service["User"], publish["User"]) == ("avatar-scheduler", "avatar-scheduler-publish")
    assert publish["StateDirectory"] == ""  # else systemd would give it the whole folder
    assert publish["ReadWritePaths"] == "/var/lib/avatar-scheduler/feed"
    assert [p.name for p in UNITS.glob("*.d")] == ["avatar-scheduler@publish.service.d"]


def test_supervisord_runs_the_same_processes() -> None:
    conf = configparser.ConfigParser(interpolation=None)
    conf.read(DEPLOY / "supervisord.conf")
    programs = {name.partition(":")[2]: conf[name] for name in conf.sections() if name.startswith("program:")}
    assert tuple(programs) == PROCESSES
    assert conf["group:avatar-scheduler"]["programs"].split(",") == list(PROCESSES)
    for name, program in programs.items():
        assert program["command"] == f"{PYTHON} -m avatar_scheduler.cli.run {name}"
        assert program["user"] == "avatar-scheduler"


def test_supervisord_accepts_the_file(tmp_path: Path) -> None:
    from supervisor.options import ServerOptions  # type: ignore[import-untyped]

    text = (DEPLOY / "supervisord.conf").read_text()
    text = text.replace(PYTHON, sys.executable).replace("user=avatar-scheduler\n", "").replace("user=root\n", "")
    text = text.replace("/var/log/supervisor", str(tmp_path))
    (tmp_path / "supervisord.conf").write_text(text)
    options = ServerOptions()
    options.realize(["-c", str(tmp_path / "supervisord.conf"), "-n"])
    [group] = options.process_group_configs
    assert sorted(process.name for process in group.process_configs) == sorted(PROCESSES)


def test_the_example_environment_has_every_setting_and_loads() -> None:
    named = re.findall(r"^(#?)AVATAR_SCHEDULER_(\w+)=(.*)$", (DEPLOY / "env.example").read_text(), re.MULTILINE)
    assert [name.lower() for _, name, _ in named] == list(Settings.model_fields)
    defaults = Settings.model_construct()
    for comment, name, value in named:
        field = name.lower()
        if comment:  # what is commented out shows the default
            assert value == str(getattr(defaults, field)), name
        elif field != "data":
            assert value != str(getattr(defaults, field)), name


def test_the_proxy_points_at_the_port_the_pages_listen_on() -> None:
    defaults = Settings.model_construct()
    assert f"reverse_proxy {defaults.host}:{defaults.port}" in (DEPLOY / "Caddyfile").read_text()
