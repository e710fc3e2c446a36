"""Signing in through an organization's own provider, a real one; and what attackers make of the way there and back."""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Identity, IdentityProvider, Member, WebSession
from avatar_scheduler.services import oidc
from avatar_scheduler.web.app import create_app
from avatar_scheduler.web.cookies import LEFT
from tests.peers.oidc import CLIENT, SECRET, Provider, running
from tests.services.cast import outsider
from tests.web.conftest import link
from tests.web.visitor import Visitor
from tests.world import World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
"""This is about what two web servers say to each other."""


@pytest.fixture(scope="module")
def peer() -> Iterator[Provider]:
    with running(Settings().base_url + oidc.BACK) as found:
        yield found


@dataclass
class House:
    world: World
    app: FastAPI
    peer: Provider
    provider_id: str

    def browser(self) -> Visitor:
        return Visitor(self.app, self.world.settings.base_url)

    def leave(self, browser: Visitor, path: str = "") -> str:
        """Where the app sends the browser."""
        answer = browser.post(path or f"/sign-in/with/{self.provider_id}", {"next": "/posts"})
        assert answer.status_code == 200, answer.text
        return answer.headers["refresh"].partition("url=")[2]

    def go(self, browser: Visitor, sub: str = "n1", email: str = "noa@example.org", **said: Any) -> str:
        return local(self.peer.sign_in(self.leave(browser), sub, email, **said))

    def set(self, name: str, value: str) -> None:
        self.world.sql(f"UPDATE oidc_visit SET {name} = :value", value=value)

    def rows(self, table: type[Any]) -> list[Any]:
        with self.world.read() as session:
            return list(session.exec(select(table)))


