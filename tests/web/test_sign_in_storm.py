"""T23: two hundred people guess at once. Nobody comes in, memory is bounded, and who is in gets their pages."""

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import select

from avatar_scheduler.db.tables import Member, WebSession
from avatar_scheduler.services import people
from avatar_scheduler.web.app import create_app
from tests.web import gallery
from tests.web.conftest import link
from tests.web.visitor import Visitor
from tests.world import World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
GUESSES, PAGES, MOST = 200, 20, 30
"""The last: tries of one address in a minute."""


class Counting:
    """The real hasher, and how many of it worked at once."""

    def __init__(self) -> None:
        self.real, self.lock = people._HASHER, Lock()
        self.now = self.most = 0

    def verify(self, *told: Any) -> bool:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            return self.real.verify(*told)
        finally:
            with self.lock:
                self.now -= 1


@pytest.fixture
def served(world: World) -> Iterator[tuple[str, Visitor]]:
    apps: list[FastAPI] = []

    def make(url: str) -> FastAPI:
        apps.append(create_app(world.settings.model_copy(update={"base_url": url}), world.clock))
        return apps[0]

    with gallery.serving(make) as url:
        yield url, Visitor(apps[0], url).enter(link(world, world.ada.member_id))
    apps[0].state.previews.close()


@pytest.mark.parametrize("addresses", ["one", "many"])
def test_guessing_in_a_crowd(
    served: tuple[str, Visitor], world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    addresses: str,
) -> None:  # fmt: skip
    url, ada = served
    hasher = Counting()
    monkeypatch.setattr(people, "_HASHER", hasher)
    if addresses == "many":
        monkeypatch.setattr("avatar_scheduler.web.throttle.Throttle.count", lambda *_: None)
    with world.read() as session:
        email = session.get_one(Member, world.ada.member_id).email
        before = len(session.exec(select(WebSession)).all())

    def guess(number: int) -> int:
        form = {"email": email if number % 2 else f"{number}@example.org", "password": f"guess {number}"}
        return httpx.post(f"{url}/sign-in", data=form, headers={"origin": url}, timeout=60).status_code

    def look(_: int) -> int:
        return httpx.get(f"{url}/posts", cookies=dict(ada.cookies), timeout=60).status_code

    with ThreadPoolExecutor(50) as crowd, ThreadPoolExecutor(1) as owner:
        guesses = crowd.map(guess, range(GUESSES))
        pages = Counter(owner.map(look, range(PAGES)))
        answers = Counter(guesses)
    with world.read() as session:
        after = len(session.exec(select(WebSession)).all())
    assert pages == {200: PAGES}
    assert set(answers) <= {403, 429}
    assert answers[429] >= (GUESSES - MOST if addresses == "one" else 1)
    assert after == before
    assert 1 <= hasher.most <= people.HASHING
    with capsys.disabled():
        sys.stdout.write(
            f"\nsign-ins: {GUESSES} at once from {addresses}, answered {dict(answers)}; {hasher.most} hashes at once\n"
        )


def test_a_password_waiting_for_its_turn_keeps_no_writer_waiting(
    served: tuple[str, Visitor], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashed inside the transaction, a welcome in a storm would hold up everybody who writes."""
    real, wrote = people.hash_password, []

    def meanwhile(password: str) -> str:
        world.sql("UPDATE member SET keys = keys")
        wrote.append(password)
        return real(password)

    monkeypatch.setattr(people, "hash_password", meanwhile)
    url, _ = served
    Visitor(served[1].app, url).enter(link(world, world.ada.member_id))
    assert len(wrote) == 1
