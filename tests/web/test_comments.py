"""Comments and versions through the pages, without script."""

import pytest
from fastapi import FastAPI

from avatar_scheduler.db.tables import Assignment
from avatar_scheduler.services import posts, review
from avatar_scheduler.services.posts import Edit
from avatar_scheduler.web.comments import milliseconds
from tests.services.cast import person
from tests.web.conftest import link
from tests.web.visitor import Visitor
from tests.world import World


def shared(words: str = "Slower here.", **more: str) -> dict[str, str]:
    return {"words": words, "audience": "client", "at": "", "quote": "", **more}


def test_a_comment_is_written_settled_opened_and_deleted(world: World, ada: Visitor) -> None:
    post = world.post()
    answer = ada.post(f"/posts/{post.id}/comments", shared(at="0:12", quote="the heat"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/posts/{post.id}#comments")
    page = ada.get(f"/posts/{post.id}").text
    assert 'data-seek="12000"' in page
    comment_id = page.partition('action="/comments/')[2].partition("/")[0]
    for verb, sign in (("resolution", "/reopening"), ("reopening", "/resolution"), ("deletion", "Deleted by")):
        assert ada.post(f"/comments/{comment_id}/{verb}").status_code == 303
        assert sign in ada.get(f"/posts/{post.id}").text


def test_words_are_words_and_never_markup(world: World, ada: Visitor) -> None:
    post = world.post()
    ada.post(f"/posts/{post.id}/comments", shared("<script>alert(1)</script>"))
    page = ada.get(f"/posts/{post.id}").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


@pytest.mark.parametrize("form", [{"by": "somebody"}, {"audience": "everyone"}, {"at": "12"}, {"back": "//evil"}])
def test_a_form_says_nothing_else(world: World, ada: Visitor, form: dict[str, str]) -> None:
    post = world.post()
    assert ada.post(f"/posts/{post.id}/comments", {**shared(), **form}).status_code == 422
    assert "data-seek" not in ada.get(f"/posts/{post.id}").text


def test_the_way_back_is_the_page_it_came_from(world: World, ada: Visitor) -> None:
    version = world.version(world.post())
    answer = ada.post(f"/posts/{version.post_id}/comments", shared(back="review"))
    assert answer.headers["location"] == f"/review/{version.id}#comments"


def test_versions_stand_side_by_side_with_what_was_asked(world: World, ada: Visitor) -> None:
    post = world.post(kind="reply")
    first = world.version(post)
    with world.write() as session:
        review.ask_changes(session, world.ada, first.id, first.sha256, ["tone"], "Warmer.", 61_000, world.now)
        posts.edit(session, world.settings, world.ada, post.id, Edit(title="Sweet onions"), world.now)
    world.version(world.again(post))
    page = ada.get(f"/posts/{post.id}/versions/2").text
    for words in ("Warmer.", "1:01", "<del>Onions</del>", "<ins>Sweet onions</ins>"):
        assert words in page
    for number in (1, 2):
        for place in range(4):
            picture = ada.get(f"/posts/{post.id}/versions/{number}/frames/{place}")
            assert (picture.headers["content-type"], picture.content[:2]) == ("image/jpeg", b"\xff\xd8")
    assert ada.get(f"/posts/{post.id}/versions/3").status_code == 404
    assert ada.get(f"/posts/{post.id}/versions/1").status_code == 200


def test_a_pin_is_minutes_and_seconds() -> None:
    assert [milliseconds(text) for text in ("", "0:00", "1:05", "120:59")] == [None, 0, 65_000, 7_259_000]


def test_the_composer_says_which_words_ask_a_person(world: World, ada: Visitor) -> None:
    form = {"title": "Onions", "kind": "tip", "creator": "maya", "template": "Well, I promise it.", "language": "en"}
    found = ada.ask("POST", "/compose/check", data={"csrf": ada.csrf, **form}).json()["parts"]
    assert 'data-from="6" data-to="18"' in found["hints"]
    assert "<q" in found["hints"]
    assert "Because of its words" in found["asks"]
    calm = ada.ask("POST", "/compose/check", data={"csrf": ada.csrf, **form, "template": "Onions."}).json()["parts"]
    assert "data-from" not in calm["hints"]


def test_the_timeline_names_comments_to_those_who_may_read_them(world: World, app: FastAPI, ada: Visitor) -> None:
    post = world.post()
    ada.post(f"/posts/{post.id}/comments", {**shared("Not for them."), "audience": "internal"})
    assert ada.get(f"/posts/{post.id}").text.count("Ada commented") == 1
    client = person(world, "client")
    with world.write() as session:
        session.add(Assignment(
            organization_id=client.organization_id, member_id=client.member_id, creator_id=world.maya.id,
            created_at=world.now,
        ))  # fmt: skip
    reader = Visitor(app, world.settings.base_url).enter(link(world, client.member_id))
    page = reader.get(f"/posts/{post.id}").text
    assert ("What happened" in page, "Ada commented" in page) == (True, False)
    ada.post(f"/posts/{post.id}/comments", shared("For them too."))
    assert reader.get(f"/posts/{post.id}").text.count("Ada commented") == 1
    assert ada.get(f"/posts/{post.id}").text.count("Ada commented") == 2
