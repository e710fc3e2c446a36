"""Consent on the phone: one right a screen, nothing ticked, nothing stored before the end, and the way out."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Consent, ConsentProof, Creator, Delivery, Member, Organization
from avatar_scheduler.domain.consent import SOON
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.services import consents, installation, ledger, members, purging, standing
from avatar_scheduler.services.people import Person
from avatar_scheduler.web.consent_words import ORDER
from tests.services.cast import agency, person
from tests.uploads import good
from tests.web.conftest import link
from tests.web.visitor import PASSWORD, Visitor
from tests.world import World

ANSWERS: dict[str, Any] = {
    "likeness": "yes", "voice": "yes", "live": "no", "platforms": ["own_feed"], "brands": "Acme\nOld Cola",
    "languages": ["en", "fr"], "sponsored": "no", "months": "6",
}  # fmt: skip
HERE = "/onboarding/maya"


def entry(world: World) -> ledger.Entry:
    with world.read() as session:
        return ledger.of(session, world.ada, "maya", world.now)


def count(world: World, model: Any) -> int:
    with world.read() as session:
        return len(list(session.exec(select(model))))


def film(visitor: Visitor, proof: str, data: bytes = b"") -> httpx.Response:
    parts: list[Any] = [(name, (None, value)) for name, value in (("csrf", visitor.csrf), ("proof", proof))]
    sent = data or good.clip()
    return visitor.ask("POST", f"{HERE}/proof", files=[*parts, ("file", ("me.mp4", sent, "video/mp4"))])


class TestScreens:
    def test_nothing_is_ticked_and_looking_stores_nothing(self, world: World, ada: Visitor) -> None:
        before = (count(world, Consent), count(world, ConsentProof))
        for step in ORDER:
            page = ada.get(f"{HERE}?step={step}").text
            assert " checked" not in page, step
        assert (count(world, Consent), count(world, ConsentProof)) == before

    def test_answers_travel_from_screen_to_screen(self, ada: Visitor) -> None:
        page = ada.get(f"{HERE}?step=live&likeness=yes&voice=no").text
        assert '<input type="hidden" name="likeness" value="yes">' in page
        assert '<input type="hidden" name="voice" value="no">' in page
        assert 'name="step" value="platforms"' in page

    def test_an_address_with_anything_else_is_refused(self, ada: Visitor) -> None:
        assert ada.get(f"{HERE}?step=live&role=owner").status_code == 422

    def test_agreeing_records_exactly_what_was_answered(self, world: World, ada: Visitor) -> None:
        answer = ada.post(f"{HERE}/consent", {**ANSWERS, "step": "agree"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{HERE}?step=proof")
        grant = entry(world).grant
        assert grant is not None
        assert (sorted(grant.rights), sorted(grant.platforms)) == (["likeness", "voice"], ["own_feed"])
        assert (grant.live, grant.sponsored) == (False, False)
        assert (sorted(grant.languages), sorted(grant.brands_excluded)) == (["en", "fr"], ["Acme", "Old Cola"])
        assert grant.ends_at - grant.starts_at == timedelta(days=182)

    @pytest.mark.parametrize("left_out", ["likeness", "voice", "live", "platforms", "languages", "sponsored", "months"])
    def test_leaving_one_out_agrees_to_nothing(self, world: World, ada: Visitor, left_out: str) -> None:
        before = count(world, Consent)
        answer = ada.post(f"{HERE}/consent", {k: v for k, v in ANSWERS.items() if k != left_out})
        assert answer.status_code == 422
        assert "Answer every screen first" in answer.text
        assert count(world, Consent) == before

    def test_only_the_person_answers(self, world: World, app: FastAPI) -> None:
        nadia, leo, made = agency(world)
        manager = Visitor(app, world.settings.base_url).enter(link(world, nadia.member_id))
        assert "Only the person depicted answers here" in manager.get(f"/onboarding/{made.slug}").text
        assert manager.post(f"/onboarding/{made.slug}/consent", ANSWERS).status_code == 403
        himself = Visitor(app, world.settings.base_url).enter(link(world, leo.member_id))
        assert himself.post(f"/onboarding/{made.slug}/consent", ANSWERS).status_code == 303
        assert himself.get("/onboarding").headers["location"] == f"/onboarding/{made.slug}"
        assert himself.get(HERE).status_code == 404

    def test_a_stranger_to_the_organization_finds_nothing(self, cy: Visitor) -> None:
        for path in (HERE, "/creators/maya"):
            assert cy.get(path).status_code == 404
        assert cy.post(f"{HERE}/consent", ANSWERS).status_code == 404
        assert cy.post("/creators/maya/withdrawal").status_code == 404


class TestProof:
    def ask(self, ada: Visitor) -> tuple[str, str]:
        assert ada.post(f"{HERE}/phrase").status_code == 303
        page = ada.get(f"{HERE}?step=proof").text
        phrase = re.findall(r'<blockquote class="phrase">([^<]+)<', page)[0]
        return phrase, re.findall(r'name="proof" value="([^"]+)"', page)[0]

    def test_the_film_is_kept_with_its_words_and_can_be_watched(self, world: World, ada: Visitor) -> None:
        phrase, proof = self.ask(ada)
        assert film(ada, proof).headers["location"] == f"{HERE}?step=alone"
        page = ada.get("/creators/maya").text
        assert phrase in page
        assert "No machine checks that it was said" in page
        shown = ada.get(f"/creators/maya/proofs/{proof}")
        assert (shown.status_code, shown.headers["content-type"]) == (200, "video/mp4")

    def test_a_sentence_is_good_once(self, world: World, ada: Visitor) -> None:
        _, proof = self.ask(ada)
        assert film(ada, proof).status_code == 303
        again = film(ada, proof)
        assert again.status_code == 409
        assert "ended or was used" in again.text

    def test_and_for_fifteen_minutes(self, world: World, ada: Visitor) -> None:
        _, proof = self.ask(ada)
        world.later(minutes=15)
        assert film(ada, proof).status_code == 409
        assert entry(world).proof is None

    def test_what_is_no_film_is_said_so_and_the_words_stay(self, world: World, ada: Visitor) -> None:
        phrase, proof = self.ask(ada)
        answer = film(ada, proof, b"<svg/>")
        assert answer.status_code == 422
        assert phrase in answer.text
        assert film(ada, proof).status_code == 303

    def test_a_form_without_the_token_is_refused(self, ada: Visitor) -> None:
        _, proof = self.ask(ada)
        ada.csrf = "another"
        assert film(ada, proof).status_code == 403

    def test_the_film_is_not_for_a_stranger(self, ada: Visitor, cy: Visitor) -> None:
        _, proof = self.ask(ada)
        film(ada, proof)
        assert cy.get(f"/creators/maya/proofs/{proof}").status_code == 404


class TestAfter:
    def test_the_address_alone_leads_to_the_first_thing_not_done(self, world: World, ada: Visitor) -> None:
        assert "Say it yourself" in ada.get(HERE).text
        _, proof = TestProof().ask(ada)
        film(ada, proof)
        assert "What may go out without you?" in ada.get(HERE).text
        assert ada.post(f"{HERE}/practice").status_code == 303
        assert "Nothing goes out in your name" in ada.get(HERE).text

    def test_practising_publishes_and_decides_nothing(self, world: World, ada: Visitor) -> None:
        before = count(world, Delivery)
        ada.post(f"{HERE}/practice")
        ada.post(f"{HERE}/practice")
        assert count(world, Delivery) == before
        with world.read() as session:
            assert audits.happened(session, ledger.PRACTISED, world.maya.id)

    def test_kinds_let_out_are_limited_as_ticked_and_taken_back(self, world: World, ada: Visitor) -> None:
        chosen = {"kinds": ["tip"], "templates": ["tip_of_the_day.en"], "per_day": "2", "days": "7"}
        answer = ada.post("/creators/maya/standing", chosen)
        assert answer.status_code == 303, answer.text
        with world.read() as session:
            [(row, scope)] = standing.in_force(session, world.ada, world.now)
        assert (scope.kinds, scope.per_day, len(scope.templates)) == (("tip",), 2, 1)
        assert "some scripts only" in ada.get("/creators/maya").text
        ada.post(f"/creators/maya/standing/{row.id}/revocation")
        with world.read() as session:
            assert standing.in_force(session, world.ada, world.now) == []

    def test_no_kind_ticked_and_core_kinds_are_refused_in_words(self, ada: Visitor) -> None:
        for kinds in ([], ["reply"]):
            answer = ada.post("/creators/maya/standing", {"kinds": kinds})
            assert answer.status_code == 422
            assert 'role="alert"' in answer.text

    def test_withdrawing_on_the_page(self, world: World, ada: Visitor) -> None:
        delivery = world.approved()
        assert "Yes, withdraw it now" in ada.get("/creators/maya").text
        assert ada.post("/creators/maya/withdrawal").status_code == 303
        assert world.again(delivery).state is DeliveryState.kept_back
        assert "Withdrawn" in ada.get("/creators").text

    def test_others_may_pause_but_not_withdraw(self, world: World, app: FastAPI) -> None:
        editor = Visitor(app, world.settings.base_url).enter(link(world, person(world, "editor").member_id))
        page = editor.get("/creators/maya").text
        assert "Pause everything" in page
        assert "withdraw it now" not in page
        assert editor.post("/creators/maya/withdrawal").status_code == 403

    def test_what_ends_soon_says_so_thirty_days_before(self, world: World, ada: Visitor) -> None:
        assert "Ends soon" not in ada.get("/creators").text
        with world.write() as session:
            consents.give(session, world.ada, world.maya, consents.Terms(days=SOON.days), world.now)
        assert "Ends soon" in ada.get("/creators").text
        assert "This consent ends on" in ada.get("/creators/maya").text


SCREENS = [f"{HERE}?step={step}" for step in (*ORDER, "proof", "alone", "practice", "done")]
PAGES = ["/creators", "/creators/maya", *SCREENS]


class TestComingIn:
    """A creator with a sign-in of their own, invited by the agency."""

    def join(self, world: World, app: FastAPI, *, given: bool) -> str:
        """Where the last step of joining leads to."""
        with world.write() as session:
            session.get_one(Organization, world.ada.organization_id).kind = "agency"
            new = installation.NewCreator("Noor", "noor", "en", "UTC", "leo", "city", "digital_twin")
            made = installation.add_creator(session, world.ada, new, world.now)
            _, token = members.invite(session, world.ada, "noor@example.org", "Noor", "creator", (made.id,), world.now)
        visitor = Visitor(app, world.settings.base_url)
        welcome = visitor.ask("POST", f"/invitation/{token}").headers["location"]
        if given:
            with world.write() as session:
                row = session.exec(select(Member).where(Member.email == "noor@example.org")).one()
                noor = Person(
                    row.id, row.organization_id, "Noor", "creator", "en", "c", "s", reach=frozenset({made.id})
                )
                consents.give(session, noor, session.get_one(Creator, made.id), consents.Terms(), world.now)
        return str(visitor.ask("POST", welcome, data={"password": PASSWORD}).headers["location"])

    def test_nobody_has_to_look_for_where_consent_is_given(self, world: World, app: FastAPI) -> None:
        assert self.join(world, app, given=False) == "/onboarding/noor"

    def test_who_gave_it_already_comes_in_as_everybody(self, world: World, app: FastAPI) -> None:
        assert self.join(world, app, given=True) == "/review"

    def test_who_asked_for_a_page_gets_that_page(self, world: World, app: FastAPI) -> None:
        self.join(world, app, given=False)
        form = {"email": "noor@example.org", "password": PASSWORD, "next": "/posts"}
        answer = Visitor(app, world.settings.base_url).ask("POST", "/sign-in", data=form)
        assert answer.headers["location"] == "/posts"

    def test_everybody_else_is_not_asked(self, world: World, app: FastAPI) -> None:
        editor = link(world, person(world, "editor").member_id)
        answer = Visitor(app, world.settings.base_url).ask("POST", f"/welcome/{editor}", data={"password": PASSWORD})
        assert answer.headers["location"] == "/review"


def test_the_page_says_what_was_removed_and_what_is_kept_and_why(world: World, ada: Visitor) -> None:
    world.version(world.post("reply"))
    assert 'id="removed"' not in ada.get("/creators/maya").text
    world.later(seconds=1)
    ada.post("/creators/maya/withdrawal")
    page = ada.get("/creators/maya").text
    assert "are removed within minutes" in page.partition('id="removed"')[2]
    assert "because they prove what was allowed" in page
    assert purging.purge(world.settings, world.later(seconds=1)) > 0
    assert "Removed on" in ada.get("/creators/maya").text
