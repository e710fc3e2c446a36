"""Stopping from a page: one tap, seen everywhere, lifted one by one."""

import re

from tests.web.visitor import Visitor
from tests.world import World


def stop(visitor: Visitor, what: str, **more: str) -> None:
    answer = visitor.post("/holds", {"what": what, **more})
    assert (answer.status_code, answer.headers["location"]) == (303, "/holds")


def test_one_tap_stops_everything_and_every_page_says_so(world: World, ada: Visitor) -> None:
    assert "is stopped" not in ada.get("/posts").text
    stop(ada, "organization:", reason="Just to be safe", text="<b>now</b>")
    for path in ("/posts", "/review", "/holds", "/menu", "/compose", "/nowhere"):
        page = ada.get(path).text
        assert "Everything of yours is stopped" in page, path
        assert "Just to be safe: &lt;b&gt;now&lt;/b&gt;" in page


def test_it_is_undone_by_lifting_that_one(world: World, ada: Visitor) -> None:
    stop(ada, f"creator:{world.maya.id}")
    world.later(seconds=1)
    stop(ada, "organization:")
    page = ada.get("/holds").text
    paths = re.findall(r'action="(/holds/\w+/lifting)"', page)
    assert len(paths) == 2
    assert ada.post(paths[0]).status_code == 303
    assert "Maya is stopped" in ada.get("/posts").text


def test_another_organization_sees_and_lifts_nothing(world: World, ada: Visitor, cy: Visitor) -> None:
    stop(ada, "organization:")
    (path,) = re.findall(r'action="(/holds/\w+/lifting)"', ada.get("/holds").text)
    assert "arrêté" not in cy.get("/posts").text
    assert cy.post(path).status_code == 404
    assert cy.post("/holds", {"what": f"creator:{world.maya.id}"}).status_code == 404


def test_nobody_holds_every_tenant_from_a_page(world: World, ada: Visitor) -> None:
    assert ada.post("/holds", {"what": "everything:"}).status_code == 422
    assert "hold on --everything" in ada.get("/holds").text


def test_the_menu_leads_everywhere_and_out(ada: Visitor) -> None:
    page = ada.get("/menu").text
    for path in ("/calendar", "/creators", "/people", "/policies", "/audit", "/account", "/holds"):
        assert f'href="{path}"' in page
    assert 'action="/sign-out"' in page


def test_the_card_stops_its_creator_with_one_tap(world: World, ada: Visitor) -> None:
    version = world.version(world.post())
    (what,) = re.findall(r'name="what" value="([^"]+)"', ada.get(f"/review/{version.id}").text)
    stop(ada, what)
    assert "Maya is stopped" in ada.get(f"/review/{version.id}").text
