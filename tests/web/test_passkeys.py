"""Passkeys in a real browser, and what somebody makes of their answers."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Audit, Passkey
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.services import passkeys
from tests.web.conftest import link
from tests.web.passkeys import Authenticator, fresh, site
from tests.web.visitor import PASSWORD
from tests.world import World


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with site(world) as found:
        yield found


@pytest.fixture
def page(browser: Browser, world: World, url: str) -> Iterator[Page]:
    """Ada, signed in, on her own page."""
    context = fresh(browser)
    page = context.new_page()
    page.goto(f"{url}/welcome/{link(world, world.ada.member_id)}")
    page.fill("#password", PASSWORD)
    page.click("button.pri")
    page.wait_for_url("**/review")
    page.goto(f"{url}/account")
    yield page
    context.close()


def enrol(page: Page) -> Authenticator:
    device = Authenticator(page)
    page.fill("#key-name", "My phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#passkeys .rows li")).to_have_count(1)
    return device


def sign_out(page: Page, url: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{url}/sign-in")


ANSWER = """async (options) => JSON.stringify((await navigator.credentials.get(
  {publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)})).toJSON())"""


def answer(world: World, page: Page, challenge: bytes) -> str:
    with world.read() as session:
        options = passkeys.request_options(session, world.settings, world.ada, challenge)
    return str(page.evaluate(ANSWER, json.loads(options)))


def check(world: World, assertion: str, challenge: bytes, *, fresh: bool = False, member: str = "") -> Passkey:
    with world.write() as session:
        return passkeys.check_assertion(
            session, world.settings, member or world.ada.member_id, assertion, challenge, fresh=fresh
        )


def row(world: World) -> Passkey:
    with world.read() as session:
        return session.exec(select(Passkey)).one()


class TestSigningIn:
    def test_without_typing_an_address(self, world: World, page: Page, url: str) -> None:
        enrol(page)
        with world.read() as session:
            said = audits.said(session, "passkey", row(world).id)
        assert (said["credential_id"], said["public_key"]) == (row(world).credential_id, row(world).public_key)
        assert said["member"] == world.ada.member_id
        sign_out(page, url)
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url("**/review")
        assert row(world).last_used_at == world.now

    def test_a_revoked_one_is_refused(self, page: Page, url: str) -> None:
        enrol(page)
        page.locator("#passkeys summary").click()
        page.get_by_role("button", name="Revoke it for good").click()
        expect(page.locator("#passkeys .rows li")).to_have_count(0)
        sign_out(page, url)
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.locator("#problem")).to_contain_text("revoked")

    def test_nobody_there_to_verify_is_said_in_the_form(self, page: Page, url: str) -> None:
        enrol(page).verified(False)
        sign_out(page, url)
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.locator("[data-passkey-problem]")).to_contain_text("cancelled")

    def test_the_answer_of_yesterday_opens_nothing(self, world: World, page: Page, url: str) -> None:
        enrol(page)
        sign_out(page, url)
        sent: list[str] = []
        page.on("request", lambda r: sent.append(r.post_data or "") if r.url.endswith("/sign-in/passkey") else None)
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url("**/review")
        page.context.clear_cookies()
        said = page.request.post(
            f"{url}/sign-in/passkey", data=sent[0],
            headers={"origin": url, "content-type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        assert said.status == 403
        assert "answered already" in said.text()

    def test_a_challenge_ends_after_five_minutes(self, world: World, page: Page, url: str) -> None:
        enrol(page)
        sign_out(page, url)
        options = page.request.post(f"{url}/sign-in/passkey/options", headers={"origin": url}).json()
        late = str(page.evaluate(ANSWER, options))
        world.later(minutes=5)
        with pytest.raises(Refused, match="too long"), world.write() as session:
            passkeys.sign_in(session, world.settings, late, world.now)

    def test_a_counter_that_goes_back_is_an_alarm(self, world: World, page: Page, url: str) -> None:
        enrol(page)
        world.sql("UPDATE passkey SET sign_count = 1000")
        sign_out(page, url)
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.locator("#problem")).to_contain_text("copied")
        with world.read() as session:
            assert session.exec(select(Audit.noun_id).where(Audit.action == "passkey.cloned")).all() == [row(world).id]


class TestAnswersThatAreKept:
    CHALLENGE = bytes(range(32))

    def test_one_holds_offline_and_forever(self, world: World, page: Page) -> None:
        enrol(page)
        said = answer(world, page, self.CHALLENGE)
        assert check(world, said, self.CHALLENGE, fresh=True).id == row(world).id
        for _ in range(2):
            assert check(world, said, self.CHALLENGE).id == row(world).id

    def test_anything_else_is_refused(self, world: World, page: Page) -> None:
        device = enrol(page)
        said = answer(world, page, self.CHALLENGE)
        refused = 0

        def refuse(assertion: str, challenge: bytes = self.CHALLENGE, member: str = "") -> int:
            with pytest.raises(Refused):
                check(world, assertion, challenge, member=member)
            return 1

        refused += refuse(said, bytes(32))
        refused += refuse(said, member="somebody-else")
        for broken in ("", "{}", "[]", "null", '{"response": 1}', said[:-40], "[" * 5000, "x" * 20000):
            refused += refuse(broken)
        whole = json.loads(said)
        for field in ("clientDataJSON", "authenticatorData", "signature"):
            text = whole["response"][field]
            for at in range(0, len(text) - 4, max(1, len(text) // 12)):
                flipped = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
                refused += refuse(json.dumps({**whole, "response": {**whole["response"], field: flipped}}))
        device.verified(False)
        loose = {**json.loads(self.options(world)), "userVerification": "discouraged"}
        refused += refuse(str(page.evaluate(ANSWER, loose)))
        assert refused > 35

    def options(self, world: World) -> str:
        with world.read() as session:
            return passkeys.request_options(session, world.settings, world.ada, self.CHALLENGE)

    def test_of_another_origin_with_the_right_name_is_refused(self, world: World, page: Page) -> None:
        enrol(page)
        said = answer(world, page, self.CHALLENGE)
        object.__setattr__(world.settings, "base_url", "http://localhost:1")
        with pytest.raises(Refused):
            check(world, said, self.CHALLENGE)

    def test_of_a_key_written_into_the_database_is_refused(self, world: World, page: Page) -> None:
        enrol(page)
        said = answer(world, page, self.CHALLENGE)
        world.sql("UPDATE passkey SET public_key = :key", key=row(world).public_key[::-1])
        with pytest.raises(Refused, match="not the one that was enrolled"):
            check(world, said, self.CHALLENGE)

    def test_of_a_key_revoked_in_the_log_is_refused_whatever_the_row_says(self, world: World, page: Page) -> None:
        enrol(page)
        said = answer(world, page, self.CHALLENGE)
        with world.write() as session:
            passkeys.revoke(session, world.ada, row(world).id, world.now)
        world.sql("UPDATE passkey SET revoked_at = NULL")
        with pytest.raises(Refused, match="revoked"):
            check(world, said, self.CHALLENGE)
