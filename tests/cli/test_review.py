"""`review` at a real terminal: a pseudo-terminal, with a person who reads and types."""

import os
import pty
import select
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from avatar_scheduler.db.tables import Post, Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.post import PostState
from tests.cli.command import Cli, Server, environment
from tests.world import CAPTION, World

PATIENCE = 90
MORE, QUESTION = "to read on: ", "skip? [skip]: "


class Person:
    """Reads what the screen shows and types answers, like `expect`."""

    def __init__(self, server: Server, data: Path) -> None:
        self.terminal, self.far = pty.openpty()
        termios.tcsetwinsize(self.far, (50, 200))
        tty = os.ttyname(self.far)
        call = {"argv": ["review"], "environment": environment(data, {"TERM": "dumb"}), "folder": str(data)}
        self.result: list[int] = []
        streams = {"in": tty, "out": tty, "err": tty}
        self.command = threading.Thread(target=lambda: self.result.append(server.call(**call, **streams)))
        self.command.start()
        self.screen = ""
        self.seen = 0

    def read_until(self, *words: str) -> str:
        """What appeared since the last time, up to the first of these words."""
        end = time.monotonic() + PATIENCE
        while True:
            found = [at + len(w) for w in words if (at := self.screen.find(w, self.seen)) >= 0]
            if found:
                start, self.seen = self.seen, min(found)
                return self.screen[start : self.seen]
            if not self._read(end - time.monotonic()):
                raise AssertionError(f"None of {words} appeared in: {self.screen[self.seen :]}")

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.terminal], [], [], max(0, seconds))
        data = os.read(self.terminal, 65536) if ready else b""
        self.screen += data.decode(errors="replace")
        return bool(data)

    def type(self, text: str) -> None:
        os.write(self.terminal, f"{text}\n".encode())

    def read_to_end(self) -> list[str]:
        """Presses Enter until the question comes. What was shown for each key."""
        pages = []
        while True:
            pages.append(self.read_until(MORE, QUESTION))
            if pages[-1].endswith(QUESTION):
                return pages
            self.type("")

    def leave(self) -> int:
        """The exit code, once the command has nothing more to ask."""
        self.command.join(PATIENCE)
        return self.result[0]

    def close(self) -> None:
        """Whatever still waits for an answer gets the end of the line."""
        os.close(self.far)
        os.close(self.terminal)
        self.command.join(PATIENCE)


@pytest.fixture
def sit_down(world: World, server: Server) -> Iterator[Callable[[], Person]]:
    sat: list[Person] = []

    def begin() -> Person:
        sat.append(Person(server, world.settings.data))
        return sat[-1]

    yield begin
    for person in sat:
        person.close()


def decided(world: World, version: Version) -> tuple[PostState, DeliveryState]:
    with world.read() as session:
        state = session.get_one(Post, version.post_id).state
    return state, world.delivery(version).state


def test_reads_to_the_end_types_the_hash_and_approves(world: World, sit_down: Callable[[], Person]) -> None:
    words = "\n".join(f"Line {number} of the story." for number in range(1, 15))
    version = world.version(world.post("reply", template=words))
    person = sit_down()
    pages = person.read_to_end()
    shown = " ".join("".join(pages).split())
    assert len(pages) == 3  # nine lines, six at once, then the question
    assert "goes to own_feed:maya at" in shown
    assert [f"Line {number} of" in shown for number in range(1, 15)] == [True] * 14
    assert CAPTION in pages[1]
    assert CAPTION not in pages[0]
    person.type("a")
    assert f"Type {version.sha256[:4]} to approve exactly this version" in person.read_until("version: ")
    person.type(version.sha256[:4])
    person.read_until("Approved.")
    assert person.leave() == 0
    assert decided(world, version) == (PostState.approved, DeliveryState.scheduled)


def test_a_wrong_hash_records_nothing(world: World, sit_down: Callable[[], Person]) -> None:
    version = world.version(world.post("reply"))
    person = sit_down()
    person.read_to_end()
    person.type("approve")
    person.read_until("version: ")
    person.type("yes!")
    person.read_until("Nothing was recorded.")
    assert person.leave() == 0
    assert decided(world, version) == (PostState.in_review, DeliveryState.waiting)


def test_rejecting_asking_for_changes_and_skipping_in_one_sitting(world: World, sit_down: Callable[[], Person]) -> None:
    versions = [world.version(world.post("reply", title=f"Post {n}", at=f"+{n}0m")) for n in (1, 2, 3)]
    person = sit_down()
    assert "1 of 3" in person.read_to_end()[0]
    person.type("r")
    person.read_until("Rejected.")
    person.read_to_end()
    person.type("c")
    person.read_until("What should change?: ")
    person.type("Less salt")
    person.read_until("Asked for changes.")
    person.read_to_end()
    person.type("")
    assert person.leave() == 0
    assert [decided(world, version) for version in versions] == [
        (PostState.rejected, DeliveryState.withdrawn),
        (PostState.changes_requested, DeliveryState.withdrawn),
        (PostState.in_review, DeliveryState.waiting),
    ]


def test_codes_hidden_in_a_caption_are_shown_not_obeyed(world: World, sit_down: Callable[[], Person]) -> None:
    world.version(world.post("reply", caption="AI\x1b[2K\x1b[1A avatar \u202egnp"))
    shown = "".join(sit_down().read_to_end())
    assert "AI\\u001b[2K\\u001b[1A avatar \\u202egnp" in shown


def test_a_pipe_has_not_read_anything(studio: Cli, world: World) -> None:
    version = world.version(world.post("reply"))
    studio("review", stdin=f"\n\na\n{version.sha256[:4]}\n").refused(6, "a person at a terminal", "review page")
    assert decided(world, version) == (PostState.in_review, DeliveryState.waiting)
    rows = studio("review", "--json").json
    assert [(row["version_id"], row["core"]) for row in rows] == [(version.id, True)]


def test_nobody_is_asked_twice(world: World, studio: Cli) -> None:
    world.approved("reply")
    assert studio("review", "--json").json == []
