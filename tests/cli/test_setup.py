import json
from collections.abc import Iterator

import pytest

from avatar_scheduler import vault
from tests.cli.command import OWNER, Cli
from tests.peers import pds as peers

ANYONE = '{"127.0.0.1": ["127.0.0.1/32"]}'


class TestInit:
    def test_a_second_init_by_the_owner_only_makes_a_new_link(self, cli: Cli) -> None:
        key = (cli.settings.keys / "sign-approval.private.pem").read_bytes()
        assert cli(*OWNER).out.count("/welcome/link_") == 1
        assert (cli.settings.keys / "sign-approval.private.pem").read_bytes() == key
        assert cli.rows("SELECT count(*) FROM organization") == [(1,)]

    def test_another_name_for_the_organization_is_not_taken_in_silence(self, cli: Cli) -> None:
        again = cli("init", "--organization", "Other", "--name", "Ada", "--email", "ada@example.org")
        assert "belongs to Studio" in again.out

    def test_somebody_else_cannot_take_the_installation_over(self, cli: Cli) -> None:
        cli("init", "--organization", "B", "--name", "B", "--email", "b@example.org").refused(5, "has an owner")
        assert cli.rows("SELECT email FROM member") == [("ada@example.org",)]

    def test_an_address_that_is_none_leaves_nobody_behind(self, bare: Cli) -> None:
        bare("init", "--organization", "B", "--name", "B", "--email", "b").refused(2, "“b”", "e-mail")
        assert bare.rows("SELECT count(*) FROM member") == [(0,)]

    def test_keys_are_readable_by_their_owner_alone(self, cli: Cli) -> None:
        private = [p for p in cli.settings.keys.rglob("*") if p.is_file() and b"PRIVATE KEY" in p.read_bytes()]
        assert len(private) >= 3
        assert [p.name for p in private if p.stat().st_mode & 0o077] == []


class TestLink:
    def test_the_link_is_stored_as_its_hash_only(self, cli: Cli) -> None:
        token = cli("link").out.strip().rpartition("/")[2]
        assert token.startswith("link_")
        assert token not in repr(cli.rows("SELECT * FROM login_link"))
        assert token.encode() not in (cli.data / "avatar-scheduler.sqlite3").read_bytes()

    def test_for_an_address_nobody_has(self, cli: Cli) -> None:
        cli("link", "cy@example.org").refused(4, "cy@example.org")


class TestCreator:
    def test_the_list_tells_until_when_consent_lasts(self, cli: Cli) -> None:
        assert cli("creator", "add", "Léa Brun", "--avatar", "noa", "--consent-days", "30").code == 0
        listed = cli("creator", "list", "--json").json
        assert [(row["creator"], row["avatar"]) for row in listed] == [("maya", "maya"), ("lea-brun", "noa")]
        assert listed[1]["consent_until"] < listed[0]["consent_until"]
        assert "lea-brun" in cli("creator", "list").out

    @pytest.mark.parametrize(
        ("argv", "code", "words"),
        [
            (["Maya"], 5, ["“maya”", "already"]),
            (["李"], 2, ["--slug"]),
            (["Léa", "--slug", "Lea!"], 2, ["“Lea!”"]),
            (["Léa", "--zone", "Mars/Base"], 2, ["Mars/Base", "Europe/Paris"]),
            (["Léa", "--avatar", "zed"], 2, ["zed", "maya"]),
            (["Léa", "--scene", "moon"], 2, ["moon", "kitchen"]),
            (["Léa", "--performer", "robot"], 2, ["robot", "digital_twin"]),
        ],
    )
    def test_what_cannot_be_is_refused_whole(self, cli: Cli, argv: list[str], code: int, words: list[str]) -> None:
        cli("creator", "add", *argv).refused(code, *words)
        assert cli.rows("SELECT slug FROM creator") == [("maya",)]
        assert cli.rows("SELECT count(*) FROM consent") == [(1,)]


class TestConsent:
    def test_revoked_is_shown(self, cli: Cli) -> None:
        assert "Withdrew 1 consent for Maya" in cli("consent", "revoke").out
        assert cli("creator", "list", "--json").json[0]["consent_until"] == "withdrawn"


