"""T22: what somebody may no longer do is refused at their very next request, in every way to be sent away."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from fastapi import FastAPI
from sqlmodel import select

from avatar_scheduler.db.tables import ApiKey, Hold, Member, WebSession
from avatar_scheduler.services import api_keys, people
from avatar_scheduler.services.people import Person
from avatar_scheduler.web import events
from tests.services import cast
from tests.web import gallery
from tests.web.conftest import link
from tests.web.test_events import listening
from tests.web.visitor import PASSWORD, Visitor
from tests.world import World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
AGAIN = "another long password"


@dataclass
class Office:
    """Ada owns it. Bea is an admin, on a phone and a laptop."""

    world: World
    app: FastAPI
    ada: Visitor
    bea: Person

    def browser(self, person: Person | None = None) -> Visitor:
        made = Visitor(self.app, self.world.settings.base_url)
        return made.enter(link(self.world, person.member_id)) if person else made

    def sign_in(self, password: str = PASSWORD) -> Visitor:
        made = self.browser()
        with self.world.read() as session:
            email = session.get_one(Member, self.bea.member_id).email
        answer = made.ask("POST", "/sign-in", data={"email": email, "password": password, "next": "/posts"})
        assert answer.status_code == 303, answer.text
        made.csrf = csrf_on(made)
        return made

    def holds(self) -> int:
        with self.world.read() as session:
            return len(session.exec(select(Hold)).all())

    def gone(self, browser: Visitor) -> bool:
        """It neither shows nor does anything more, and is led to the door."""
        shown = browser.get("/people")
        done = browser.post("/holds", {"what": "organization:", "reason": "x"})
        made = browser.post("/people/keys", {"name": "bot", "days": "30"})
        return all(answer.headers.get("location", "").startswith("/sign-in") for answer in (shown, done, made))


def csrf_on(browser: Visitor) -> str:
    return str(re.findall(r'<meta name="csrf" content="([^"]+)">', browser.get("/posts").text)[0])


@pytest.fixture
def office(world: World, app: FastAPI, ada: Visitor) -> Office:
    bea = cast.person(world, "admin")
    made = Office(world, app, ada, bea)
    made.browser(bea)  # chooses the password
    return made


Way = Callable[[Office, Visitor], object]


def demoted(office: Office, _: Visitor) -> None:
    answer = office.ada.post(f"/people/{office.bea.member_id}/role", {"role": "analyst"})
    assert answer.status_code == 303, answer.text


def removed(office: Office, _: Visitor) -> None:
    assert office.ada.post(f"/people/{office.bea.member_id}/removal").status_code == 303


def signed_out_from_the_other(office: Office, phone: Visitor) -> None:
    laptop = office.sign_in()
    page = laptop.get("/account").text
    paths = re.findall(r'action="(/account/devices/\w+/revocation)"', page)
    assert paths
    for path in paths:
        assert laptop.post(path).status_code == 303
    assert laptop.get("/people").status_code == 200


def all_others_signed_out(office: Office, phone: Visitor) -> None:
    laptop = office.sign_in()
    assert laptop.post("/account/devices/others").status_code == 303
    assert laptop.get("/people").status_code == 200


def password_changed(office: Office, phone: Visitor) -> None:
    laptop = office.sign_in()
    answer = laptop.post("/account/password", {"password": PASSWORD, "new_password": AGAIN})
    assert answer.status_code == 303, answer.text
    assert laptop.get("/people").status_code == 200


def welcomed_anew(office: Office, phone: Visitor) -> None:
    """An owner handed out a new link: whoever had the old password is out."""
    office.browser(office.bea)


def signed_out_itself(office: Office, phone: Visitor) -> None:
    kept = dict(phone.cookies)
    assert phone.post("/sign-out").status_code == 303
    phone.cookies.update(kept)


def long_unused(office: Office, phone: Visitor) -> None:
    office.world.now += people.IDLE_LIFE


def very_old(office: Office, phone: Visitor) -> None:
    office.world.now += people.SESSION_LIFE


WAYS = [
    demoted, removed, signed_out_from_the_other, all_others_signed_out, password_changed, welcomed_anew,
    signed_out_itself, long_unused, very_old,
]  # fmt: skip
out: list[str] = []


@pytest.mark.parametrize("way", WAYS, ids=lambda one: one.__name__)
def test_the_next_request_is_refused(office: Office, way: Way) -> None:
    phone = office.sign_in()
    assert phone.get("/people").status_code == 200
    way(office, phone)
    assert office.gone(phone)
    assert office.holds() == 0
    with office.world.read() as session:
        assert session.exec(select(ApiKey)).all() == []
    out.append(way.__name__)


def test_who_comes_back_after_it_may_do_what_the_new_role_may(office: Office) -> None:
    demoted(office, office.ada)
    again = office.sign_in()
    assert again.post("/people/keys", {"name": "bot", "days": "30"}).status_code == 403
    assert again.post(f"/people/{office.bea.member_id}/role", {"role": "admin"}).status_code == 403
    with office.world.read() as session:
        assert session.get_one(Member, office.bea.member_id).role == "analyst"


@pytest.mark.parametrize("way", [demoted, removed], ids=lambda one: one.__name__)
def test_so_are_the_keys_they_made(office: Office, way: Way) -> None:
    with office.world.write() as session:
        _, key = api_keys.make(session, replace(office.bea, reach=None), "bot", (), 30, office.world.now)
    headers: dict[str, str | None] = {"authorization": f"Bearer {key}"}
    assert office.browser().ask("GET", "/api/posts", headers=headers).status_code == 200
    way(office, office.ada)
    assert office.browser().ask("GET", "/api/posts", headers=headers).status_code == 401


@pytest.mark.parametrize("way", [demoted, removed, all_others_signed_out], ids=lambda one: one.__name__)
def test_a_page_that_stands_open_hears_nothing_more(office: Office, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LOOK", 0.05)
    monkeypatch.setattr(events, "LIFE", 20.0)  # so that a broken one ends at all
    phone = office.sign_in()
    with gallery.serving(lambda _: office.app) as url, listening(url, phone) as stream:
        stream.until("holds")
        way(office, phone)
        office.world.version(office.world.post(title="Secret onions"))
        assert "Secret onions" not in "".join(stream.rest())


def test_every_way_in_gives_a_session_of_its_own(office: Office) -> None:
    """Over one that was there, and over one somebody else put there."""
    first = office.sign_in()
    seen = set(first.cookies.values())
    for planted in ("", "sess_" + "x" * 43, next(iter(seen))):
        browser = office.browser()
        if planted:
            browser.cookies.set("session", planted)
        with office.world.read() as session:
            email = session.get_one(Member, office.bea.member_id).email
        answer = browser.ask("POST", "/sign-in", data={"email": email, "password": PASSWORD})
        [new] = re.findall("session=([^;]+)", answer.headers["set-cookie"])
        assert new not in seen | {planted}
        seen.add(new)
    stranger = office.browser()
    stranger.cookies.set("session", "sess_" + "x" * 43)
    assert stranger.get("/posts").status_code == 303
    with office.world.read() as session:
        hashed = {row.token_sha256 for row in session.exec(select(WebSession))}
    assert {people.digest(token) for token in seen} <= hashed
    assert not hashed & seen


def test_how_many(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world
    with capsys.disabled():
        sys.stdout.write(f"\nsessions: {len(out)} ways to be sent away, refused at the next request in all of them\n")
