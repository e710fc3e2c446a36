import json
from datetime import timedelta

import pytest

from avatar_scheduler.clock import utc_now
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.services import checkpoints, dispatch
from tests.cli.command import Cli
from tests.world import World


class TestQueue:
    def test_what_goes_out_next_with_its_zone(self, studio: Cli, world: World) -> None:
        delivery = world.approved()
        listed = studio("queue", "--json").json["deliveries"]
        assert [(row["delivery_id"], row["target"]["state"]) for row in listed] == [(delivery.id, "scheduled")]
        shown = studio("queue").out
        assert "Onions" in shown
        assert "Europe/Paris" in shown

    def test_nothing_is_said_to_be_nothing(self, cli: Cli) -> None:
        assert cli("queue").out == "Nothing is queued.\n"


class TestHold:
    def test_nothing_leaves_until_it_is_lifted(self, studio: Cli, world: World) -> None:
        delivery = world.approved()
        assert studio("hold", "on", "a leak [b]").out == "Hold is on. Nothing goes out.\n"
        assert "a leak [b]" in studio("queue").out
        assert studio("queue", "--json").json["holds"][0]["scope"] == "organization"
        assert world.publish(delivery).state is DeliveryState.scheduled
        assert world.ledger == []
        assert studio("hold", "off").out == "Lifted 1.\n"
        assert world.publish(delivery).state is DeliveryState.published
        assert len(world.ledger) == 1

    def test_of_one_creator(self, cli: Cli) -> None:
        assert cli("hold", "on", "--creator", "maya").code == 0
        assert cli("queue", "--json").json["holds"][0]["scope"] == "creator"
        cli("hold", "on", "--creator", "zed").refused(4, "zed", "maya")

    def test_lifting_none_is_said(self, cli: Cli) -> None:
        cli("hold", "off").refused(4, "No hold is on")


class TestAuditVerify:
    def test_intact(self, cli: Cli) -> None:
        told = cli("audit", "verify", "--json").json
        assert told["ok"] is True
        assert f"Intact: {told['entries']} entries, head {told['head'][:16]}" in cli("audit", "verify").out

    @pytest.mark.parametrize(
        ("statement", "told"),
        [
            (
                "UPDATE audit SET data = '{}' WHERE action = 'channel.connected'",
                "(channel.connected) was changed",
            ),
            ("UPDATE audit SET mac = hash WHERE seq = 3", "Entry 3"),
            ("UPDATE audit SET actor = 'nobody' WHERE seq = 2", "Entry 2"),
            ("DELETE FROM audit WHERE seq = 2", "Entry 2 is missing"),
        ],
    )
    def test_a_row_that_somebody_touched_is_named(self, cli: Cli, statement: str, told: str) -> None:
        cli.sql(statement)
        broken = cli("audit", "verify")
        broken.refused(3, "The audit log is broken", told)
        assert broken.out == ""
        as_json = cli("audit", "verify", "--json")
        assert as_json.code == 3
        assert told in as_json.json["problem"]

    def test_a_cut_tail_is_found_through_the_head_kept_beside_the_database(self, cli: Cli) -> None:
        dispatch.checkpoint(cli.settings)
        head = json.loads((cli.data / "audit-head.json").read_text())
        assert cli("audit", "verify").code == 0
        cli.sql("DELETE FROM audit WHERE seq = :last", last=head["seq"])
        cli("audit", "verify").refused(3, f"ends at entry {head['seq'] - 1}", f"entry {head['seq']}")

    def test_rewriting_the_tail_is_found_too(self, cli: Cli) -> None:
        dispatch.checkpoint(cli.settings)
        [(last,)] = cli.rows("SELECT max(seq) FROM audit")
        cli.sql("DELETE FROM audit WHERE seq = :last", last=last)
        assert cli("hold", "on").code == 0  # a genuine entry, in the place of the one that is gone
        cli("audit", "verify").refused(3, f"Entry {last}", "checkpoint")


class TestAuditElsewhere:
    def test_a_checkpoint_kept_elsewhere_finds_what_the_own_head_cannot(self, cli: Cli) -> None:
        kept = cli.folder / "elsewhere.jsonl"
        checkpoints.run(cli.settings.model_copy(update={"checkpoints": [kept.as_uri()]}), utc_now())
        assert cli("audit", "verify", "--checkpoint", kept).code == 0
        cli.sql("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)")
        assert cli("audit", "verify").code == 0
        cli("audit", "verify", "--checkpoint", kept).refused(3, "the checkpoint knows entry")
        kept.write_text(kept.read_text().replace('"number":', '"number":1'))
        cli("audit", "verify", "--checkpoint", kept).refused(3, "Line 1 is not a checkpoint")
        cli("audit", "verify", "--checkpoint", cli.folder / "none").refused(2, "cannot be read")

    def test_an_export_is_checked_without_the_installation(self, cli: Cli) -> None:
        out = cli.folder / "log.jsonl"
        assert "Wrote" in cli("audit", "export", out).out
        cli("audit", "export", out).refused(2, "cannot be written")
        elsewhere = {"AVATAR_SCHEDULER_DATA": str(cli.folder / "nothing")}
        told = cli("audit", "verify", "--export", out, env=elsewhere).out
        assert "Intact" in told
        assert "seals were not checked" in told
        lines = out.read_text().splitlines(keepends=True)
        out.write_text("".join(lines[:3] + lines[4:]))
        cli("audit", "verify", "--export", out, env=elsewhere).refused(3, "is missing")
        cli("audit", "export", "--organization", "other", cli.folder / "x").refused(4, "no organization")
        assert cli("audit", "export", "--csv", cli.folder / "log.csv").code == 0
        assert (cli.folder / "log.csv").read_text().startswith("seq,at,organization")


def test_a_delivery_kept_back_leaves_the_queue(studio: Cli, world: World) -> None:
    delivery = world.approved()
    world.now = delivery.latest_start + timedelta(seconds=1)
    dispatch.Sweeper(world.settings).sweep(world.now)
    assert studio("queue", "--json").json["deliveries"] == []
    shown = studio("post", "list", "--json").json
    assert [row["state"] for row in shown] == ["kept_back"]
