"""The rules of the house that a linter off the shelf does not know, read from the source."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = sorted([*(ROOT / "avatar_scheduler").rglob("*.py"), *(ROOT / "workers").rglob("*.py")])
MIGRATIONS = "avatar_scheduler/db/migrations/"

COMMITS = {"avatar_scheduler/db/engine.py", "avatar_scheduler/db/migrations/env.py"}
HTTP_CLIENTS = {
    "avatar_scheduler/outbound.py",
}
CLOCKS = {
    "avatar_scheduler/clock.py",
    "avatar_scheduler/publishers/own_feed.py",  # the feed is the other side: its ledger keeps its own time
}
LINES, TEST_LINES, FUNCTION_LINES = 400, 600, 60


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), name_of(path))


@cache
def nodes() -> tuple[tuple[str, ast.AST], ...]:
    return tuple((name_of(path), node) for path in SOURCE for node in ast.walk(tree_of(path)))


@cache
def dotted(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""


def calls(*endings: str) -> list[tuple[str, int]]:
    """Calls whose name ends so, as (file, line)."""
    return [
        (name, node.lineno)
        for name, node in nodes()
        if isinstance(node, ast.Call) and any(f".{dotted(node.func)}".endswith(f".{e}") for e in endings)
    ]


def test_only_the_engine_commits() -> None:
    found = [
        name
        for name, node in nodes()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
        # publishers have a step of the same name, with a parcel and a deadline; a session's takes nothing
        and not node.args
    ]
    assert set(found) == COMMITS


def test_a_state_is_never_assigned() -> None:
    """It moves by `db.moves`, in one statement that looks at the row count."""
    assert [
        (name, target.lineno)
        for name, node in nodes()
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for part in (target.elts if isinstance(target, ast.Tuple) else [target])
        if isinstance(part, ast.Attribute) and part.attr == "state"
    ] == []
    assert [
        (name, node.lineno)
        for name, node in nodes()
        if isinstance(node, ast.Call) and dotted(node.func) == "setattr" and "state" in ast.unparse(node.args[1])
    ] == []


def test_each_crash_point_has_a_name_of_its_own_and_is_killed_at() -> None:
    named = Counter(
        node.args[0].value
        for _, node in nodes()
        if isinstance(node, ast.Call) and dotted(node.func) == "crashpoint" and isinstance(node.args[0], ast.Constant)
    )
    everywhere = len(calls("crashpoint"))
    assert sum(named.values()) == everywhere  # a name that is computed could not be compared
    assert [name for name, count in named.items() if count > 1] == []
    from tests.acceptance.test_crashes import POINTS

    assert set(named) == set(POINTS)


def test_one_module_talks_to_the_outside() -> None:
    clients = {"httpx", "httpcore", "requests", "urllib3", "aiohttp", "http.client", "urllib.request"}
    found = set()
    for name, node in nodes():
        if isinstance(node, ast.Import):
            imported = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        else:
            continue
        if any(i == c or i.startswith(f"{c}.") for i in imported for c in clients):
            found.add(name)
    assert found == HTTP_CLIENTS


def test_time_is_given_not_read() -> None:
    found = {name for name, _ in calls("datetime.now", "datetime.utcnow", "datetime.today", "date.today")}
    assert found == CLOCKS


def test_nothing_prints_but_the_console() -> None:
    assert [
        (name, node.lineno)
        for name, node in nodes()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "breakpoint")
    ] == []


def test_broad_excepts_are_few_and_say_why() -> None:
    found = []
    for path in SOURCE:
        lines = path.read_text("utf-8").splitlines()
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None or dotted(node.type) in ("Exception", "BaseException")
            ):
                found.append(name_of(path))
                assert "#" in lines[node.lineno - 1], f"{name_of(path)}:{node.lineno} does not say why"
    assert len(found) <= 7, found


def test_nothing_is_left_to_do() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    paths = [
        *SOURCE,
        *(p for p in (ROOT / "tests").rglob("*.py") if p != Path(__file__)),
        *(ROOT / "templates").rglob("*.*"),
    ]
    assert [name_of(p) for p in paths if words.search(p.read_text("utf-8"))] == []


def test_modules_and_functions_are_short() -> None:
    source = [p for p in SOURCE if not name_of(p).startswith(f"{MIGRATIONS}versions/")]
    tests = [p for p in (ROOT / "tests").rglob("*.py") if "node_modules" not in p.parts]
    length = {p: len(p.read_text("utf-8").splitlines()) for p in [*source, *tests]}
    assert [name_of(p) for p in source if length[p] > LINES] == []
    assert [name_of(p) for p in tests if length[p] > TEST_LINES] == []
    assert [
        f"{name_of(path)}: {node.name}"
        for path in source
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    ] == []


BREAKS = {
    "A higher line may import a lower one": [
        ("avatar_scheduler/domain/slots.py", "import avatar_scheduler.rules"),
        ("avatar_scheduler/services/holds.py", "import avatar_scheduler.web.when"),
        ("avatar_scheduler/studio/seeds.py", "import avatar_scheduler.marks.digest"),
        ("avatar_scheduler/web/when.py", "import workers.app"),
    ],
    "The domain knows the standard library only": [("avatar_scheduler/domain/slots.py", "import sqlmodel")],
    "One HTTP client to the outside": [("avatar_scheduler/publishers/base.py", "import httpx")],
    "espeak-ng runs in a process of its own": [("avatar_scheduler/studio/speech/ipa.py", "import espeakng_loader")],
}


class TestLayers:
    """Each import-linter contract, broken once on purpose: a contract that cannot break holds nothing."""

    def test_there_is_a_break_for_each_contract(self) -> None:
        told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
        assert {contract["name"] for contract in told} == set(BREAKS)

    def test_every_folder_of_the_package_stands_in_a_layer(self) -> None:
        told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
        [layers] = [contract["layers"] for contract in told if contract["type"] == "layers"]
        listed = {name.strip() for line in layers for name in line.split("|")}
        here = ROOT / "avatar_scheduler"
        parts = {p.stem for p in here.glob("*.py")} | {p.parent.name for p in here.glob("*/__init__.py")}
        assert {f"avatar_scheduler.{part}" for part in parts - {"__init__", "__main__"}} <= listed

    @pytest.mark.parametrize("contract", BREAKS)
    def test_a_forbidden_import_is_reported(self, contract: str, tmp_path: Path) -> None:
        for package in ("avatar_scheduler", "workers"):
            shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", tmp_path)
        for file, statement in BREAKS[contract]:
            path = tmp_path / file
            path.write_text(f"{path.read_text('utf-8')}\n{statement}\n", "utf-8")
        told = lint(tmp_path)
        assert f"{contract} BROKEN" in told
        for file, statement in BREAKS[contract]:
            importer = file.removesuffix(".py").replace("/", ".")
            imported = statement.removeprefix("import ")
            assert re.search(rf"{re.escape(importer)} -> {re.escape(imported)}\b", told), (importer, imported, told)


def lint(folder: Path) -> str:
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "from importlinter.cli import lint_imports\n"
        "sys.exit(lint_imports(no_cache=True))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout
