"""Every setting and every environment variable, with every kind of value: nothing unmarked leaves."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from avatar_scheduler.cli.common import settings as read_settings
from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import Invalid
from tests.acceptance.doors.house import House, building, say
from tests.acceptance.doors.values import ANY, FALSE_MARKS, INVENTED, OF_THE_MACHINE
from tests.world import Film

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "AVATAR_SCHEDULER_"
VALUES: dict[str, tuple[str, ...]] = {
    "data": ("", "elsewhere", "/proc/nowhere", "é"),
    "database": ("sqlite://", "sqlite:///other.sqlite3", "mysql://x", "postgresql://nobody@127.0.0.1:9/x", *ANY),
    "redis": ("redis://127.0.0.1:9/0", *ANY),
    "base_url": ("https://feed.example.org", "javascript:0", *ANY),
    "host": ("0.0.0.0", "::1", *ANY),
    "port": ("8322", "65536", *ANY),
    "lease_seconds": ("5", "3600", "4", "3601", *ANY),
    "render_minutes": ("1", "240", "241", *ANY),
    "allow_hosts": ('{"feed": ["0.0.0.0/0"]}', '{"feed": []}', *ANY),
    "timestamp_authority": ("http://127.0.0.1:9", *ANY),
    "smtp": ("smtp://127.0.0.1:9", "http://x", *ANY),
    "mail_from": ("x@example.org", *ANY),
    "checkpoints": ('["file:///proc/nowhere"]', '["s3://nowhere"]', *ANY),
}
FATAL = {"AVATAR_SCHEDULER_CRASH", "SUPERVISOR_ENABLED"}
"""One kills the process at a named point, the other is read by what starts the others: see the tests of both."""


@pytest.fixture(scope="module")
def house(film: Film, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from building(film, sqlite_template, tmp_path_factory.mktemp("house"))


def read_in_the_code() -> set[str]:
    """Names given to os.environ anywhere in the product."""
    found = set()
    for path in [*ROOT.glob("avatar_scheduler/**/*.py"), *ROOT.glob("workers/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call | ast.Subscript) and "environ" in ast.unparse(node):
                first = [*node.args, None][0] if isinstance(node, ast.Call) else node.slice
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found


def cases() -> list[dict[str, str]]:
    found = [{f"{PREFIX}{name.upper()}": value} for name, values in VALUES.items() for value in values]
    names = {*INVENTED, *(PREFIX + name for name in INVENTED), *OF_THE_MACHINE, *(read_in_the_code() - FATAL)}
    names -= {f"{PREFIX}{name.upper()}" for name in VALUES}
    found += [{name: ("1", "off")[number % 2]} for number, name in enumerate(sorted(names))]
    return found + [dict.fromkeys(sorted(names), value) for value in FALSE_MARKS]


def test_every_setting_has_its_values() -> None:
    assert set(Settings.model_fields) == set(VALUES)


def test_no_setting_lets_anything_out_unmarked(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = mute = still = shown = 0
    bare: list[str] = []
    for turn, case in enumerate(cases()):
        with monkeypatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(PREFIX)]:
                patch.delenv(name)
            for name, value in {f"{PREFIX}DATA": str(house.world.settings.data), **case}.items():
                patch.setenv(name, value)
            house.restore()
            try:
                settings = read_settings()
            except Invalid as error:
                refused += error.message.startswith(PREFIX)  # says which
                mute += not error.message.startswith(PREFIX)
                continue
            still += not house.try_to_work(settings, turn)
            found, unmarked = house.out()
            shown += found
            bare += [f"{case}: {line}" for line in unmarked]
    say(
        capsys,
        f"doors: {len(cases())} settings, {refused} refused, {still} where no worker starts; "
        f"marked items in the feed: {shown}, unmarked: {len(bare)}",
    )
    assert not bare, bare[:5]
    assert mute == 0
    assert shown > len(INVENTED), "the marked film goes out in most of them"
