"""ID tokens that were forged, and a provider whose answers somebody else writes."""

import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from avatar_scheduler.db.tables import IdentityProvider
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.services import oidc
from tests.peers.oidc import CLIENT, SECRET
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
