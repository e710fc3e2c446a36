"""Deciding over the web, with the real services behind it."""

import re
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import select

from avatar_scheduler.db.tables import Approval, Member
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import posts
from tests.services.cast import person
from tests.web.conftest import link
from tests.web.visitor import Visitor
from tests.world import World


def decision(version: Any, **more: Any) -> dict[str, Any]:
    return {"version_hash": version.sha256, **more}


def state(world: World, version: Any) -> PostState:
    with world.read() as session:
        found = posts.get(session, world.ada, version.post_id)
        return PostState(found.state)


class TestQueue:
    def test_says_so_when_nothing_waits(self, ada: Visitor) -> None:
        answer = ada.get("/review")
        assert answer.status_code == 200
        assert "Nothing needs you" in answer.text

    def test_opens_the_soonest_card(self, world: World, ada: Visitor) -> None:
        world.version(world.post(title="Later", at="+2h"))
        world.version(world.post(title="Soon", at="+10m"))
        page = ada.get("/review").text
        assert '<h2 id="rt" lang="en">Soon</h2>' in page
        assert "Later" in page
        assert "1 of 2" in page

    def test_home_leads_there(self, ada: Visitor) -> None:
        assert ada.get("/").headers["location"] == "/review"


class TestCard:
    def test_shows_the_version_its_marks_and_its_hash(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post("reply"))
        page = ada.get(f"/review/{version.id}").text
        assert "Keep the heat low." in page
        assert "Replies always come to you" in page
        assert "6 ready" in page
        assert version.sha256 in page

    def test_is_not_there_for_another_organization(self, world: World, cy: Visitor) -> None:
        version = world.version(world.post())
        assert cy.get(f"/review/{version.id}").status_code == 404
        assert cy.post(f"/review/{version.id}/approval", decision(version)).status_code == 404
        assert state(world, version) is PostState.in_review

    def test_looking_at_it_changes_nothing(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post("reply"))
        first = ada.get(f"/review/{version.id}").text
        assert ada.get(f"/review/{version.id}").text == first


class TestApproval:
    def test_of_a_core_post_nobody_watched_is_refused_on_its_card(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post("reply"))
        answer = ada.post(f"/review/{version.id}/approval", decision(version))
        assert answer.status_code == 422
        assert "left to watch" in answer.text
        assert state(world, version) is PostState.in_review

    def test_after_watching_it_is_recorded_and_can_be_undone(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post("reply"))
        world.watch(version)
        answer = ada.post(f"/review/{version.id}/approval", decision(version))
        assert (answer.status_code, answer.headers["location"]) == (303, f"/review/{version.id}")
        assert state(world, version) is PostState.approved
        page = ada.get(answer.headers["location"]).text
        assert "Approved, Ada" in page
        undo = page.split('action="/approvals/')[1].split('"')[0]
        world.later(seconds=9)
        assert ada.post(f"/approvals/{undo}").status_code == 303
        assert state(world, version) is PostState.in_review

    def test_undo_comes_too_late_after_ten_seconds(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post("reply"))
        world.watch(version)
        ada.post(f"/review/{version.id}/approval", decision(version))
        undo = ada.get(f"/review/{version.id}").text.split('action="/approvals/')[1].split('"')[0]
        world.later(seconds=11)
        answer = ada.post(f"/approvals/{undo}")
        assert answer.status_code == 410
        assert "Too late to undo" in answer.text
        assert state(world, version) is PostState.approved

    def test_pressed_twice_counts_once(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post())
        answers = [ada.post(f"/review/{version.id}/approval", decision(version)).status_code for _ in range(2)]
        assert answers == [303, 303]

    def test_of_an_older_version_shows_what_changed(self, world: World, ada: Visitor) -> None:
        post = world.post()
        old = world.version(post)
        with world.write() as session:
            hotter = posts.Edit(template="Keep the heat high.")
            posts.edit(session, world.settings, world.ada, post.id, hotter, world.now)
        new = world.version(post)
        answer = ada.post(f"/review/{old.id}/approval", decision(old))
        assert answer.status_code == 409
        assert "This changed while you looked" in answer.text
        assert "<ins>high.</ins>" in answer.text
        assert f'href="/review/{new.id}"' in answer.text
        assert state(world, new) is PostState.in_review

    def test_of_another_hash_is_refused(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post())
        answer = ada.post(f"/review/{version.id}/approval", {"version_hash": "0" * 64})
        assert answer.status_code == 409
        assert state(world, version) is PostState.in_review

    def test_after_the_deadline_is_gone(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post())
        world.later(hours=2)
        answer = ada.post(f"/review/{version.id}/approval", decision(version))
        assert answer.status_code == 410
        assert "Nobody decided in time. It was not sent." in answer.text

    def test_needs_a_role_that_may_decide_read_anew_each_time(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post())
        with world.write() as session:
            session.get_one(Member, world.ada.member_id).role = "analyst"
        answer = ada.post(f"/review/{version.id}/approval", decision(version))
        assert answer.status_code == 403
        assert "This one is not yours to decide" in ada.get(f"/review/{version.id}").text

    def test_of_what_somebody_else_decided_shows_their_decision(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post())
        ada.post(f"/review/{version.id}/rejection", decision(version))
        answer = ada.post(f"/review/{version.id}/approval", decision(version))
        assert answer.status_code == 409
        assert "Rejected, Ada" in answer.text


