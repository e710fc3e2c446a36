"""T13: every token the product gives out, at every door that takes one. Each opens its own door and no other."""

import base64
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import pyotp
import pytest
from fastapi import FastAPI
from sqlmodel import select

from avatar_scheduler.db.tables import IdentityProvider, Member, OidcVisit, WebSession
from avatar_scheduler.services import api_keys, links, members, oidc, one_time_codes, passkeys, people, vendors
from avatar_scheduler.services.people import Person
from avatar_scheduler.web import deps
from avatar_scheduler.web.cookies import ASKED, LEFT
from avatar_scheduler.web.throttle import Throttle
from tests.services import cast
from tests.web.visitor import PASSWORD, Visitor
from tests.world import World

pytestmark = [pytest.mark.parametrize("settings", ["sqlite"], indirect=True)]


@dataclass
class Keyring:
    """One of each, all good at the same time."""

    world: World
    app: FastAPI
    tokens: dict[str, str] = field(default_factory=dict)

    def browser(self, **cookies: str) -> Visitor:
        made = Visitor(self.app, self.world.settings.base_url)
        for name, value in cookies.items():
            made.cookies.set(name, value)
        return made

    def left_for(self, state: str) -> bool:
        """Whether the visit with this state has been taken."""
        with self.world.read() as session:
            taken = select(OidcVisit).where(OidcVisit.state_sha256 == people.digest(state))
            return any(row.used_at for row in session.exec(taken))

    def sessions(self) -> int:
        with self.world.read() as session:
            return len(session.exec(select(WebSession)).all())


@pytest.fixture
def keyring(world: World, app: FastAPI) -> Keyring:
    bea = cast.person(world, "manager")
    made = Keyring(world, app)
    made.tokens |= _links(world) | _sessions(world, bea) | _machines(world) | _visits(world) | _challenges(world)
    return made


def _links(world: World) -> dict[str, str]:
    asked, cay = links.new_token(), cast.person(world, "editor")
    with world.write() as session:
        ada = session.get_one(Member, world.ada.member_id)
        email = session.get_one(Member, cay.member_id).email
        assert links.ask(session, email, asked, "http://localhost", world.now)
        _, invited = members.invite(session, world.ada, "new@example.org", "New", "manager", (), world.now)
        welcome = people.make_link(session, ada, world.now)
    return {"welcome": welcome, "link": asked, "asked": links.browser_of(asked), "invitation": invited}


def _sessions(world: World, bea: Person) -> dict[str, str]:
    with world.write() as session:
        whole = people.open_session(session, session.get_one(Member, world.ada.member_id), world.now, "", "link")
        person = people.who_is(session, whole, world.now)
        assert person is not None
        secret = one_time_codes.begin(session, world.settings, bea, world.now)
    with world.write() as session:
        code = pyotp.TOTP(secret).at(world.now)
        recovery = one_time_codes.confirm(session, world.settings, bea, code, world.now)
        half = people.open_session(session, session.get_one(Member, bea.member_id), world.now, "", "password")
    return {"session": whole, "csrf": person.csrf, "half": half, "recovery": recovery[0]}


def _machines(world: World) -> dict[str, str]:
    token, _ = vendors.hook_address(world.settings, "heygen")
    with world.write() as session:
        _, key = api_keys.make(session, world.ada, "bot", (), 30, world.now)
        vendors.add(session, world.settings, world.ada, "heygen", "", "a key", world.now)
        vendors.listen(session, world.ada, "heygen", token, "a secret", world.now)
    return {"key": key, "hook": token}


