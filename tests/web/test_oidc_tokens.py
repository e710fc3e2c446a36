"""ID tokens that were forged, and a provider whose answers somebody else writes."""

import json
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from sqlmodel import select

from avatar_scheduler.db.tables import Identity, IdentityProvider, WebSession
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.services import oidc
from avatar_scheduler.web.app import create_app
from tests.peers.oidc import CLIENT, SECRET
from tests.web.visitor import Visitor
from tests.world import World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


class TestToken:
    """An ID token signed otherwise, or about something else. Real ones are checked in test_oidc."""

    KEY, OTHER = RSAKey.generate_key(2048), RSAKey.generate_key(2048)

    def claims(self, world: World, **changed: Any) -> dict[str, Any]:
        at = int(world.now.timestamp())
        good = {"iss": "https://id.example.org", "aud": CLIENT, "sub": "n1", "nonce": "n", "iat": at, "exp": at + 300}
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    def check(self, world: World, token: str) -> Any:
        row = IdentityProvider(
            organization_id="o", name="S", issuer="https://id.example.org", client_id=CLIENT, domain="example.org",
            created_at=world.now,
        )  # fmt: skip
        keys = KeySet([self.KEY]).as_dict(private=False)
        return oidc.check_token(row, token, keys, "n", world.now)

    def signed(self, world: World, **changed: Any) -> str:
        return jwt.encode({"alg": "RS256"}, self.claims(world, **changed), self.KEY)

    def test_a_good_one_is_taken(self, world: World) -> None:
        assert self.check(world, self.signed(world))["sub"] == "n1"

    @pytest.mark.parametrize(
        "changed",
        [
            {"iss": "https://evil.example"}, {"aud": "another"}, {"aud": [CLIENT, "another"]}, {"nonce": "m"},
            {"nonce": None}, {"exp": 1}, {"exp": None}, {"iat": 4102444800}, {"exp": "soon"}, {"exp": float("nan")},
            {"iat": float("nan")}, {"nbf": 4102444800}, {"azp": "another"},
        ],
        ids=json.dumps,
    )  # fmt: skip
    def test_one_about_something_else_is_not(self, world: World, changed: dict[str, Any]) -> None:
        with pytest.raises(Refused):
            self.check(world, self.signed(world, **changed))

    def test_one_signed_by_nobody_or_another_is_not(self, world: World) -> None:
        claims = self.claims(world)
        good = self.signed(world)
        head, body, _ = good.split(".")
        public = json.dumps(self.KEY.as_dict(private=False))
        forged = [
            jwt.encode({"alg": "RS256"}, claims, self.OTHER),
            jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(public)),
            jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET)),
            "eyJhbGciOiJub25lIn0." + body + ".",
            f"{head}.{body}.",
            good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
            "",
            "no token",
        ]
        for token in forged:
            with pytest.raises(Refused):
                self.check(world, token)


class Crooked:
    """A provider on loopback that somebody else answers for: everything fits, but for what is changed in it."""

    def __init__(self) -> None:
        self.said: dict[str, bytes] = {}
        """Whole answers, by the last part of the path."""
        self.changed: dict[str, Any] = {}
        self.nonce, self.token, self.at = "", "", 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, path: str) -> bytes:
        at = f"{self.issuer}/"
        about = {"issuer": self.issuer, "authorization_endpoint": at + "auth", "token_endpoint": at + "token",
                 "jwks_uri": at + "jwks", "userinfo_endpoint": at + "me"}  # fmt: skip
        good = {
            "openid-configuration": about,
            "jwks": KeySet([TestToken.KEY]).as_dict(private=False),
            "token": {"access_token": "a", "id_token": self.token or self.signed(TestToken.KEY)},
            "me": {"sub": "n1", "email": "noa@example.org", "email_verified": True},
        }
        return self.said.get(path) or json.dumps({**good[path], **self.changed.get(path, {})}).encode()

    def signed(self, key: Any, alg: str = "RS256") -> str:
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "n1", "nonce": self.nonce, "iat": self.at,
                  "exp": self.at + 300}  # fmt: skip
        return jwt.encode({"alg": alg}, {**claims, **self.changed.get("claims", {})}, key)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = provider.answer(urlsplit(self.path).path.rpartition("/")[2])
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - the server asks for this name

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def crooked() -> Iterator[Crooked]:
    found = Crooked()
    thread = Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


def a_list(one: Crooked) -> None:
    one.said["token"] = b"[]"


