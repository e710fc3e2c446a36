"""Every route, for every role and for nobody, with every field: nothing unmarked leaves."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel

from avatar_scheduler.services.roles import ROLES
from avatar_scheduler.web import forms
from avatar_scheduler.web.app import create_app
from tests.acceptance.doors.house import House, building, say
from tests.acceptance.doors.values import ANY, FIELDS
from tests.services.cast import person
from tests.web.conftest import link
from tests.web.visitor import Visitor, run
from tests.world import Film


@pytest.fixture(scope="module")
def house(film: Film, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from building(film, sqlite_template, tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def app(house: House) -> Iterator[FastAPI]:
    made = create_app(house.world.settings, house.world.clock)
    yield made
    made.state.previews.close()


@pytest.fixture(scope="module")
def visitors(house: House, app: FastAPI) -> dict[str, Visitor]:
    """One in each role, and nobody."""
    found = {"nobody": Visitor(app, house.world.settings.base_url)}
    for role in sorted(ROLES):
        member = house.world.ada.member_id if role == "owner" else person(house.world, role).member_id
        found[role] = Visitor(app, house.world.settings.base_url).enter(link(house.world, member))
    house.keep()
    return found


def routes(app: FastAPI) -> list[tuple[str, str]]:
    found = []
    for route in iter_route_contexts(app.routes):
        methods = sorted(getattr(route, "methods", None) or ())
        found += [(method, str(route.path)) for method in methods if method != "HEAD"]
    return found


def fields() -> list[str]:
    """Of every form there is, and invented ones."""
    models = [m for m in vars(forms).values() if isinstance(m, type) and issubclass(m, BaseModel)]
    return sorted({*FIELDS, *(name for model in models for name in model.model_fields)} - {"csrf"})


def path_of(house: House, path: str) -> str:
    known = {**house.review, "post_id": house.post_id, "slug": "maya", "renderer": "builtin", "number": "1"}
    return re.sub(r"{(\w+)}", lambda found: known.get(found[1], "a" * 32), path)


def base_of(house: House, path: str) -> dict[str, str]:
    """What a page of ours would send there."""
    if path.startswith("/review/"):
        return {"version_hash": house.review["sha256"]}
    if "compose" in path:
        return {"creator": "maya", "title": "T", "kind": "tip", "template": "Low heat.", "language": "en"}
    return {"at": "+1m", "zone": "UTC"} if path.endswith("/time") else {}


def bodies(house: House, method: str, path: str, turn: int, every: int) -> Iterator[dict[str, Any]]:
    """One request each: as meant, then one field more or another value, as form, query or JSON in turn."""
    base, names = base_of(house, path), fields()
    how = ["params"] if method == "GET" else ["data", "json", "params"]
    yield {how[0]: base}
    for number, name in enumerate(names):
        if number % every == turn % every:
            value = ANY[(number + turn) % len(ANY)]
            way = how[(number + turn) % len(how)]
            sent = {**base, name: value}
            yield {"params": sent, "data": base} if way == "params" and len(how) > 1 else {way: sent}


async def send(visitor: Visitor, method: str, path: str, sent: list[dict[str, Any]]) -> list[int]:
    transport = httpx.ASGITransport(visitor.app, raise_app_exceptions=False)
    headers = {"accept": "application/json", "origin": visitor.origin, "x-csrf": visitor.csrf}
    async with httpx.AsyncClient(transport=transport, base_url=visitor.origin, cookies=visitor.cookies) as client:
        return [(await client.request(method, path, headers=headers, **more)).status_code for more in sent]


@pytest.mark.parametrize("share", [72, pytest.param(1, marks=(pytest.mark.slow, pytest.mark.timeout(1800)))])
def test_no_field_of_any_role_lets_anything_out_unmarked(
    house: House, app: FastAPI, visitors: dict[str, Visitor], capsys: pytest.CaptureFixture[str], share: int
) -> None:
    """The quick run sends each twelfth field where an owner writes, elsewhere fewer; the slow one all, everywhere."""
    count = shown = crashed = taken = 0
    bare: list[str] = []
    for turn, (method, path) in enumerate(routes(app)):
        house.restore()
        if path == "/sign-out":
            continue  # it only ends the session the others are tried with
        for number, (role, visitor) in enumerate(visitors.items()):
            every = max(1, share // 6) if role == "owner" and method == "POST" else share
            sent = list(bodies(house, method, path, turn + number, every))
            said = run(send(visitor, method, path_of(house, path), sent))
            count += len(said)
            crashed += sum(code >= 500 for code in said)
            taken += sum(code < 400 for code in said)
        house.world.later(seconds=11)  # past the time to take a yes back
        house.work(house.world.settings, turn)
        found, unmarked = house.out()
        shown += found
        bare += [f"{method} {path}: {line}" for line in unmarked]
    say(
        capsys,
        f"doors: {count} fields, {taken} requests taken, {crashed} crashed; "
        f"marked items in the feed: {shown}, unmarked: {len(bare)}",
    )
    assert not bare, bare[:5]
    assert shown, "the marked film goes out"