def _visits(world: World) -> dict[str, str]:
    about = {"authorization_endpoint": "https://id.example.org/auth"}
    with world.write() as session:
        row = IdentityProvider(
            organization_id=world.ada.organization_id, name="S", issuer="https://id.example.org", client_id="c",
            domain="example.org", created_at=world.now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        browser = "left_" + "b" * 43
        url = oidc.leave(session, world.settings, row, about, browser, "/posts", world.now)
    [state] = re.findall(r"state=([^&]+)", url)
    return {"state": state, "left": browser}


def _challenges(world: World) -> dict[str, str]:
    """Bare numbers, as browsers want them: what they are for stands beside them in the database."""
    with world.write() as session:
        enrolling = json.loads(passkeys.enrol_options(session, world.settings, world.ada, world.now))
        entering = json.loads(passkeys.sign_in_options(session, world.settings, world.now))
    return {"enrolment": enrolling["challenge"], "challenge": entering["challenge"]}


def _answer(challenge: str) -> str:
    """Of no authenticator: it goes as far as the challenge lets it."""
    said = base64.urlsafe_b64encode(json.dumps({"challenge": challenge}).encode()).rstrip(b"=").decode()
    parts = {"clientDataJSON": said, "authenticatorData": "AAAA", "signature": "AAAA", "attestationObject": "AAAA"}
    return json.dumps({"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": parts})


def challenge(ring: Keyring, token: str) -> bool:
    answer = ring.browser().ask("POST", "/sign-in/passkey", data={"assertion": _answer(token)})
    assert answer.status_code == 403
    return "This passkey does not open this" in answer.text


def enrolment(ring: Keyring, token: str) -> bool:
    browser = ring.browser(session=ring.tokens["session"])
    browser.csrf = ring.tokens["csrf"]
    answer = browser.post("/account/passkeys", {"assertion": _answer(token), "name": "Phone"})
    assert answer.status_code == 422
    return "This passkey does not open this" in answer.text


def welcome(ring: Keyring, token: str) -> bool:
    return ring.browser().ask("POST", f"/welcome/{token}", data={"password": PASSWORD}).status_code == 303


def link(ring: Keyring, token: str) -> bool:
    browser = ring.browser(**{ASKED: links.browser_of(token)})
    return browser.ask("POST", f"/sign-in/link/{token}", data={}).status_code == 303


def asked(ring: Keyring, token: str) -> bool:
    """The letter's link, opened with this as what the browser that asked holds."""
    browser = ring.browser(**{ASKED: token})
    return browser.ask("POST", f"/sign-in/link/{ring.tokens['link']}", data={}).status_code == 303


def invitation(ring: Keyring, token: str) -> bool:
    return ring.browser().ask("POST", f"/invitation/{token}", data={}).status_code == 303


def session(ring: Keyring, token: str) -> bool:
    return ring.browser(session=token).get("/posts").status_code == 200


def csrf(ring: Keyring, token: str) -> bool:
    browser = ring.browser(session=ring.tokens["session"])
    browser.csrf = token
    return browser.post("/account/profile", {"name": "Ada", "language": "en"}).status_code == 303


def half(ring: Keyring, token: str) -> bool:
    return ring.browser(session=token).get("/sign-in/code").status_code == 200


def recovery(ring: Keyring, token: str) -> bool:
    browser = ring.browser(session=ring.tokens["half"])
    return browser.ask("POST", "/sign-in/code", data={"code": token[:40]}).status_code == 303


def key(ring: Keyring, token: str) -> bool:
    headers: dict[str, str | None] = {"authorization": f"Bearer {token}", "origin": None}
    return ring.browser().ask("GET", "/api/posts", headers=headers).status_code == 200


def hook(ring: Keyring, token: str) -> bool:
    answer = ring.browser().ask("POST", f"/hooks/heygen/{token}", headers={"origin": None}, content=b"{}")
    return answer.status_code != 404


def state(ring: Keyring, token: str) -> bool:
    ring.browser(**{LEFT: ring.tokens["left"]}).get("/sign-in/back", params={"state": token, "code": "c"})
    return ring.left_for(token)


def left(ring: Keyring, token: str) -> bool:
    answer = ring.browser(**{LEFT: token}).get("/sign-in/back", params={"state": ring.tokens["state"], "code": "c"})
    return "another browser" not in answer.text and "already" not in answer.text


def looking(path: str) -> Callable[[Keyring, str], bool]:
    def look(ring: Keyring, token: str) -> bool:
        return ring.browser().get(path.format(token=token)).status_code == 200

    return look


LOOKS = {"welcome": "/welcome/{token}", "link": "/sign-in/link/{token}", "invitation": "/invitation/{token}"}
"""Pages behind a link, before its button is pressed. The other doors with a token in their path are the hooks."""


# A new password ends every session, so its door is the last.
DOORS: dict[str, Callable[[Keyring, str], bool]] = {
    door.__name__: door
    for door in (
        session, csrf, half, recovery, key, hook, enrolment, challenge, state, left, invitation, link, asked, welcome,
    )
}  # fmt: skip
TWICE = {"link": "asked", "state": "left"}
"""Doors of one visit: what opens one uses up the other, so the second is opened in a test of its own."""
BARE = ("enrolment", "challenge")


def test_each_token_opens_its_own_door_and_no_other(keyring: Keyring, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(DOORS) == set(keyring.tokens)
    assert {path for path in deps.PUBLIC if "{token}" in path} == {*LOOKS.values(), "/hooks/{renderer}/{token}"}
    said = {token.partition("_")[0] for kind, token in keyring.tokens.items() if kind not in BARE}
    assert said == {"link", "in", "asked", "inv", "sess", "csrf", "rec", "key", "hook", "state", "left"}
    before, tried = keyring.sessions(), 0
    for name, door in [*DOORS.items(), *((kind, looking(path)) for kind, path in LOOKS.items())]:
        keyring.app.state.throttle = Throttle()
        for kind, token in keyring.tokens.items():
            if kind != name:
                assert not door(keyring, token), f"a {kind} token at the door for {name}"
                tried += 1
    assert keyring.sessions() == before
    assert not keyring.left_for(keyring.tokens["state"])
    keyring.app.state.throttle = Throttle()
    keyring.world.sql("UPDATE member SET failed_sign_ins = 0, locked_until = NULL")
    assert all(looking(path)(keyring, keyring.tokens[kind]) for kind, path in LOOKS.items())
    opened = [
        name for name, door in DOORS.items() if name not in TWICE.values() and door(keyring, keyring.tokens[name])
    ]
    assert opened == [name for name in DOORS if name not in TWICE.values()]
    with capsys.disabled():
        sys.stdout.write(
            f"\ntokens: {len(DOORS)} kinds, {len(DOORS) + len(LOOKS)} doors: {tried} tried at another's, 0 let in; "
            f"{len(opened)} at their own\n"
        )


def test_what_the_browser_kept_opens_the_other_half_of_its_visit(keyring: Keyring) -> None:
    for kind in TWICE.values():
        assert DOORS[kind](keyring, keyring.tokens[kind])


def test_a_hash_read_in_the_database_is_no_token(keyring: Keyring) -> None:
    """Nor is a token with another's prefix, or without its own."""
    for kind, token in keyring.tokens.items():
        bare = token.partition("_")[2] or token
        for forged in (people.digest(token), bare[:-1], f"sess_{bare}x", f"key_{bare}x"):
            keyring.app.state.throttle = Throttle()
            assert not DOORS[kind](keyring, forged)
