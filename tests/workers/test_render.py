"""What goes wrong under a render: the post is blocked with the reason and stays editable; nothing can be approved.

A full disk is a real one: the file that is written stands for /dev/full, which answers ENOSPC.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func
from sqlmodel import select

from avatar_scheduler.db.tables import Asset, Delivery, Post, Render, Version
from avatar_scheduler.domain.post import EDITABLE, PostState
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.renderers import process
from avatar_scheduler.services import posts, renders
from avatar_scheduler.services.posts import Edit
from tests.cli.command import ROOT
from tests.world import World

Run = Callable[..., dict[str, Any]]


def submit(world: World, post: Post) -> Render:
    with world.write() as session:
        return renders.submit(session, world.settings, world.ada, session.get_one(Post, post.id), world.now)


def finished(world: World) -> Run:
    """The renderer's part is done already: the session's film is put where the render process would have."""

    def run(verb: str, folder: Path, *_: Any) -> dict[str, Any]:
        return world.film.hand_over(verb, folder)

    return run


def full(world: World, post: Post, render: Render, *words: str) -> None:
    """Blocked with the reason, nothing to approve, and the next try may begin."""
    found = world.again(post)
    assert found.state is PostState.blocked
    for word in ("disk", "full", *words):
        assert word in found.reason
    assert len(found.reason.splitlines()) == 1
    assert found.version_id == ""
    assert world.again(render).state is RenderState.failed
    with world.read() as session:
        for table in (Asset, Version, Delivery):
            assert session.exec(select(func.count()).select_from(table)).one() == 0
    with world.write() as session:
        posts.edit(session, world.settings, world.ada, post.id, Edit(title="Onions, again"), world.now)
    assert world.again(post).state is PostState.draft


def test_the_stored_blobs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "run", finished(world))
    post = world.post()
    render = submit(world, post)
    synced: list[int] = []

    def fsync(descriptor: int) -> None:
        """Where many file systems say it: the third file, after film and captions were stored."""
        synced.append(descriptor)
        if len(synced) == 3:
            Path("/dev/full").write_bytes(b"x")

    monkeypatch.setattr("avatar_scheduler.storage.os.fsync", fsync)
    assert renders.run(world.settings, render.id, world.clock) is True
    assert not list(world.settings.blobs.rglob("*.part"))
    full(world, post, render, str(world.settings.blobs))
    again = submit(world, post)  # somebody made room
    assert renders.run(world.settings, again.id, world.clock) is True
    assert world.again(post).state is PostState.in_review


def test_the_film_while_it_is_encoded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = process.run

    def run(verb: str, folder: Path, *rest: Any) -> dict[str, Any]:
        (folder / "video.mp4").symlink_to("/dev/full")
        return real(verb, folder, *rest)

    monkeypatch.setattr(process, "run", run)
    post = world.post()
    render = submit(world, post)
    assert renders.run(world.settings, render.id, world.clock) is True
    full(world, post, render)


def test_the_order_for_the_render_process(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Folder:
        def __init__(self, **_: str) -> None:
            self.name = world.settings.data / "render"

        def __enter__(self) -> str:
            self.name.mkdir()
            (self.name / "order.json").symlink_to("/dev/full")
            return str(self.name)

        def __exit__(self, *_: object) -> None:
            shutil.rmtree(self.name)

    monkeypatch.setattr("avatar_scheduler.services.renders.tempfile.TemporaryDirectory", Folder)
    post = world.post()
    render = submit(world, post)
    assert renders.run(world.settings, render.id, world.clock) is True
    full(world, post, render)


def test_a_broken_pack_and_an_unreadable_font_block_the_post(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The real render process, on a copy of the package in which something is damaged."""
    copy = Path(shutil.copytree(ROOT / "avatar_scheduler", tmp_path / "copy" / "avatar_scheduler"))
    monkeypatch.chdir(copy.parent)  # `python -m` looks here first
    head = copy / "studio" / "packs" / "maya" / "head.svg"
    whole = head.read_bytes()
    head.write_bytes(whole[: len(whole) // 2])
    assert "head.svg" in blocked(world)
    head.write_bytes(whole)
    fonts = copy.parent / "fontpkg_atkinson_hyperlegible"
    (fonts / "files").mkdir(parents=True)
    (fonts / "__init__.py").write_text("from pathlib import Path\n\nROOT = Path(__file__).parent\n")
    (fonts / "files" / "AtkinsonHyperlegible-Bold.ttf").write_bytes(b"no font")
    blocked(world)


def blocked(world: World) -> str:
    """The reason, for a person, on a post that stays editable."""
    post = world.post()
    render = submit(world, post)
    assert renders.run(world.settings, render.id, world.clock) is True
    found: Post = world.again(post)
    assert (found.state, found.version_id) == (PostState.blocked, "")
    assert found.state in EDITABLE
    assert len(found.reason.splitlines()) == 1
    return found.reason
