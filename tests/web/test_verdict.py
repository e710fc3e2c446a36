"""The verdict of the rules beside the composer: what a post will carry, who asks for it, and what may not go out."""

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Creator, Post
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import installation
from tests.web.test_compose import FORM
from tests.web.visitor import Visitor
from tests.world import World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
"""The services are tested on both databases; this is about the page."""

BLOCKS = """
[[rule]]
id = "agency.no-own-brand"
law = "Agency rule: an avatar advertises nothing of its creator's"
begins = 2026-01-01
sponsored = ["own"]
blocked = "The agency does not let avatars advertise the creator's own brand."
way_out = "Let the creator film it."
source = "https://agency.example/rules#4"
checked = 2026-11-20
"""
PAID = {**FORM, "sponsored": "paid"}


@pytest.fixture
def agency(world: World) -> World:
    folder = world.settings.data / "rules"
    folder.mkdir()
    (folder / "agency.toml").write_text(BLOCKS)
    return world


def judged(ada: Visitor, form: dict[str, str]) -> dict[str, str]:
    """The fragments the page's script puts in place, as text."""
    answer = ada.post("/compose/check", form, headers={"accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return {name: unescape(html) for name, html in answer.json()["parts"].items()}


def named(html: str) -> list[str]:
    return re.findall(r'<span class="t">([^<]+)</span>', html)


def posts_of(world: World) -> list[Post]:
    with world.read() as session:
        return list(session.exec(select(Post)))


class TestMarks:
    def test_each_is_named_once_with_its_words_and_who_asks(self, ada: Visitor) -> None:
        marks = judged(ada, FORM)["marks"]
        assert named(marks) == [
            "Visible label", "Caption line", "Credentials", "Watermark", "File metadata", "AIGC tag", "Platform flag"
        ]  # fmt: skip
        assert "AI · Avatar of Maya" in marks
        assert "AI Act, Article 50(4)" in marks
        assert "Regulation (EU) 2024/1689" in marks
        assert "Own feed: no such switch." in marks

    def test_money_brings_its_own_marks_and_a_person(self, ada: Visitor) -> None:
        parts = judged(ada, PAID)
        assert {"Sponsor label", "Sponsor line", "Spoken notice"} <= set(named(parts["marks"]))
        assert "This is an ad, a paid partnership." in parts["marks"]
        assert "Sponsored posts always come to you" in parts["asks"]
        assert len(re.findall("lockline", parts["lines"])) == 2

    def test_in_french_for_a_french_post(self, ada: Visitor, world: World) -> None:
        world.sql("UPDATE member SET language = 'fr'")
        parts = judged(ada, {**PAID, "language": "fr"})
        assert {"Mention visible", "Mention du partenariat", "Filigrane"} <= set(named(parts["marks"]))
        assert "Images virtuelles" in parts["marks"]
        assert "Collaboration commerciale" in parts["marks"]
        assert "Les posts sponsorisés passent toujours par vous" in parts["asks"]
        assert "Images virtuelles" in parts["lines"]

    def test_of_an_audience_that_is_known_only_its_own_laws(self, ada: Visitor, world: World) -> None:
        everywhere = judged(ada, PAID)["marks"]
        with world.write() as session:
            maya = session.get_one(Creator, world.maya.id)
            installation.set_rules(session, world.ada, maya, ["KR"], None, world.now)
        korea = judged(ada, PAID)["marks"]
        assert "FTC Endorsement Guides" in everywhere
        assert "FTC Endorsement Guides" not in korea
        assert "AI Basic Act" in korea
        assert "Spoken notice" not in named(korea)

    def test_are_shown_before_the_rest_is_written(self, ada: Visitor) -> None:
        assert "Visible label" in named(judged(ada, {**FORM, "title": "", "template": ""})["marks"])

    def test_without_a_channel_nothing_is_promised(self, ada: Visitor) -> None:
        parts = judged(ada, {key: value for key, value in FORM.items() if key != "channels"})
        assert named(parts["marks"]) == []
        assert "Shown as soon as it is known where it goes" in parts["marks"]

    def test_stand_on_the_page_that_needs_no_script(self, ada: Visitor) -> None:
        page = ada.get("/compose").text
        assert "Visible label" in named(page)
        assert 'name="sponsored" value="no" checked' in page


class TestWhoPays:
    def test_is_kept_with_the_post_and_its_edits(self, ada: Visitor, world: World) -> None:
        assert ada.post("/compose", PAID).status_code == 303
        (post,) = posts_of(world)
        assert post.sponsored == "paid"
        assert 'name="sponsored" value="paid" checked' in ada.get(f"/posts/{post.id}/compose").text
        assert ada.post(f"/posts/{post.id}/compose", {**FORM, "sponsored": "own"}).status_code == 303
        assert posts_of(world)[0].sponsored == "own"

    @pytest.mark.parametrize(("kind", "sponsored"), [("sponsored", "no"), ("tip", ""), ("tip", "perhaps")])
    def test_left_open_nothing_is_made(self, ada: Visitor, world: World, kind: str, sponsored: str) -> None:
        answer = ada.post("/compose", {**FORM, "kind": kind, "sponsored": sponsored})
        assert answer.status_code == 422
        assert 'href="#f-sponsored"' in answer.text
        assert posts_of(world) == []


class TestBlocked:
    def test_says_rule_reason_source_and_way_out_while_writing(self, ada: Visitor, agency: World) -> None:
        parts = judged(ada, {**FORM, "sponsored": "own"})
        for said in (
            "It cannot go to Own feed like this", "The agency does not let avatars", "Let the creator film it.",
            "agency.no-own-brand", 'href="https://agency.example/rules#4"',
        ):  # fmt: skip
            assert said in parts["marks"]
        assert named(parts["marks"]) == []
        assert 'href="#f-channels"' in parts["hints"]

    def test_by_a_rule_that_begins_before_it_goes_out(self, ada: Visitor, agency: World) -> None:
        begins = agency.now.date() + timedelta(days=3)
        later = BLOCKS.replace("2026-01-01", begins.isoformat())
        (agency.settings.data / "rules" / "agency.toml").write_text(later)
        for at, stopped in (("+24h", False), ("+120h", True)):
            marks = judged(ada, {**FORM, "sponsored": "own", "at": at})["marks"]
            assert ("agency.no-own-brand" in marks) is stopped

    def test_is_sent_back_before_anything_is_rendered(self, ada: Visitor, agency: World) -> None:
        answer = ada.post("/compose", {**FORM, "sponsored": "own", "caption": "Kept."})
        assert answer.status_code == 422
        assert "It cannot go to Own feed like this" in answer.text
        assert "Kept." in answer.text
        assert posts_of(agency) == []

    def test_an_edit_into_it_is_sent_back_too(self, ada: Visitor, agency: World) -> None:
        assert ada.post("/compose", FORM).status_code == 303
        (post,) = posts_of(agency)
        answer = ada.post(f"/posts/{post.id}/compose", {**FORM, "sponsored": "own"})
        assert (answer.status_code, posts_of(agency)[0].sponsored) == (422, "no")
        assert posts_of(agency)[0].state == PostState.rendering

    def test_in_french(self, ada: Visitor, agency: World) -> None:
        agency.sql("UPDATE member SET language = 'fr'")
        assert "Impossible de l’envoyer ainsi sur Flux propre" in judged(ada, {**FORM, "sponsored": "own"})["marks"]

    def test_a_performer_nobody_knows_goes_nowhere(self, ada: Visitor, world: World) -> None:
        world.sql("DELETE FROM audit WHERE noun = 'avatar'")  # as added by a release that did not log its kind
        world.sql("UPDATE avatar SET performer = 'somebody'")
        assert "unknown.performer" in judged(ada, FORM)["marks"]
        assert ada.post("/compose", FORM).status_code == 422


def test_a_pack_nobody_can_read_stops_everything(ada: Visitor, world: World) -> None:
    folder = world.settings.data / "rules"
    folder.mkdir()
    (folder / "broken.toml").write_text("[[rule]]\nid = 1")
    answer = ada.post("/compose", FORM)
    assert answer.status_code == 422
    assert "broken.toml" in answer.text
    assert posts_of(world) == []
