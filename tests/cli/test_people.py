"""People, policies and keys from the terminal."""

import json

from tests.cli.command import Cli

NADIA = ("nadia@example.org", "manager", "--name", "Nadia")


def test_an_agency_and_back(cli: Cli) -> None:
    assert cli("agency", "on").out == "Studio is an agency.\n"
    assert cli.rows("SELECT kind FROM organization") == [("agency",)]
    assert cli("agency", "off").code == 0
    assert cli.rows("SELECT kind FROM organization") == [("solo",)]
    cli("agency", "perhaps").refused(2, "neither on nor off")


class TestMembers:
    def test_an_invitation_is_a_link_and_no_member_yet(self, cli: Cli) -> None:
        assert "/invitation/inv_" in cli("member", "invite", *NADIA).out
        assert cli.rows("SELECT email, role FROM invitation") == [("nadia@example.org", "manager")]
        assert [row["name"] for row in cli("member", "list", "--json").json] == ["Ada"]

    def test_what_is_wrong_is_said(self, cli: Cli) -> None:
        cli("member", "invite", "x@example.org", "king", "--name", "X").refused(2, "There is no role", "manager")
        cli("member", "invite", "x@example.org", "client", "--name", "X").refused(2, "Say which creator")
        cli("member", "invite", *NADIA, "--creator", "bob").refused(4, "bob", "maya")
        cli("member", "remove", "ada@example.org").refused(5, "The last owner")
        cli("member", "role", "ada@example.org", "editor").refused(5, "The last owner")
        cli("member", "return", "ada@example.org").refused(5, "is not out")
        cli("member", "remove", "who@example.org").refused(4, "member list")
        assert [row["state"] for row in cli("member", "list", "--json").json] == ["in"]


class TestPolicies:
    def test_stronger_holds_at_once(self, cli: Cli) -> None:
        assert cli("policy", "show", "--json").json == [{"stage": "1", "who": "creator", "how_many": "one"}]
        cli("policy", "set", "--stage", "role:editor").refused(2, "does not decide")
        assert "holds from" in cli("policy", "set", "--stage", "role:manager", "--stage", "creator").out
        shown = cli("policy", "show", "--json").json
        assert [row["who"] for row in shown] == ["role:manager", "creator"]

    def test_all_of_a_stage(self, cli: Cli) -> None:
        cli("policy", "set", "--stage", "creator,role:manager!")
        assert cli("policy", "show", "--json").json == [
            {"stage": "1", "who": "creator, role:manager", "how_many": "all"}
        ]

    def test_below_the_floor_and_weaker(self, cli: Cli) -> None:
        cli("policy", "set").refused(2, "at least one stage")
        cli("policy", "set", "--stage", "somebody").refused(2, "somebody")
        cli("agency", "on")
        cli("policy", "set", "--stage", "anyone").refused(3, "second owner")
        assert [row["who"] for row in cli("policy", "show", "--json").json] == ["creator"]


class TestKeys:
    def test_shown_once_listed_and_revoked(self, cli: Cli) -> None:
        token = cli("key", "make", "Agent", "--creator", "maya").out.strip().splitlines()[-1]
        assert token.startswith("key_")
        assert token not in json.dumps(cli.rows("SELECT token_sha256, name FROM api_key"))
        [row] = cli("key", "list", "--json").json
        assert row["name"] == "Agent"
        assert cli("key", "revoke", row["key"]).code == 0
        assert cli("key", "list").out == "No keys.\n"
        cli("key", "revoke", row["key"]).refused(4, "no such key")