def local(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


@pytest.fixture
def house(world: World, peer: Provider) -> Iterator[House]:
    world.settings = world.settings.model_copy(update={"allow_hosts": {"127.0.0.1": ["127.0.0.0/8"]}})
    with world.write() as session:
        row = oidc.add(
            session, world.settings, world.ada, "Studio", peer.issuer, CLIENT, SECRET, "example.org", world.now
        )
        provider_id = row.id
    app = create_app(world.settings, world.clock)
    yield House(world, app, peer, provider_id)
    app.state.previews.close()


class TestComingIn:
    def test_a_newcomer_joins_with_the_lowest_role_and_is_known_next_time(self, house: House) -> None:
        browser = house.browser()
        answer = browser.get(house.go(browser))
        assert (answer.status_code, answer.headers["location"]) == (303, "/posts"), answer.text
        assert browser.get("/posts").status_code == 200
        [noa] = [m for m in house.rows(Member) if m.email == "noa@example.org"]
        assert (noa.role, noa.reach, noa.name) == ("analyst", "assigned", "Noa")
        again = house.browser()
        assert again.get(house.go(again)).status_code == 303
        assert len(house.rows(Identity)) == 1

    def test_a_member_links_it_on_the_own_page_first(self, house: House) -> None:
        ada = house.browser().enter(link(house.world, house.world.ada.member_id))
        there = house.leave(ada, f"/account/identities/{house.provider_id}")
        back = local(house.peer.sign_in(there, "a1", "ada.work@example.org"))
        assert ada.get(back).headers["location"] == "/account"
        [identity] = house.rows(Identity)
        assert identity.member_id == house.world.ada.member_id
        elsewhere = house.browser()
        assert elsewhere.get(house.go(elsewhere, "a1", "ada.work@example.org")).status_code == 303
        assert "Ada" in elsewhere.get("/account").text


def other(query: str, **changed: str) -> str:
    parts = urlsplit(query)
    values = {**{name: found[0] for name, found in parse_qs(parts.query).items()}, **changed}
    return f"{parts.path}?{httpx.QueryParams(values)}"


Attack = Callable[[House, Visitor], httpx.Response]


def of_an_attacker(house: House, victim: Visitor) -> httpx.Response:
    """T18: the attacker signs in, and has the victim open the way back."""
    return victim.get(house.go(house.browser(), "evil", "evil@example.org"))


def with_anothers_code(house: House, victim: Visitor) -> httpx.Response:
    """The victim's own state, and the code of an attacker who signed in elsewhere: the verifier is not that one's."""
    theirs = parse_qs(urlsplit(house.go(house.browser(), "evil", "evil@example.org")).query)
    return victim.get(other(house.go(victim), code=theirs["code"][0]))


def in_another_browser(house: House, victim: Visitor) -> httpx.Response:
    """One of the same person, who left for the provider from there too."""
    house.leave(victim)
    return victim.get(house.go(house.browser()))


def signed_in_meanwhile(house: House, victim: Visitor) -> httpx.Response:
    """A way back that links is opened where nobody is signed in."""
    ada = house.browser().enter(link(house.world, house.world.ada.member_id))
    there = house.leave(ada, f"/account/identities/{house.provider_id}")
    house.world.sql("DELETE FROM web_session")
    return victim.get(local(house.peer.sign_in(there, "a1", "ada.work@example.org")))


def who_left(house: House, victim: Visitor) -> httpx.Response:
    first = house.browser()
    assert first.get(house.go(first)).status_code == 303
    house.world.sql("DELETE FROM web_session")
    house.world.sql("UPDATE member SET disabled_at = created_at WHERE email = 'noa@example.org'")
    return victim.get(house.go(victim))


def of_a_provider_taken_out(house: House, victim: Visitor) -> httpx.Response:
    back = house.go(victim)
    house.world.sql("UPDATE identity_provider SET disabled_at = created_at")
    return victim.get(back)


def twice(house: House, victim: Visitor) -> httpx.Response:
    back = house.go(victim)
    assert victim.get(back).status_code == 303
    victim.cookies.delete("session")
    return victim.get(back)


def late(house: House, victim: Visitor) -> httpx.Response:
    back = house.go(victim)
    house.world.later(minutes=11)
    return victim.get(back)


def invented(house: House, victim: Visitor) -> httpx.Response:
    return victim.get(other(house.go(victim), state="state_" + "x" * 43))


def mixed_up(house: House, victim: Visitor) -> httpx.Response:
    return victim.get(other(house.go(victim), iss="https://evil.example"))


def unnamed(house: House, victim: Visitor) -> httpx.Response:
    """This provider says it always names itself."""
    return victim.get(other(house.go(victim), iss=""))


def replayed(house: House, victim: Visitor) -> httpx.Response:
    back = house.go(victim)
    house.set("nonce", "of an earlier answer")
    return victim.get(back)


def intercepted(house: House, victim: Visitor) -> httpx.Response:
    """The code alone is not enough: the provider asks for the verifier (RFC 7636)."""
    back = house.go(victim)
    house.set("verifier", "v" * 64)
    return victim.get(back)


def guessed_code(house: House, victim: Visitor) -> httpx.Response:
    return victim.get(other(house.go(victim), code="c" * 43))


def unverified(house: House, victim: Visitor) -> httpx.Response:
    return victim.get(house.go(victim, verified=False))


def of_another_domain(house: House, victim: Visitor) -> httpx.Response:
    return victim.get(house.go(victim, email="noa@example.org.evil.example"))


def of_a_look_alike_domain(house: House, victim: Visitor) -> httpx.Response:
    """The Kelvin sign is a "k" in lower case."""
    house.world.sql("UPDATE identity_provider SET domain = 'kiosk.example'")
    return victim.get(house.go(victim, email="noa@\u212aiosk.example"))


def of_two_addresses(house: House, victim: Visitor) -> httpx.Response:
    return victim.get(house.go(victim, email="ada@example.org,noa@example.org"))


def of_somebody_here(house: House, victim: Visitor) -> httpx.Response:
    """An address is no proof: the member with it links the sign-in, signed in."""
    return victim.get(house.go(victim, email="ada@example.org"))


ATTACKS: dict[Attack, str] = {
    of_an_attacker: "another browser", with_anothers_code: "it answered 400", in_another_browser: "another browser",
    signed_in_meanwhile: "another browser", who_left: "may not sign in here any more", twice: "used already",
    of_a_provider_taken_out: "no such way", late: "was not asked for", invented: "was not asked for",
    mixed_up: "comes from another provider", unnamed: "comes from another provider",
    replayed: "answers another question", intercepted: "it answered 400", guessed_code: "it answered 400",
    unverified: "has not verified", of_another_domain: "may not speak for", of_a_look_alike_domain: "may not speak for",
    of_two_addresses: "does not say who", of_somebody_here: "is here already",
}  # fmt: skip
"""And why each is refused."""
stopped: list[str] = []


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.__name__)
def test_a_crooked_way_back_signs_nobody_in(house: House, attack: Attack) -> None:
    house.world.sql("UPDATE member SET email = 'ada@example.org'")
    victim = house.browser()
    answer = attack(house, victim)
    assert answer.status_code in (403, 404, 409, 422), (answer.status_code, answer.text)
    assert ATTACKS[attack] in answer.text
    assert "Traceback" not in answer.text
    assert not re.search(r"session=[^;]", answer.headers.get("set-cookie", ""))
    assert victim.get("/posts").status_code in (303, 401, 403)
    assert len(house.rows(WebSession)) == (attack is twice)
    stopped.append(attack.__name__)


