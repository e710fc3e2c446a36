import pytest

from avatar_scheduler.services import settle
from tests.cli.command import Cli
from tests.services.test_again import a_day_later, removed, strip
from tests.world import World


@pytest.fixture
def troubled(studio: Cli, world: World) -> Cli:
    delivery = world.publish(world.approved(title="Onions [b]"))
    strip(world)
    a_day_later(world, delivery)
    return studio


def test_none_is_said(cli: Cli) -> None:
    assert cli("incident", "list").out == "No incidents.\n"
    assert cli("incident", "list", "--json").json == []


def test_they_are_listed_with_what_and_where(troubled: Cli) -> None:
    [row] = troubled("incident", "list", "--json").json
    assert (row["what"], row["state"], row["platform"]) == ("The AI disclosure is gone.", "open", "own_feed")
    shown = troubled("incident", "list").out
    for told in (row["id"][:12], "open", "Onions [b]", "on own_feed: The AI disclosure is gone.", row["url"]):
        assert told in shown


def test_taken_down_then_closed(troubled: Cli, world: World) -> None:
    [row] = troubled("incident", "list", "--json").json
    assert "will be taken down" in troubled("incident", "takedown", row["id"][:12]).out
    settle.run(world.settings, row["delivery_id"], world.clock)
    assert removed(world) == [False, True]
    assert troubled("incident", "close", row["id"][:12]).out == "Closed.\n"
    assert troubled("incident", "list").out == "No incidents.\n"
    assert [one["state"] for one in troubled("incident", "list", "--all", "--json").json] == ["closed"]
    troubled("incident", "close", row["id"]).refused(5, "closed already")


def test_an_unknown_one_is_refused(cli: Cli) -> None:
    cli("incident", "close", "f" * 32).refused(4, "incident list")
