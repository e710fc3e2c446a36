"""T16, with every filter of ours taken away: over PostgreSQL another organization's things are still not there.

Away are `own`, which refuses a row of somebody else, and each `organization_id = ...` of a query but the audit log's,
whose table is shared by all.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import FastAPI
from sqlalchemy import BinaryExpression, BindParameter, Column, Executable, event, true
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, select

from avatar_scheduler.db import tenants
from avatar_scheduler.db.engine import engine_for
from avatar_scheduler.db.tables import Creator, Member, Upload
from avatar_scheduler.services import roles
from avatar_scheduler.storage import Blobs
from tests.services import cast as people
from tests.web.conftest import link
from tests.web.test_tenants_everywhere import asked_everywhere, ids
from tests.web.visitor import Visitor
from tests.world import World

PAGES = ("/review", "/posts", "/calendar", "/people", "/uploads", "/account", "/policies", "/incidents", "/holds")


@pytest.fixture
def postgres_only(world: World) -> None:
    if engine_for(world.settings).dialect.name != "postgresql":
        pytest.skip("SQLite has no row level security")


@pytest.fixture
def filters_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The list fills with the tables whose filter was taken away."""
    real, taken = roles.own, []
    for module in list(sys.modules.values()):
        if getattr(module, "own", None) is real:
            monkeypatch.setattr(module, "own", lambda *_: None)

    def strip(element: Any, **_: Any) -> ColumnElement[bool] | None:
        if isinstance(element, BinaryExpression) and isinstance(element.right, BindParameter):
            column = element.left
            if isinstance(column, Column) and column.name == "organization_id" and column.table.name != "audit":
                taken.append(column.table.name)
                return true()
        return None

    def without(state: ORMExecuteState) -> None:
        if state.is_select:
            state.statement = cast("Executable", visitors.replacement_traverse(cast("Any", state.statement), {}, strip))

    event.listen(Session, "do_orm_execute", without)
    yield taken
    event.remove(Session, "do_orm_execute", without)


@pytest.mark.usefixtures("postgres_only")
class TestWithoutFilters:
    def test_nothing_of_another_organization_is_there(
        self, world: World, app: FastAPI, cy: Visitor, filters_off: list[str]
    ) -> None:
        count = asked_everywhere(app, cy, ids(world))
        sys.stdout.write(f"\n{count} routes without {len(filters_off)} filters of {len(set(filters_off))} tables\n")
        assert count > 40

    def test_no_page_tells_of_another_organization(self, world: World, cy: Visitor, filters_off: list[str]) -> None:
        ids(world)
        for path in PAGES:
            answer = cy.get(path)
            assert answer.status_code in (200, 404), (path, answer.status_code)
            assert not {"Onions", "Maya", "ada@example.org"} & set(answer.text.replace("<", " ").split()), path
        assert len(set(filters_off)) > 3

    def test_without_the_wall_both_would_be_seen(
        self, world: World, app: FastAPI, cy: Visitor, filters_off: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tenants, "enter", lambda _: None)
        values = ids(world)
        assert "Onions" in cy.get("/posts").text
        with pytest.raises(AssertionError):
            asked_everywhere(app, cy, values)


class TestWhatIsShared:
    """What must still work although one organization cannot see the other."""

    def test_an_address_that_is_taken_elsewhere_is_known(self, cy: Visitor) -> None:
        answer = cy.post("/people/invitations", {"email": "ada@example.org", "name": "A", "role": "editor"})
        assert answer.status_code == 409
        assert "is here already" in answer.text or "est déjà" in answer.text

    def test_who_is_signed_in_elsewhere_reads_a_public_feed(self, world: World, cy: Visitor) -> None:
        values = ids(world)
        for path in ("/f/maya", f"/f/maya/{values['item_id']}", f"/proof/{values['delivery_id']}"):
            answer = cy.get(path)
            assert (answer.status_code, "Onions" in answer.text) == (200, True), path

    def test_bytes_that_another_organization_has_too_are_kept(
        self, world: World, app: FastAPI, cy: Visitor, tmp_path: Path
    ) -> None:
        with world.read() as session:
            other = session.exec(select(Member).where(Member.email == "cy@example.org")).one()
        who = replace(world.ada, organization_id=other.organization_id, member_id=other.id)
        theirs = people.creator_of(world, who, "noa")
        made = tmp_path / "made"
        made.write_bytes(b"a picture")
        sha256 = Blobs(world.settings.blobs).put(made)
        with world.write() as session:
            rows = [upload(world, creator, sha256) for creator in (world.maya, theirs)]
            session.add_all(rows)
        path = Blobs(world.settings.blobs).path(sha256)
        assert cy.post(f"/uploads/{rows[1].id}/removal").status_code == 303
        assert path.is_file()
        ada = Visitor(app, world.settings.base_url).enter(link(world, world.ada.member_id))
        assert ada.post(f"/uploads/{rows[0].id}/removal").status_code == 303
        assert not path.exists()


def upload(world: World, creator: Creator, sha256: str) -> Upload:
    return Upload(
        organization_id=creator.organization_id, creator_id=creator.id, kind="photo", name="pan", sha256=sha256,
        original_sha256=sha256, mime="image/png", size=9, created_by=world.ada.member_id, created_at=world.now,
    )  # fmt: skip
