"""A house with unmarked media behind every door: approved and due, in review, and on its way out of the renderer.

The approved ones were frozen as by a release that forgot to ask. Only the gate is left between them and the audience.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select

from avatar_scheduler.config import Settings
from avatar_scheduler.db import engine as engines
from avatar_scheduler.db.tables import Delivery, Post, Render, Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.disclosure import IN_CAPTION, Mark
from avatar_scheduler.domain.errors import SchedulerError
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.domain.version import sha256
from avatar_scheduler.publishers.own_feed import Feed
from avatar_scheduler.renderers import process
from avatar_scheduler.services import dispatch, renders, settle, versions
from avatar_scheduler.services import publish as publishing
from tests.world import Film, World

MARKS = frozenset({Mark.label, Mark.caption_line, Mark.xmp, Mark.aigc, Mark.credentials, Mark.watermark})
"""What every film of an avatar carries here, whatever a rule says: an item without one of these is unmarked."""
DATABASE = "avatar-scheduler.sqlite3"


def unmarked(film: Film, *missing: str) -> Film:
    return replace(film, evidence=[e for e in film.evidence if e["mark"] not in missing])


@dataclass
class House:
    world: World
    kept: Path
    post_id: str = ""
    review: dict[str, str] = field(default_factory=dict)
    """Version id and hash of what waits in review, unmarked."""

    @classmethod
    def build(cls, world: World, kept: Path) -> "House":
        house = cls(world, kept)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(versions, "unproven", lambda *_, **__: [])
            for missing in [[mark] for mark in sorted(MARKS)] + [sorted(MARKS)]:
                house._approved(unmarked(world.film, *missing), f"Without {' '.join(missing)}")
            bare = unmarked(world.film, *MARKS)
            waiting = world.version(world.post("tip", title="Waits for a yes", at="+20m"), bare)
        house.review = {"version_id": waiting.id, "sha256": waiting.sha256}
        house.post_id = waiting.post_id
        house._approved(world.film, "Marked")
        house._queued()
        world.later(minutes=21)
        house.keep()
        return house

    def _approved(self, film: Film, title: str) -> None:
        version = self.world.version(self.world.post("tip", title=title, at="+20m"), film)
        self.world.watch(version)
        self.world.approve(version)

    def _queued(self) -> None:
        post = self.world.post("tip", title="In the renderer", at="+25m")
        with self.world.write() as session:
            row = session.get_one(Post, post.id)
            renders.submit(session, self.world.settings, self.world.ada, row, self.world.now)

    def keep(self) -> None:
        self._close()
        assert not (self.world.settings.data / f"{DATABASE}-wal").exists()
        shutil.copy(self.world.settings.data / DATABASE, self.kept)

    def restore(self) -> None:
        """As it was before the last door, with an empty feed."""
        self._close()
        for end in ("-wal", "-shm"):
            (self.world.settings.data / f"{DATABASE}{end}").unlink(missing_ok=True)
        shutil.copy(self.kept, self.world.settings.data / DATABASE)
        shutil.rmtree(self.world.settings.feed, ignore_errors=True)

    def _close(self) -> None:
        """The last connection that closes takes SQLite's side files with it."""
        engines.engine_for(self.world.settings).dispose()

    def work(self, settings: Settings, turn: int) -> None:
        """Every worker, once. Of the unmarked films, the wholly bare one and, in turn, one that lacks a single mark.

        The renderer's turn comes every fourth time.
        """
        dispatch.Sweeper(settings).sweep(self.world.now)
        with engines.read_scope(settings) as session:
            queued = list(session.exec(select(Render.id).where(Render.state == RenderState.queued)))
            query = select(Delivery.id, Post.title).where(
                Delivery.post_id == Post.id, Delivery.state == DeliveryState.scheduled
            )
            due = [(i, title) for i, title in session.exec(query)]
        wanted = f"Without {sorted(MARKS)[turn % len(MARKS)]}"
        others = {f"Without {mark}" for mark in MARKS} - {wanted}
        for render_id in queued[:1] if turn % 4 == 0 else []:  # the slowest by far
            renders.run(settings, render_id, self.world.clock)
        for delivery_id, title in due:
            if title not in others:
                publishing.run(settings, delivery_id, self.world.clock)
                settle.run(settings, delivery_id, self.world.clock)

    def try_to_work(self, settings: Settings, turn: int) -> bool:
        """False when the workers refuse to start with these settings."""
        try:
            self.work(settings, turn)
        except (SchedulerError, SQLAlchemyError, OSError, ValueError):
            return False
        finally:
            with suppress(SchedulerError, SQLAlchemyError, ValueError, ImportError):
                engines.engine_for(settings).dispose()
        return True

    def out(self) -> tuple[int, list[str]]:
        """How many items the feed shows now, and which of them are unmarked, by the sealed version behind each."""
        found, bare = 0, []
        for path in (self.world.settings.feed / "items").glob("*/*.json"):
            found += 1
            item = json.loads(path.read_text())
            if lacking := self._lacking(item):
                bare.append(f"{item['title']}: {', '.join(sorted(lacking))}")
        return found, bare

    def _lacking(self, item: dict[str, Any]) -> set[str]:
        blobs = Feed(self.world.settings).blobs
        with self.world.read() as session:
            row = session.get_one(Delivery, item["id"])
            version = session.get_one(Version, row.version_id)
        data, media = versions.read(version).data, sha256_of(blobs.path(item["media_sha256"]))
        versions.check_seal(self.world.settings, version)
        subject = {mark: sha256(item["caption"]) if mark in IN_CAPTION else media for mark in MARKS}
        good = {e["mark"] for e in data["evidence"] if e["ok"] and e["subject"] == subject.get(e["mark"])}
        said = bool(item["disclosure_line"]) and item["caption"].split("\n")[0] == item["disclosure_line"]
        return {*map(str, MARKS - good), *([] if said else ["first line"])}


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def building(film: Film, template: Path, folder: Path) -> Iterator[House]:
    """With the unmarked film in place of the render process, nobody listening for bells, and no way out to the net."""
    data = folder / "data"
    shutil.copytree(film.keys, data / "keys")
    shutil.copy(template, data / DATABASE)
    settings = Settings(data=data)
    bare = unmarked(film, *MARKS)

    def run(verb: str, folder: Path, *_: object) -> dict[str, Any]:
        return bare.hand_over(verb, folder)

    def no_address(*_: object, **__: object) -> list[Any]:
        raise OSError("no network in this house")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "ring", lambda *_: False)
        patch.setattr(dispatch, "ring", lambda *_: False)
        patch.setattr(process, "run", run)
        patch.setattr("socket.getaddrinfo", no_address)
        patch.chdir(folder)
        house = House.build(World(settings, film), folder / "kept.sqlite3")
        yield house
        engines.engine_for(settings).dispose()


def say(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """A count is no verdict: it is shown, whatever pytest captures."""
    with capsys.disabled():
        sys.stdout.write(f"\n{line}\n")
