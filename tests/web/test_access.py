"""Who gets in, and what every answer and every changing request must carry."""

import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlmodel import select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import ApiKey, Member
from avatar_scheduler.services import members
from avatar_scheduler.web import deps, security
from avatar_scheduler.web.app import create_app
from tests.services.cast import person
from tests.web.conftest import link
from tests.web.visitor import PASSWORD, Visitor
from tests.world import World

ASSETS = {"/static", "/static/fonts/text", "/static/fonts/mono"}
FILLED = {
    "version_id": "v",
    "outlet_id": "o",
    "approval_id": "a",
    "post_id": "abcdef",
    "preview_id": "p",
    "sha256": "0" * 64,
    "token": "t",
    "slug": "maya",
    "item_id": "x",
    "delivery_id": "d",
    "upload_id": "u",
    "renderer": "heygen",
    "number": 1,
    "incident_id": "abcdef",
    "invitation_id": "abcdef",
    "policy_id": "abcdef",
    "key_id": "abcdef",
    "delegate_id": "abcdef",
    "member_id": "abcdef",
    "session_id": "x",
    "passkey_id": "x",
    "provider_id": "x",
    "proof_id": "p",
    "hold_id": "h",
    "comment_id": "c",
    "place": 1,
}


def routes(app: FastAPI) -> list[tuple[str, str]]:
    found = []
    for route in iter_route_contexts(app.routes):
        path = str(getattr(route, "path", ""))
        found += [(method, path) for method in sorted(getattr(route, "methods", None) or {"MOUNT"})]
    return found


class TestDefaultDeny:
    def test_only_listed_routes_answer_a_stranger(self, app: FastAPI, stranger: Visitor) -> None:
        for method, path in routes(app):
            if method == "MOUNT":
                assert path in ASSETS
                continue
            answer = stranger.ask(method, path.format(**FILLED), headers={"accept": "application/json"})
            assert (answer.status_code == 401) == (path not in deps.PUBLIC), (method, path, answer.status_code)

    def test_the_list_names_no_route_that_is_gone(self, app: FastAPI) -> None:
        assert {path for _, path in routes(app)} >= deps.PUBLIC

    def test_a_person_is_led_to_sign_in_and_back(self, stranger: Visitor) -> None:
        answer = stranger.get("/review/abc")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/sign-in?next=%2Freview%2Fabc"

    def test_no_route_offers_its_own_map(self, stranger: Visitor) -> None:
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert stranger.get(path).status_code == 404


class TestHeaders:
    @pytest.mark.parametrize(
        "path", ["/sign-in", "/nowhere", "/healthz", "/static/css/tokens.css", "/f/nobody", "/review"]
    )
    def test_every_answer_is_dressed(self, stranger: Visitor, path: str) -> None:
        headers = stranger.get(path).headers
        for name, value in security.HEADERS.items():
            assert headers[name] == value
        assert headers["cache-control"]

    def test_a_crash_is_a_friendly_page_without_a_traceback(self, app: FastAPI, ada: Visitor) -> None:
        def broken() -> None:
            raise RuntimeError("secret detail")

        app.dependency_overrides[deps.read_session] = broken
        answer = ada.get("/posts")
        assert answer.status_code == 500
        assert "That did not work" in answer.text
        assert "secret detail" not in answer.text
        assert "Traceback" not in answer.text
        assert answer.headers["content-security-policy"] == security.POLICY

    def test_programs_get_their_errors_as_json(self, stranger: Visitor) -> None:
        answer = stranger.get("/f/nobody", headers={"accept": "application/json"})
        assert answer.status_code == 404
        assert answer.json() == {"error": "not_found", "message": "There is no such feed."}


class TestInvitation:
    def test_looking_at_it_changes_nothing(self, world: World, stranger: Visitor) -> None:
        token = link(world, world.ada.member_id)
        for _ in range(3):
            answer = stranger.get(f"/welcome/{token}")
            assert answer.status_code == 200
            assert "Welcome, Ada" in answer.text
            assert "set-cookie" not in answer.headers

    def test_it_works_once(self, world: World, stranger: Visitor) -> None:
        token = link(world, world.ada.member_id)
        stranger.enter(token)
        assert stranger.ask("POST", f"/welcome/{token}", data={"password": PASSWORD}).status_code == 404
        assert stranger.get(f"/welcome/{token}").status_code == 404

    def test_a_short_password_is_explained_and_the_link_lives_on(self, world: World, stranger: Visitor) -> None:
        token = link(world, world.ada.member_id)
        answer = stranger.ask("POST", f"/welcome/{token}", data={"password": "short"})
        assert answer.status_code == 422
        assert "at least 12 characters" in answer.text
        stranger.enter(token)


