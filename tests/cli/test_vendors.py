"""Connecting a vendor, and what a creator may spend there, from the terminal."""

import json
from collections.abc import Iterator

import pytest

from tests.cli.command import Cli
from tests.vendors import heygen
from tests.vendors.server import KEY, running
from tests.vendors.shop import HOSTS, TINY

OPEN = {"AVATAR_SCHEDULER_ALLOW_HOSTS": json.dumps(HOSTS)}


@pytest.fixture
def vendor() -> Iterator[heygen.HeyGen]:
    with running(heygen.HeyGen, TINY) as made:
        yield made


def add(cli: Cli, vendor: heygen.HeyGen, key: str = KEY) -> str:
    done = cli("vendor", "add", "heygen", "--endpoint", vendor.url, "--key", key, env=OPEN)
    assert done.code == 0, done
    return done.out


class TestVendor:
    def test_the_key_is_tried_sealed_and_never_shown(self, cli: Cli, vendor: heygen.HeyGen) -> None:
        out = add(cli, vendor)
        assert "It answers: wallet: remaining_balance 1000" in out
        assert KEY not in out + cli("vendor", "list", "--json").out
        [(sealed,)] = cli.rows("SELECT sealed FROM vendor_account")
        assert sealed.startswith("v1.")
        assert KEY not in sealed
        assert cli("vendor", "check", "heygen", env=OPEN).out.startswith("HeyGen: wallet")

    def test_a_wrong_key_is_said_and_replaced(self, cli: Cli, vendor: heygen.HeyGen) -> None:
        assert "does not answer yet: HeyGen does not accept the API key" in add(cli, vendor, "wrong")
        cli("vendor", "check", "heygen", env=OPEN).refused(3, "avatar-scheduler vendor add heygen")
        add(cli, vendor)
        assert len(cli.rows("SELECT id FROM vendor_account")) == 1
        assert cli("vendor", "check", "heygen", env=OPEN).code == 0

    def test_an_address_we_may_not_call_is_refused_at_once(self, cli: Cli) -> None:
        for address in ("http://10.0.0.7", "https://169.254.169.254:8080", "ftp://x"):
            cli("vendor", "add", "heygen", "--endpoint", address, "--key", "x").refused(3, "Nothing was sent")
        assert cli.rows("SELECT id FROM vendor_account") == []

    def test_what_is_not_there_is_said(self, cli: Cli) -> None:
        cli("vendor", "add", "nobody", "--key", "x").refused(2, "There is no renderer “nobody”", "heygen")
        cli("vendor", "check", "heygen").refused(3, "vendor add heygen")

    def test_prices_come_with_their_day_and_source(self, cli: Cli) -> None:
        rows = cli("vendor", "list", "--json").json
        assert {row["vendor"]: row["connected"] for row in rows}["heygen"] is False
        assert all(row["checked"] and row["price_of"] for row in rows)
        assert "$4.01" in cli("vendor", "list").out

    def test_an_avatar_of_theirs(self, cli: Cli, vendor: heygen.HeyGen) -> None:
        theirs = ("avatar", "add", "--name", "Maya there", "--renderer", "heygen", "--vendor-avatar", "look-1")
        cli(*theirs).refused(3, "vendor add heygen")
        add(cli, vendor)
        assert cli(*theirs).code == 0
        [(renderer, known)] = cli.rows("SELECT renderer, vendor FROM avatar WHERE renderer != 'builtin'")
        assert (renderer, json.loads(known)) == ("heygen", {"avatar_id": "look-1"})

    def test_its_messages_get_an_address_shown_once(self, cli: Cli, vendor: heygen.HeyGen) -> None:
        add(cli, vendor)
        out = cli("vendor", "hook", "heygen", stdin="whsec\n").out
        [address] = [line for line in out.splitlines() if "/hooks/heygen/" in line]
        [(digest, secret)] = cli.rows("SELECT hook_sha256, hook_secret FROM vendor_account")
        assert (len(digest), secret) == (64, "whsec")
        assert address.rpartition("/")[2] not in digest


class TestBudget:
    def test_none_some_and_the_figures(self, cli: Cli) -> None:
        assert "Maya has no budget: nothing is bought." in cli("budget", "show").out
        assert cli("budget", "set", "--creator", "maya", "--monthly", "50.00").out == "Maya may spend $50.00 a month.\n"
        assert cli("budget", "show").out == "Maya: $0.00 of $50.00 this month.\n"
        assert cli("budget", "show", "--json").json == {"creator": "maya", "monthly_cents": 5000, "spent_cents": 0}
        cli("budget", "set", "--monthly", "lots").refused(2, "“lots” is not an amount")