def test_how_many(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\nways back from a provider: {len(stopped)} crooked ones, nobody signed in\n")


def test_what_belongs_to_one_is_not_linked_to_another(house: House) -> None:
    """T18: re-linking; and an answer meant for one account, opened in another's session."""
    world = house.world
    first = house.browser()
    first.get(house.go(first, "n1", "noa@example.org"))
    ada = house.browser().enter(link(world, world.ada.member_id))
    path = f"/account/identities/{house.provider_id}"
    taken = ada.get(local(house.peer.sign_in(house.leave(ada, path), "n1", "noa@example.org")))
    assert taken.status_code == 409
    theirs = local(house.peer.sign_in(house.leave(first_csrf(first), path), "evil", "evil@example.org"))
    assert ada.get(theirs).status_code == 422
    assert [row.subject for row in house.rows(Identity)] == ["n1"]


def first_csrf(visitor: Visitor) -> Visitor:
    visitor.csrf = re.findall(r'<meta name="csrf" content="([^"]+)">', visitor.get("/account").text)[0]
    return visitor


def test_another_organizations_provider_is_not_linked(house: House, world: World) -> None:
    elsewhere = outsider(world).organization_id
    world.sql("UPDATE identity_provider SET organization_id = :elsewhere", elsewhere=elsewhere)
    ada = house.browser().enter(link(world, world.ada.member_id))
    answer = ada.post(f"/account/identities/{house.provider_id}", {"next": "/account"})
    if answer.status_code == 200:  # sent away: then the answer is refused when it comes back
        there = answer.headers["refresh"].partition("url=")[2]
        answer = ada.get(local(house.peer.sign_in(there, "a1", "ada.work@example.org")))
    assert answer.status_code >= 400
    assert house.rows(Identity) == []


def test_a_host_beside_ours_plants_no_way_back(world: World) -> None:
    """T18: over https its cookies have a name only we can set."""
    settings = world.settings.model_copy(update={"base_url": "https://avatars.example"})
    app, browser, about = (
        create_app(settings, world.clock),
        "left_of_an_attacker",
        {"authorization_endpoint": "https://i"},
    )
    with world.write() as session:
        row = IdentityProvider(
            organization_id=world.ada.organization_id, name="S", issuer="https://id.invalid", client_id="c",
            domain="example.org", created_at=world.now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        url = oidc.leave(session, settings, row, about, browser, "/posts", world.now)
    state = parse_qs(urlsplit(url).query)["state"][0]
    for name, said in ((LEFT, "another browser"), (f"__Host-{LEFT}", "")):
        visitor = Visitor(app, settings.base_url)
        visitor.cookies.set(name, browser)
        answer = visitor.get("/sign-in/back", params={"state": state, "code": "c"})
        assert answer.status_code == 422
        assert ("another browser" in answer.text) is bool(said)
