"""The photo environment, installed once beside this virtual environment, and one look made in it."""

from functools import partial
from pathlib import Path

import pytest

from avatar_scheduler.studio.avatar import pack, pack_zip
from avatar_scheduler.studio.photo import environment, make
from tests.studio.photo.portraits import installed, portrait


@pytest.fixture(scope="session")
def data() -> Path:
    return installed()


@pytest.fixture(scope="session")
def look(data: Path, tmp_path_factory: pytest.TempPathFactory) -> pack.Pack:
    """Leo's drawing as if it were a photograph, made into a look, packed and unpacked again."""
    room = tmp_path_factory.mktemp("look")
    portrait().save(room / "leo.png")
    make.make(room / "leo.png", partial(environment.find, data), room / "made", name="Leo")
    pack_zip.canonical(room / "made", room / "look.zip")
    pack_zip.extract(room / "look.zip", room / "look")
    return pack.load(room / "look")