class TestStanding:
    def test_core_kinds_are_never_covered(self, cli: Cli) -> None:
        assert cli("standing", "grant", "tip", "recap").code == 0
        cli("standing", "grant", "tip", "reply").refused(2, "reply", "needs a person")
        assert cli.rows("SELECT count(*) FROM approval") == [(1,)]


@pytest.fixture(scope="module")
def pds() -> Iterator[peers.Pds]:
    with peers.running() as server:
        yield server


class TestChannel:
    def test_the_secret_is_sealed_and_never_printed(self, cli: Cli, pds: peers.Pds) -> None:
        person = pds.create_account("clichannel")
        added = cli(
            "channel", "add", "bluesky", person.handle, "--endpoint", pds.base_url,
            env={"AVATAR_SCHEDULER_ALLOW_HOSTS": ANYONE}, stdin=f"{person.password}\n",
        )  # fmt: skip
        assert added.code == 0, added
        shown = cli("channel", "list", "--json")
        assert sorted(row["channel"] for row in shown.json) == [f"bluesky:{person.did}", "own_feed:maya"]
        for text in (added.out, added.err, shown.out, cli("channel", "list").out):
            assert person.password not in text
        files = [path for path in cli.data.rglob("*") if path.is_file()]
        assert [path.name for path in files if person.password.encode() in path.read_bytes()] == []
        [(sealed, channel, organization)] = cli.rows(
            "SELECT sealed, id, organization_id FROM channel WHERE platform = 'bluesky'"
        )
        belongs = vault.Belongs(organization, channel, "credentials")
        opened = json.loads(vault.Opener(cli.settings.keys / "vault.private.pem").open(sealed, belongs))
        assert opened == {"identifier": person.handle, "password": person.password}

    def test_removed_it_is_off_its_password_forgotten_and_it_can_come_back(self, cli: Cli, pds: peers.Pds) -> None:
        person = pds.create_account("cliagain")
        add = ("channel", "add", "bluesky", person.handle, "--endpoint", pds.base_url, "--password", person.password)
        env = {"AVATAR_SCHEDULER_ALLOW_HOSTS": ANYONE}
        assert cli(*add, env=env).code == 0
        cli(*add, env=env).refused(5, "connected already")
        assert cli("channel", "remove", "bluesky").code == 0
        rows = "SELECT sealed, disabled_at IS NULL FROM channel WHERE platform = 'bluesky'"
        assert cli.rows(rows) == [("", 0)]
        cli("channel", "remove", "bluesky").refused(4, "bluesky", "channel list")
        assert cli(*add, env=env).code == 0
        [(sealed, on)] = cli.rows(rows)
        assert sealed
        assert on

    def test_an_unknown_platform_is_said_before_a_password_is_asked(self, cli: Cli) -> None:
        cli("channel", "add", "myspace", "maya").refused(2, "myspace", "bluesky")

    def test_a_wrong_password_connects_nothing(self, cli: Cli, pds: peers.Pds) -> None:
        person = pds.create_account("cliwrong")
        wrong = cli(
            "channel", "add", "bluesky", person.handle, "--endpoint", pds.base_url, "--password", "not-the-one",
            env={"AVATAR_SCHEDULER_ALLOW_HOSTS": ANYONE},
        )  # fmt: skip
        wrong.refused(3)
        assert "not-the-one" not in wrong.err
        assert cli.rows("SELECT platform FROM channel") == [("own_feed",)]

    @pytest.mark.parametrize(
        ("argv", "code", "words"),
        [
            (["own_feed", "x"], 2, ["own_feed", "bluesky"]),
            (["tiktok", "x"], 2, ["tiktok", "bluesky"]),
            (["bluesky", "x", "--creator", "zed"], 4, ["zed", "maya"]),
            (["bluesky", "x", "--endpoint", "file:///etc/passwd"], 3, ["host"]),
            (["bluesky", "x", "--endpoint", "https://127.0.0.1"], 3, ["127.0.0.1"]),
        ],
    )
    def test_what_cannot_be_connected(self, cli: Cli, argv: list[str], code: int, words: list[str]) -> None:
        cli("channel", "add", *argv, "--password", "p").refused(code, *words)
        assert cli.rows("SELECT platform FROM channel") == [("own_feed",)]
