"""An installation made once by `init` and `creator add` and copied for each test, and one with the session's film."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from avatar_scheduler.config import Settings
from avatar_scheduler.db import engine as engines
from tests.cli.command import MAYA, OWNER, Cli, Server
from tests.world import Film, World


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture(scope="session")
def installation(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installation")
    cli = Cli(server, folder / "data", folder)
    assert cli(*OWNER).code == 0
    assert cli(*MAYA).code == 0
    return folder / "data"


@pytest.fixture
def bare(server: Server, tmp_path: Path) -> Iterator[Cli]:
    """Nothing is set up."""
    cli = Cli(server, tmp_path / "data", tmp_path)
    yield cli
    engines.engine_for(cli.settings).dispose()


@pytest.fixture
def cli(bare: Cli, installation: Path) -> Cli:
    """Ada owns it, Maya is the creator."""
    shutil.copytree(installation, bare.data)
    return bare


@pytest.fixture
def world(film: Film, sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    """SQLite is enough: the services are tested on both databases, this is about the command."""
    data = tmp_path / "data"
    shutil.copytree(film.keys, data / "keys")
    shutil.copy(sqlite_template, data / "avatar-scheduler.sqlite3")
    settings = Settings(data=data)
    yield World(settings, film)
    engines.engine_for(settings).dispose()


@pytest.fixture
def studio(world: World, server: Server, tmp_path: Path) -> Cli:
    """The command on the world's data."""
    return Cli(server, world.settings.data, tmp_path)
