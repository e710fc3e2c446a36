"""The composer as a visitor without script meets it, and what its script asks the server."""

import json
import re
from typing import ClassVar

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Asset, Member, Post, Render
from avatar_scheduler.domain.post import PostState
from tests.web.visitor import Visitor
from tests.world import World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
"""The services are tested on both databases; this is about the page."""

DESCRIBED = """{#
title = "Salt"
language = "en"
kind = "tip"

[variables.much]
type = "text"
example = "less"
#}
Use {{ much }} salt."""
FORM = {
    "creator": "maya",
    "title": "Onions",
    "kind": "tip",
    "template": "Keep the heat low.",
    "caption": "Onions.",
    "language": "en",
    "channels": "own_feed:maya",
    "at": "+1h",
    "zone": "Europe/Paris",
}


def posts_of(world: World) -> list[Post]:
    with world.read() as session:
        return list(session.exec(select(Post)))


class TestWriting:
    def test_an_empty_composer_lists_no_mistakes(self, ada: Visitor) -> None:
        page = ada.get("/compose").text
        assert "Send for review" in page
        assert "to fix</b>" in page
        assert 'class="note bad"' not in page
        assert "AI-generated avatar video." in page

    def test_a_starter_brings_its_words_and_its_inputs(self, ada: Visitor) -> None:
        page = ada.get("/compose?starter=tip_of_the_day.en").text
        assert 'name="var.topic"' in page
        assert 'placeholder="cooking pasta"' in page
        assert "{{ tip }}." in page

    def test_what_is_sent_is_rendered_and_followed(self, ada: Visitor, world: World) -> None:
        answer = ada.post("/compose", {**FORM, "format": "1:1", "captions": "pop", "background": "scene:city"})
        (post,) = posts_of(world)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/posts/{post.id}")
        assert (post.title, post.state, post.caption) == ("Onions", PostState.rendering, "Onions.")
        staged = json.loads(post.staging)
        assert (staged["format"], staged["captions"]) == ("1:1", "pop")
        assert staged["background"] == {"kind": "scene", "value": "city"}

    def test_values_are_those_of_the_script(self, ada: Visitor, world: World) -> None:
        assert ada.post("/compose", {**FORM, "template": DESCRIBED, "var.much": "more"}).status_code == 303
        assert posts_of(world)[0].script == "Use more salt."


class TestMistakes:
    def test_they_are_listed_at_once_and_what_was_typed_is_kept(self, ada: Visitor, world: World) -> None:
        answer = ada.post(
            "/compose", {**FORM, "title": " ", "template": DESCRIBED, "at": "yesterday", "caption": "Kept."}
        )
        assert answer.status_code == 422
        assert "3 things to fix" in answer.text
        assert "&#39;much&#39; is missing" in answer.text
        assert "Use {{ much }} salt." in answer.text
        assert "Kept." in answer.text
        assert posts_of(world) == []

    def test_a_script_says_line_and_column(self, ada: Visitor) -> None:
        answer = ada.post("/compose", {**FORM, "template": "Hello.\nIt is {{ tip }}."})
        assert 'data-line="2" data-column="10"' in answer.text
        assert "Line 2, column 10" in answer.text

    def test_a_field_nobody_listed_is_refused(self, ada: Visitor, world: World) -> None:
        answer = ada.post("/compose", {**FORM, "state": "approved"})
        assert answer.status_code == 422
        assert "state" in answer.text
        assert posts_of(world) == []

    def test_a_cue_nobody_knows_is_named(self, ada: Visitor) -> None:
        answer = ada.post("/compose", {**FORM, "template": "Hello. [dance]"})
        assert answer.status_code == 422
        assert "[dance]" in answer.text


class TestChecking:
    def test_counts_the_line_nobody_can_remove(self, ada: Visitor) -> None:
        told = ada.post("/compose/check", FORM, headers={"accept": "application/json"}).json()
        assert told["problems"] == 0
        assert "4 words" in told["parts"]["numbers"]
        assert f">{len('AI-generated avatar video.') + 2 + len('Onions.')}<" in told["parts"]["counters"]

    def test_says_who_is_asked(self, ada: Visitor) -> None:
        told = ada.post("/compose/check", {**FORM, "kind": "reply"}, headers={"accept": "application/json"}).json()
        assert "Replies always come to you" in told["parts"]["asks"]

    def test_names_the_variables_of_the_script(self, ada: Visitor) -> None:
        told = ada.post(
            "/compose/check", {**FORM, "template": DESCRIBED}, headers={"accept": "application/json"}
        ).json()
        assert told["variables"] == ["much"]
        assert told["fields"] == ["var.much"]
        assert 'name="var.much"' in told["parts"]["inputs"]

    def test_stores_nothing(self, ada: Visitor, world: World) -> None:
        ada.post("/compose/check", FORM, headers={"accept": "application/json"})
        assert posts_of(world) == []