class TestOtherDecisions:
    def test_pressed_twice_count_once_and_answer_the_same(self, world: World, ada: Visitor) -> None:
        for verb, form in (("rejection", {}), ("changes", {"reasons": ["tone"], "text": "Softer."})):
            version = world.version(world.post())
            answers = [ada.post(f"/review/{version.id}/{verb}", decision(version, **form)) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [303, 303]
            with world.read() as session:
                rows = session.exec(select(Approval).where(Approval.version_id == version.id)).all()
            assert len(rows) == 1

    def test_other_words_after_the_decision_are_refused(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post())
        assert ada.post(f"/review/{version.id}/changes", decision(version, text="Softer.")).status_code == 303
        assert ada.post(f"/review/{version.id}/changes", decision(version, text="Louder.")).status_code == 409

    def test_what_is_too_late_can_be_dropped(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post())
        world.now = world.delivery(version).latest_start
        world.later(seconds=1)
        assert f"/review/{version.id}/drop" in ada.get(f"/review/{version.id}").text
        assert ada.post(f"/review/{version.id}/drop").status_code == 303
        assert state(world, version) is PostState.cancelled

    def test_reject_needs_no_reason(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post())
        assert ada.post(f"/review/{version.id}/rejection", decision(version)).status_code == 303
        assert state(world, version) is PostState.rejected

    def test_changes_carry_reasons_words_and_the_moment(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post())
        form = decision(version, reasons=["tone", "wrong_fact"], text="Say “everyone”.", at_ms="1400")
        assert ada.post(f"/review/{version.id}/changes", form).status_code == 303
        assert state(world, version) is PostState.changes_requested
        page = ada.get(f"/posts/{version.post_id}").text
        assert "Ada asked for changes" in page
        assert "Say “everyone”." in page

    @pytest.mark.parametrize("form", [{}, {"reasons": ["because"]}, {"text": "x", "at_ms": "-4"}, {"text": "x" * 2001}])
    def test_changes_that_say_nothing_or_nonsense_are_refused(
        self, world: World, ada: Visitor, form: dict[str, Any]
    ) -> None:
        version = world.version(world.post())
        assert ada.post(f"/review/{version.id}/changes", decision(version, **form)).status_code == 422
        assert state(world, version) is PostState.in_review


class TestReading:
    def test_the_text_read_to_its_end_unlocks(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post("reply"))
        path = f"/review/{version.id}/read"
        first = ada.tell(path, None).json()
        assert not first["complete"]
        assert first["wait_ms"] > 0
        world.later(milliseconds=first["wait_ms"] + 1)
        assert ada.tell(path, None).json() == {"complete": True, "wait_ms": 0}
        assert ada.post(f"/review/{version.id}/approval", decision(version)).status_code == 303


class TestBulk:
    def test_a_core_post_in_the_form_refuses_all_of_it(self, world: World, ada: Visitor) -> None:
        tip, reply = world.version(world.post("tip")), world.version(world.post("reply"))
        world.watch(reply)
        pairs = [f"{v.id}:{v.sha256}" for v in (tip, reply)]
        answer = ada.post("/review/bulk", {"creator": "maya", "pair": pairs})
        assert answer.status_code == 422
        assert state(world, tip) is state(world, reply) is PostState.in_review

    def test_those_ticked_are_approved_the_others_wait(self, world: World, ada: Visitor) -> None:
        tips = [world.version(world.post("tip", title=f"Tip {n}")) for n in range(3)]
        page = ada.get("/review/bulk?creator=maya").text
        pairs = re.findall(r'name="pair" value="([^"]+)"', page)
        assert len(pairs) == 3
        assert ada.post("/review/bulk", {"creator": "maya", "pair": pairs[:2]}).status_code == 303
        assert sorted(str(state(world, tip)) for tip in tips) == ["approved", "approved", "in_review"]
        assert "/review/bulk" not in ada.get(f"/review/{tips[2].id}").text


class TestRefusals:
    def test_who_may_decide_but_is_not_asked_sees_who_is(self, world: World, app: FastAPI) -> None:
        """Ada is Maya here; a manager is asked only where a policy says anybody."""
        version = world.version(world.post("reply"))
        manager = person(world, "manager")
        visitor = Visitor(app, world.settings.base_url).enter(link(world, manager.member_id))
        page = visitor.get(f"/review/{version.id}").text
        assert "It waits for: Ada." in page
        assert "/approval" not in page
        answer = visitor.post(f"/review/{version.id}/approval", decision(version))
        assert answer.status_code == 403
        assert "Not your yes is asked for now" in answer.text
        assert "Keep the heat low." in answer.text


class TestSeen:
    def test_played_ranges_add_up_and_unlock(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post("reply"))
        url, length = f"/review/{version.id}/seen", world.film.made["duration_ms"]
        assert ada.tell(url, {"ranges": []}).json() == {"seen_ms": 0, "complete": False}
        world.later(milliseconds=length)
        half = length // 2
        assert ada.tell(url, {"ranges": [[0, half]]}).json() == {"seen_ms": half, "complete": False}
        assert ada.tell(url, {"ranges": [[half, length]]}).json() == {"seen_ms": length, "complete": True}
        assert ada.post(f"/review/{version.id}/approval", decision(version)).status_code == 303

    @pytest.mark.parametrize(
        "body", [{}, {"ranges": [[0]]}, {"ranges": [["a", 1]]}, {"ranges": [[-1, 5]]}, {"ranges": [], "complete": True}]
    )
    def test_nonsense_is_refused(self, world: World, ada: Visitor, body: dict[str, Any]) -> None:
        version = world.version(world.post("reply"))
        assert ada.tell(f"/review/{version.id}/seen", body).status_code == 422

    def test_needs_the_sessions_token(self, world: World, ada: Visitor) -> None:
        version = world.version(world.post("reply"))
        ada.csrf = "wrong"
        assert ada.tell(f"/review/{version.id}/seen", {"ranges": []}).status_code == 403


class TestPosts:
    def test_are_listed_with_their_state(self, world: World, ada: Visitor) -> None:
        world.version(world.post(title="Onions & <b>"))
        page = ada.get("/posts").text
        assert "Onions &amp; &lt;b&gt;" in page
        assert "Waiting for a yes" in page

    def test_are_not_listed_elsewhere(self, world: World, cy: Visitor) -> None:
        post = world.post(title="Onions")
        assert "Onions" not in cy.get("/posts").text
        assert cy.get(f"/posts/{post.id}").status_code == 404
        assert cy.get(f"/posts/{post.id}/progress").status_code == 404

    def test_page_tells_the_whole_story(self, world: World, ada: Visitor) -> None:
        delivery = world.publish(world.approved("reply"))
        page = ada.get(f"/posts/{delivery.post_id}").text
        for sentence in ("Ada wrote it", "Ada approved this version", "Read back from the platform: published"):
            assert sentence in page
        assert "Published" in page

    def test_progress_is_plain_facts(self, world: World, ada: Visitor) -> None:
        post = world.post()
        answer = ada.get(f"/posts/{post.id}/progress", headers={"accept": "application/json"})
        assert answer.json() == {"state": "draft", "percent": 0, "step": "", "moving": False}
