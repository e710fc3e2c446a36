"""Programs with a key: they draft, render and stop; no door of theirs decides."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import select

from avatar_scheduler.db.tables import Approval, Hold, Post
from avatar_scheduler.domain.errors import Forbidden
from avatar_scheduler.services import api_keys, members, review, standing
from tests.services import cast
from tests.web.test_access import FILLED, routes
from tests.web.visitor import Visitor
from tests.world import SCRIPT, World

DRAFT = {"creator": "maya", "title": "Onions", "kind": "tip", "template": SCRIPT, "at": "+2h"}


def key(world: World, *creator_ids: str) -> str:
    with world.write() as session:
        return api_keys.make(session, world.ada, "bot", creator_ids, 30, world.now)[1]


class Program:
    def __init__(self, world: World, app: FastAPI, token: str) -> None:
        self.visitor = Visitor(app, world.settings.base_url)
        self.token = token

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"authorization": f"Bearer {self.token}", "accept": "*/*", "origin": None, **headers}
        return self.visitor.ask(method, path, headers=sent, json=body)


@pytest.fixture
def bot(world: World, app: FastAPI) -> Program:
    return Program(world, app, key(world))


def test_drafts_renders_changes_and_stops(world: World, bot: Program) -> None:
    made = bot("POST", "/api/posts", DRAFT)
    assert (made.status_code, made.json()["state"]) == (201, "draft")
    path = f"/api/posts/{made.json()['id']}"
    assert bot("PATCH", path, {"title": "Garlic"}).json()["title"] == "Garlic"
    assert bot("POST", f"{path}/submission").json()["state"] == "rendering"
    assert [row["title"] for row in bot("GET", "/api/posts").json()] == ["Garlic"]
    assert bot("POST", "/api/holds", {"reason": "odd"}).status_code == 201
    with world.read() as session:
        assert session.exec(select(Post.created_by)).one().startswith("key:")
        assert session.exec(select(Hold.by)).one().startswith("key:")


def test_asked_twice_makes_one(world: World, bot: Program) -> None:
    first = bot("POST", "/api/posts", DRAFT, **{"idempotency-key": "a"})
    again = bot("POST", "/api/posts", DRAFT, **{"idempotency-key": "a"})
    other = bot("POST", "/api/posts", {**DRAFT, "title": "Other"}, **{"idempotency-key": "a"})
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 422)
    assert first.json()["id"] == again.json()["id"]
    with world.read() as session:
        assert len(session.exec(select(Post.id)).all()) == 1


def test_a_key_opens_nothing_but_its_own_doors(world: World, app: FastAPI, bot: Program) -> None:
    for method, path in routes(app):
        if method == "MOUNT" or path.startswith("/api/"):
            continue
        before = bot.visitor.ask(method, path.format(**FILLED), headers={"accept": "application/json"}).status_code
        answer = bot(method, path.format(**FILLED), accept="application/json", origin=world.settings.base_url)
        assert answer.status_code == before, (method, path)
    with world.read() as session:
        assert session.exec(select(Approval)).all() == []


def test_no_cookie_opens_the_doors_for_programs(app: FastAPI, ada: Visitor) -> None:
    doors = [(method, path) for method, path in routes(app) if path.startswith("/api/")]
    assert len(doors) >= 6
    for method, path in doors:
        assert ada.ask(method, path.format(**FILLED), headers={"x-csrf": ada.csrf}).status_code == 401, path


def test_a_program_never_decides_whatever_door(world: World) -> None:
    version = world.version(world.post("tip"))
    with world.read() as session:
        who = api_keys.who_is(session, key(world), world.now)
    assert who is not None
    with world.write() as session, pytest.raises(Forbidden):
        review.approve(session, world.settings, who, version.id, version.sha256, world.now)
    with world.write() as session, pytest.raises(Forbidden):
        review.reject(session, who, version.id, version.sha256, world.now)
    with world.write() as session, pytest.raises(Forbidden):
        standing.grant(session, world.settings, who, world.maya, ("tip",), 1, 1, world.now)


def test_it_ends_with_its_time_its_maker_or_by_hand(world: World) -> None:
    admin = cast.person(world, "admin")
    with world.write() as session:
        row, by_hand = api_keys.make(session, world.ada, "a", (), 30, world.now)
        _, by_maker = api_keys.make(session, admin, "b", (), 30, world.now)
        _, by_time = api_keys.make(session, world.ada, "c", (), 30, world.now)
    with world.write() as session:
        api_keys.revoke(session, world.ada, row.id, world.now)
        members.disable(session, world.ada, admin.member_id, world.now)
    with world.read() as session:
        assert api_keys.who_is(session, by_hand, world.now) is None
        assert api_keys.who_is(session, by_maker, world.now) is None
        assert api_keys.who_is(session, by_time, world.now) is not None
        assert api_keys.who_is(session, by_time, world.now + timedelta(days=30)) is None


def test_it_reaches_only_its_creators(world: World, app: FastAPI) -> None:
    noa = cast.creator_of(world, world.ada, "noa")
    bot = Program(world, app, key(world, noa.id))
    post = world.post()
    assert bot("POST", "/api/posts", DRAFT).status_code == 404
    assert bot("GET", f"/api/posts/{post.id}").status_code == 404
    assert bot("GET", "/api/posts").json() == []
    assert "maya" not in bot("POST", "/api/posts", DRAFT).text.replace("“maya”", "")


@pytest.mark.parametrize("role", ["manager", "editor", "approver", "creator", "analyst"])
def test_only_who_rules_makes_keys(world: World, role: str) -> None:
    with world.write() as session, pytest.raises(Forbidden):
        api_keys.make(session, replace(world.ada, role=role), "x", (), 30, world.now)


def test_wrong_input_is_said_as_json(bot: Program) -> None:
    for body in ({}, {**DRAFT, "state": "approved"}, {**DRAFT, "created_by": "x"}, {**DRAFT, "kind": "nonsense"}):
        answer = bot("POST", "/api/posts", body)
        assert answer.status_code == 422
        assert set(answer.json()) >= {"error", "message"}