def no_json(one: Crooked) -> None:
    one.said["token"] = b"\xff\xfe<html>"


def far_too_deep(one: Crooked) -> None:
    one.said["token"] = b"[" * 200_000


def deep_keys(one: Crooked) -> None:
    one.said["jwks"] = b'{"keys":' * 100_000


def no_token(one: Crooked) -> None:
    one.changed["token"] = {"id_token": None}


def token_of_nobody(one: Crooked) -> None:
    head, body, _ = one.signed(TestToken.KEY).split(".")
    one.token = f"eyJhbGciOiJub25lIn0.{body}."
    assert head


def token_of_another_key(one: Crooked) -> None:
    one.token = one.signed(TestToken.OTHER)


def token_under_our_secret(one: Crooked) -> None:
    one.token = one.signed(OctKey.import_key(SECRET), "HS256")


def token_tampered_with(one: Crooked) -> None:
    head, _, sign = one.signed(TestToken.KEY).split(".")
    one.changed["claims"] = {"sub": "somebody else"}
    one.token = ".".join((head, one.signed(TestToken.OTHER).split(".")[1], sign))


def token_of_before(one: Crooked) -> None:
    one.changed["claims"] = {"nonce": "of before"}


def token_for_another_site(one: Crooked) -> None:
    one.changed["claims"] = {"aud": "another"}


def another_name(one: Crooked) -> None:
    one.changed["openid-configuration"] = {"issuer": "https://id.evil.example"}


def token_of_another_name(one: Crooked) -> None:
    one.changed["claims"] = {"iss": "https://id.evil.example"}


def two_people(one: Crooked) -> None:
    one.changed["me"] = {"sub": "n2"}


def verified_in_words(one: Crooked) -> None:
    one.changed["me"] = {"email_verified": "true"}


def a_header_more(one: Crooked) -> None:
    one.changed["token"] = {"access_token": "a\r\nX-More: 1"}


def a_token_where_it_may_not_go(one: Crooked) -> None:
    one.changed["openid-configuration"] = {"token_endpoint": "http://169.254.169.254/token"}


def keys_from_a_file(one: Crooked) -> None:
    one.changed["openid-configuration"] = {"jwks_uri": "file:///etc/passwd"}


LIES = [
    a_list, no_json, far_too_deep, deep_keys, no_token, token_of_nobody, token_of_another_key, token_under_our_secret,
    token_tampered_with, token_of_before, token_for_another_site, another_name, token_of_another_name, two_people,
    verified_in_words, a_header_more, a_token_where_it_may_not_go, keys_from_a_file,
]  # fmt: skip


def go(world: World, app: FastAPI, crooked: Crooked, lie: Callable[[Crooked], None] | None) -> httpx.Response:
    crooked.at = int(world.now.timestamp())
    with world.write() as session:
        provider_id = oidc.add(
            session, world.settings, world.ada, "S", crooked.issuer, CLIENT, SECRET, "example.org", world.now
        ).id
    browser = Visitor(app, world.settings.base_url)
    there = browser.post(f"/sign-in/with/{provider_id}", {"next": "/posts"}).headers["refresh"]
    asked = parse_qs(urlsplit(there).query)
    crooked.nonce = asked["nonce"][0]
    if lie:
        lie(crooked)
    return browser.get("/sign-in/back", params={"state": asked["state"][0], "code": "c"})


@pytest.fixture
def app(world: World) -> Iterator[FastAPI]:
    world.settings = world.settings.model_copy(update={"allow_hosts": {"127.0.0.1": ["127.0.0.0/8"]}})
    made = create_app(world.settings, world.clock)
    yield made
    made.state.previews.close()


def test_it_is_believed_when_everything_fits(world: World, app: FastAPI, crooked: Crooked) -> None:
    assert go(world, app, crooked, None).status_code == 303


told: list[str] = []


@pytest.mark.parametrize("lie", LIES, ids=lambda one: one.__name__)
def test_a_lie_signs_nobody_in(world: World, app: FastAPI, crooked: Crooked, lie: Callable[[Crooked], None]) -> None:
    answer = go(world, app, crooked, lie)
    assert answer.status_code == 422, answer.text
    assert "set-cookie" not in answer.headers
    with world.read() as session:
        assert session.exec(select(WebSession)).all() == []
        assert session.exec(select(Identity)).all() == []
    told.append(lie.__name__)


def test_how_many(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world
    with capsys.disabled():
        sys.stdout.write(f"\nanswers of a provider: {len(told)} lies, nobody signed in\n")
