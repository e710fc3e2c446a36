"""The stream of what changed meanwhile, over a real server."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from avatar_scheduler.services import holds, posts
from avatar_scheduler.web import events
from tests.web import gallery
from tests.web.visitor import Visitor
from tests.world import World

STREAM = {"accept": "text/event-stream"}


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LOOK", 0.05)


@pytest.fixture
def url(app: FastAPI) -> Iterator[str]:
    with gallery.serving(lambda _: app) as found:
        yield found


class Stream:
    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.lines = answer.iter_lines()

    def next(self) -> dict[str, str]:
        """The next event that is not a sign of life."""
        found: dict[str, str] = {}
        for line in self.lines:
            if line:
                name, _, value = line.partition(": ")
                found[name] = f"{found[name]}\n{value}" if name in found else value
            elif found.get("event") == "beat":
                found = {}
            else:
                return found
        raise AssertionError("the stream ended")

    def until(self, topic: str) -> dict[str, str]:
        while (event := self.next())["event"] != topic:
            pass
        return event

    def rest(self) -> list[str]:
        return list(self.lines)


@contextmanager
def listening(url: str, visitor: Visitor, query: str = "", **headers: str) -> Iterator[Stream]:
    with (
        httpx.Client(base_url=url, cookies=dict(visitor.cookies), timeout=20) as client,
        client.stream("GET", f"/events{query}", headers={**STREAM, **headers}) as answer,
    ):
        assert answer.status_code == 200
        yield Stream(answer)


def edit(world: World, version: Any) -> None:
    with world.write() as session:
        posts.edit(session, world.settings, world.ada, version.post_id, posts.Edit(caption="Leeks."), world.now)


class TestStream:
    def test_tells_how_things_stand_then_what_changed(self, world: World, ada: Visitor, url: str) -> None:
        with listening(url, ada) as stream:
            assert "Nothing else is waiting" in stream.until("queue")["data"]
            world.version(world.post(title="Fresh onions"))
            count, queue = stream.until("count"), stream.until("queue")
            assert ">1<" in count["data"]
            assert "Fresh onions" in queue["data"]
            assert int(queue["id"]) > 0

    def test_who_comes_back_with_the_last_id_hears_only_what_is_new(self, world: World, ada: Visitor, url: str) -> None:
        world.version(world.post(title="Old onions"))
        with listening(url, ada) as stream:
            last = stream.until("queue")["id"]
        with listening(url, ada, **{"last-event-id": last}) as stream:
            with world.write() as session:
                holds.put(session, world.ada, "organization", "", "why", world.now)
            assert stream.until("holds")["id"] != last
        with listening(url, ada, **{"last-event-id": "x" * 50}) as stream:
            assert "Old onions" in stream.until("queue")["data"]

    def test_marks_the_card_in_focus_and_never_replaces_it(self, world: World, ada: Visitor, url: str) -> None:
        version = world.version(world.post("reply"))
        with listening(url, ada, f"?card={version.id}") as stream:
            assert stream.until("card")["data"] == ""
            edit(world, version)
            marked = stream.until("card")["data"]
            assert "Ada" in marked
            assert "/review/" in marked
            assert "Keep the heat low" not in marked

    def test_another_organization_hears_nothing_of_it(self, world: World, cy: Visitor, url: str) -> None:
        with listening(url, cy) as stream:
            stream.until("holds")
            world.version(world.post(title="Secret onions"))
            cy.post("/holds", {"what": "organization:"})
            told = [stream.next()]
            assert [event["event"] for event in told] == ["holds"]
            assert "Secret" not in json.dumps(told)

    def test_a_card_out_of_reach_opens_nothing(self, world: World, cy: Visitor, url: str) -> None:
        version = world.version(world.post())
        with httpx.Client(base_url=url, cookies=dict(cy.cookies)) as client:
            assert client.get(f"/events?card={version.id}", headers=STREAM).status_code == 404


class TestLimits:
    def test_a_revoked_session_is_closed(
        self, world: World, ada: Visitor, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(events, "RECHECK", 0.1)
        with listening(url, ada) as stream:
            stream.until("holds")
            world.sql("UPDATE web_session SET revoked_at = :at", at=world.now)
            stream.rest()

    def test_it_is_closed_in_time_and_the_browser_told_when_to_come_back(
        self, ada: Visitor, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(events, "LIFE", 0.2)
        with listening(url, ada) as stream:
            assert "retry: 3000" in stream.rest()

    def test_a_person_has_four(self, ada: Visitor, url: str) -> None:
        with ExitStack() as stack:
            streams = [stack.enter_context(listening(url, ada)) for _ in range(events.MOST_EACH)]
            assert all(stream.next() for stream in streams)
            client = stack.enter_context(httpx.Client(base_url=url, cookies=dict(ada.cookies)))
            assert client.get("/events", headers=STREAM).status_code == 409

    def test_people_who_type_the_address_get_words(self, ada: Visitor) -> None:
        assert ada.get("/events").status_code == 422