class TestAgain:
    def test_a_post_opens_as_it_is_and_an_edit_renders_it_again(self, ada: Visitor, world: World) -> None:
        ada.post("/compose", {**FORM, "captions": "pop"})
        (post,) = posts_of(world)
        page = ada.get(f"/posts/{post.id}/compose").text
        assert "Keep the heat low." in page
        assert '<option value="pop" selected>' in page
        answer = ada.post(f"/posts/{post.id}/compose", {**FORM, "template": "Keep the heat high.", "captions": ""})
        assert answer.status_code == 303
        (post,) = posts_of(world)
        assert (post.script, post.state) == ("Keep the heat high.", PostState.rendering)
        assert json.loads(post.staging)["captions"] == "karaoke"

    def test_an_approval_is_void_after_it(self, ada: Visitor, world: World) -> None:
        delivery = world.approved()
        assert ada.post(f"/posts/{delivery.post_id}/compose", {**FORM, "format": "1:1"}).status_code == 303
        assert world.again(delivery).state == "withdrawn"

    def test_a_new_time_asks_again(self, ada: Visitor, world: World) -> None:
        version = world.version(world.post())
        answer = ada.post(f"/posts/{version.post_id}/time", {"at": "+3h", "zone": "Europe/Paris"})
        assert answer.status_code == 303
        with world.read() as session:
            assert len(list(session.exec(select(Render)))) == 2


class TestStrangers:
    def test_another_organizations_creator_is_not_there(self, cy: Visitor, world: World) -> None:
        for path in ("/compose", "/compose/check", "/compose/preview"):
            assert cy.post(path, FORM).status_code == 404
        assert posts_of(world) == []

    def test_another_creators_avatar_is_not_there(self, ada: Visitor, world: World) -> None:
        answer = ada.post("/compose", {**FORM, "avatar": "0" * 32})
        assert answer.status_code == 422
        assert "has no avatar" in answer.text
        assert posts_of(world) == []

    def test_another_organizations_post_is_not_there(self, cy: Visitor, world: World) -> None:
        post = world.post()
        assert cy.get(f"/posts/{post.id}/compose").status_code == 404
        assert cy.post(f"/posts/{post.id}/compose", FORM).status_code == 404
        assert cy.post(f"/posts/{post.id}/time", {"at": "+3h", "zone": "UTC"}).status_code == 404

    def test_who_may_not_write_may_not_compose(self, ada: Visitor, world: World) -> None:
        with world.write() as session:
            session.get_one(Member, world.ada.member_id).role = "analyst"
        assert ada.get("/compose").status_code == 403
        for path in ("/compose", "/compose/check", "/compose/preview"):
            assert ada.post(path, FORM).status_code == 403
        assert posts_of(world) == []

    def test_a_form_from_elsewhere_makes_nothing(self, ada: Visitor, world: World) -> None:
        for path in ("/compose", "/compose/check", "/compose/preview"):
            assert ada.ask("POST", path, data=FORM).status_code == 403
            assert ada.post(path, FORM, headers={"origin": "https://evil.example"}).status_code == 403
        assert posts_of(world) == []


class TestDescription:
    """A script's own description stands apart from its words, and lines are counted where a person sees them."""

    def test_is_shown_apart_and_put_back(self, ada: Visitor, world: World) -> None:
        page = ada.get("/compose?starter=tip_of_the_day.en").text
        assert re.search(r'name="template"[^>]*>\s*Here&#39;s a small tip', page)
        head, words = DESCRIBED.split("#}\n")
        form = {**FORM, "head": f"{head}#}}", "template": words, "var.much": "more"}
        assert ada.post("/compose", form).status_code == 303
        assert posts_of(world)[0].template == DESCRIBED

    def test_lines_start_with_the_words(self, ada: Visitor) -> None:
        head = DESCRIBED.split("#}\n", maxsplit=1)[0] + "#}"
        answer = ada.post("/compose", {**FORM, "head": head, "template": "Hi.\nUse {{ mucch }}."})
        assert "Line 2, column 8" in answer.text
        assert 'href="#f-template"' in answer.text

    def test_what_is_wrong_in_it_is_shown_there(self, ada: Visitor) -> None:
        answer = ada.post("/compose", {**FORM, "head": '{#\ntitle = "x\n#}', "template": "Hi."})
        assert 'href="#f-head"' in answer.text
        assert '<details class="head" open>' in answer.text


class TestDraft:
    JSON: ClassVar = {"accept": "application/json"}

    def test_streams_to_its_own_writer_and_is_kept_nowhere(self, ada: Visitor, cy: Visitor, world: World) -> None:
        told = ada.post("/compose/preview", {**FORM, "title": "", "template": DESCRIBED}, headers=self.JSON)
        url = told.json()["url"]
        film = ada.get(url)
        assert (film.status_code, film.headers["content-type"]) == (200, "video/mp4")
        assert film.headers["cache-control"] == "no-store"
        assert "accept-ranges" not in film.headers
        assert film.content[4:8] == b"ftyp"
        assert cy.get(url).status_code == 404
        with world.read() as session:
            assert list(session.exec(select(Post.id))) + list(session.exec(select(Asset.id))) == []

    def test_mistakes_are_said_instead(self, ada: Visitor) -> None:
        for wrong, told in (
            ({"template": "Hi {{ x }}."}, "Line 1, column 7"),
            ({"template": "Hi. [dance]"}, "not a cue"),
            ({"form": "stills"}, "Pictures are drawn when you send it"),
        ):
            answer = ada.post("/compose/preview", {**FORM, **wrong}, headers=self.JSON)
            assert answer.status_code == 422
            assert told in answer.json()["message"]