class TestSession:
    def test_cookie_is_out_of_reach_of_scripts_and_other_sites(self, world: World, stranger: Visitor) -> None:
        answer = stranger.ask("POST", f"/welcome/{link(world, world.ada.member_id)}", data={"password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("session=")
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie

    def test_over_https_it_is_bound_to_the_host(self, world: World) -> None:
        settings = world.settings.model_copy(update={"base_url": "https://avatars.example"})
        visitor = Visitor(create_app(settings, world.clock), "https://avatars.example")
        answer = visitor.ask("POST", f"/welcome/{link(world, world.ada.member_id)}", data={"password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-session=")
        assert "Secure" in cookie
        assert "Domain" not in cookie
        assert answer.headers["strict-transport-security"]
        assert visitor.get("/posts").status_code == 200

    def test_password_opens_a_new_one_and_leads_back(self, ada: Visitor, stranger: Visitor) -> None:
        form = {"email": "ADA@example.org ", "password": PASSWORD, "next": "/posts"}
        answer = stranger.ask("POST", "/sign-in", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/posts")
        assert stranger.get("/posts").status_code == 200

    def test_wrong_password_keeps_the_address_and_says_no_more(self, ada: Visitor, stranger: Visitor) -> None:
        for email in ("ada@example.org", "nobody@example.org"):
            answer = stranger.ask("POST", "/sign-in", data={"email": email, "password": "x"})
            assert answer.status_code == 403
            assert "E-mail or password is wrong." in answer.text
            assert f'value="{email}"' in answer.text

    def test_guessing_is_stopped_even_with_the_right_password(self, ada: Visitor, stranger: Visitor) -> None:
        for _ in range(5):
            stranger.ask("POST", "/sign-in", data={"email": "ada@example.org", "password": "x"})
        answer = stranger.ask("POST", "/sign-in", data={"email": "ada@example.org", "password": PASSWORD})
        assert answer.status_code == 429
        assert "Too many tries" in answer.text

    def test_signing_out_ends_it_on_the_server(self, ada: Visitor) -> None:
        kept = dict(ada.cookies)
        assert ada.post("/sign-out").status_code == 303
        ada.cookies.update(kept)
        assert ada.get("/posts").status_code == 303

    def test_it_ends_by_itself(self, world: World, ada: Visitor) -> None:
        world.later(days=15)
        assert ada.get("/posts").status_code == 303

    def test_a_disabled_member_is_out_at_once(self, world: World, ada: Visitor) -> None:
        with world.write() as session:
            session.get_one(Member, world.ada.member_id).disabled_at = world.now
        assert ada.get("/posts").status_code == 303

    def test_a_demoted_member_is_demoted_at_the_next_request(self, world: World, ada: Visitor) -> None:
        """T22: the role is read anew each time, and what the page offered before is refused."""
        assert ada.get("/people/keys").status_code == 200
        other = person(world, "owner")
        with world.write() as session:
            members.change(session, other, world.ada.member_id, "analyst", (), world.now)
        assert ada.get("/people/keys").status_code in (303, 403)
        assert ada.post("/people/keys", {"name": "bot"}).status_code in (303, 403)
        with world.read() as session:
            assert session.exec(select(ApiKey)).all() == []

    def test_signing_in_never_goes_on_under_a_session_somebody_else_chose(
        self, world: World, ada: Visitor, stranger: Visitor
    ) -> None:
        """T22: fixation."""
        planted = "sess_" + "x" * 43
        stranger.cookies.set("session", planted)
        form = {"email": "ada@example.org", "password": PASSWORD, "next": "/posts"}
        answer = stranger.ask("POST", "/sign-in", data=form)
        [new] = re.findall("session=([^;]+)", answer.headers["set-cookie"])
        assert new not in (planted, *ada.cookies.values())
        ada.cookies.clear()
        ada.cookies.set("session", planted)
        assert ada.get("/posts").status_code == 303


class TestForgery:
    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": None},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"origin": None, "sec-fetch-site": "none"},
        ],
    )
    def test_a_form_from_elsewhere_is_refused(self, ada: Visitor, headers: dict[str, str | None]) -> None:
        answer = ada.post("/sign-out", headers=headers)
        assert answer.status_code == 403
        assert ada.get("/posts").status_code == 200

    @pytest.mark.parametrize("csrf", ["", "wrong", None])
    def test_a_form_without_the_sessions_token_is_refused(self, ada: Visitor, csrf: str | None) -> None:
        data = {} if csrf is None else {"csrf": csrf}
        assert ada.ask("POST", "/sign-out", data=data).status_code == 403
        assert ada.get("/posts").status_code == 200

    def test_the_token_of_another_session_is_no_use(self, ada: Visitor, cy: Visitor) -> None:
        assert ada.ask("POST", "/sign-out", data={"csrf": cy.csrf}).status_code == 403

    def test_signing_in_from_elsewhere_is_refused_too(self, stranger: Visitor) -> None:
        form = {"email": "a@b.c", "password": "x"}
        assert (
            stranger.ask("POST", "/sign-in", headers={"origin": "https://evil.example"}, data=form).status_code == 403
        )

    def test_nothing_changes_by_get(self, app: FastAPI, ada: Visitor) -> None:
        changing = {path for method, path in routes(app) if method == "POST"}
        reading = {path for method, path in routes(app) if method == "GET"}
        for path in changing - reading:
            assert ada.get(path.format(**FILLED)).status_code == 405, path


class TestInput:
    @pytest.mark.parametrize("field", ["state", "organization_id", "approved_by", "member_id", "role", "decided_at"])
    @pytest.mark.parametrize("path", ["/review/v/approval", "/review/v/rejection", "/review/v/changes", "/sign-out"])
    def test_a_field_nobody_listed_is_refused(self, ada: Visitor, path: str, field: str) -> None:
        form = {} if path == "/sign-out" else {"version_hash": "0" * 64}
        answer = ada.post(path, {**form, field: "approved"})
        assert answer.status_code == 422
        assert field in answer.text

    def test_a_huge_form_is_refused(self, ada: Visitor) -> None:
        answer = ada.post("/review/v/changes", {"version_hash": "0" * 64, "text": "x" * 70_000})
        assert answer.status_code == 413

    def test_what_was_typed_is_not_repeated(self, stranger: Visitor) -> None:
        answer = stranger.ask("POST", "/sign-in", data={"email": "a@b.c", "password": "hunter2" * 200})
        assert answer.status_code == 422
        assert "hunter2" not in answer.text


class TestHealth:
    def test_says_that_the_database_answers(self, stranger: Visitor) -> None:
        assert stranger.get("/healthz").json() == {"ok": True, "database": "answers"}

    def test_says_when_it_does_not(self, world: World) -> None:
        broken = Settings(data=world.settings.data, database="sqlite:////nowhere/at/all.sqlite3")
        answer = Visitor(create_app(broken), broken.base_url).get("/healthz")
        assert (answer.status_code, answer.json()["ok"]) == (503, False)


class TestLanguage:
    def test_a_stranger_is_answered_in_the_browsers(self, stranger: Visitor) -> None:
        answer = stranger.get("/sign-in", headers={"accept-language": "fr-FR,fr;q=0.9"})
        assert '<html lang="fr">' in answer.text
        assert "Se connecter" in answer.text
        assert answer.headers["content-language"] == "fr"

    def test_a_person_in_their_own(self, cy: Visitor) -> None:
        answer = cy.get("/review", headers={"accept-language": "en"})
        assert "Rien ne vous attend" in answer.text


def test_every_id_on_a_page_is_there_once(ada: Visitor, world: World) -> None:
    version = world.version(world.post("reply"))
    found: Any = re.findall(r' id="([^"]+)"', ada.get(f"/review/{version.id}").text)
    assert len(found) == len(set(found))
