from datetime import date
from pathlib import Path

import pytest

from avatar_scheduler.rules.books import floor
from tests.cli.command import Cli
from tests.world import World

STRICTER = """
[[rule]]
id = "house.agency"
law = "Our agency's own rule"
begins = 2026-01-01
media = ["video"]
marks = ["label"]
wording.label = { "*" = ["Robot"] }
source = "minutes of our board, 3 March 2026"
checked = 2026-11-22
"""


def own_pack(cli: Cli, text: str = STRICTER) -> Path:
    folder = cli.data / "rules"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "agency.toml").write_text(text)
    return folder / "agency.toml"


class TestShow:
    def test_every_rule_and_every_switch_with_source_and_day(self, bare: Cli) -> None:
        shown = bare("rules", "show", "--json").json
        assert {rule["id"] for rule in shown["rules"]} >= {row.id for row in floor().laws}
        assert len(shown["surfaces"]) == len(floor().surfaces)
        for row in shown["rules"] + shown["surfaces"]:
            assert row["source"]
            assert date.fromisoformat(row["checked"])

    def test_for_people(self, bare: Cli) -> None:
        out = bare("rules", "show", "--platform", "tiktok", "--jurisdiction", "FR").out
        assert "fr.loi-2023-451.virtual" in out
        assert "post_info.is_aigc" in out
        assert "closed: TikTok's inbox" in out
        assert "us-ny" not in out
        assert "youtube" not in out

    def test_on_a_day(self, bare: Cli) -> None:
        def ids(day: str) -> set[str]:
            return {rule["id"] for rule in bare("rules", "show", "--at", day, "--json").json["rules"]}

        assert "eu.ai-act-50-2.legacy" not in ids("2026-12-01")
        assert "eu.ai-act-50-2.legacy" in ids("2026-12-02")

    @pytest.mark.parametrize(
        ("option", "value", "words"),
        [
            ("--platform", "myspace", "Known: bluesky"),
            ("--jurisdiction", "BR", "every rule holds there"),
            ("--at", "yesterday", "Write it as 2026-12-02"),
        ],
    )
    def test_what_is_unknown_is_said(self, bare: Cli, option: str, value: str, words: str) -> None:
        bare("rules", "show", option, value).refused(2, words)


class TestDiff:
    def test_what_begins_between_two_days(self, bare: Cli) -> None:
        found = bare("rules", "diff", "--from", "2026-12-01", "--to", "2027-02-02", "--json").json
        assert [(rule["begins"], rule["id"]) for rule in found] == [
            ("2026-12-02", "eu.ai-act-50-2.legacy"),
            ("2027-01-01", "us-ca.sb-942.platforms"),
            ("2027-02-02", "eu.code-of-practice.interoperability"),
        ]
        assert bare("rules", "diff", "--from", "2026-12-02", "--to", "2026-12-31").out == "Nothing changes.\n"

    def test_what_our_own_packs_add(self, bare: Cli) -> None:
        assert "No packs of your own" in bare("rules", "diff").out
        own_pack(bare)
        assert [rule["id"] for rule in bare("rules", "diff", "--json").json] == ["house.agency"]
        assert "Our agency's own rule" in bare("rules", "diff").out

    def test_half_a_question_is_refused(self, bare: Cli) -> None:
        bare("rules", "diff", "--from", "2026-12-02").refused(2, "both --from and --to")
        bare("rules", "diff", "--from", "2026-12-02", "--to", "2026-12-01").refused(2, "is before")


class TestCheck:
    def test_the_floor_is_in_order(self, bare: Cli) -> None:
        result = bare("rules", "check")
        assert (result.code, result.err) == (0, "")
        assert "0 to read again" in result.out

    def test_words_nobody_writes_are_found_before_they_keep_posts_back(self, bare: Cli) -> None:
        own_pack(bare)
        result = bare("rules", "check")
        result.refused(3, "want repair")
        assert "agency.toml house.agency: label: no de text of ours says “Robot”" in result.out

    def test_a_broken_pack_stops_every_answer_and_says_where(self, bare: Cli) -> None:
        pack = own_pack(bare, STRICTER.replace('marks = ["label"]', 'marks = ["halo"]'))
        for command in (("show",), ("diff",)):
            bare("rules", *command).refused(2, "agency.toml", "house.agency", f"Repair {pack}")
        result = bare("rules", "check", "--json")
        result.refused(3)
        assert "house.agency" in result.json[0]["problem"]


class TestExplain:
    def test_each_mark_has_its_law_its_source_and_its_measurement(self, studio: Cli, world: World) -> None:
        version = world.version(world.post())
        found = studio("rules", "explain", version.post_id, "--json").json
        [place] = found["places"]
        assert (found["version"], place["platform"], place["surface"]) == (1, "own_feed", "post")
        assert found["frozen_under"] == found["rules"]
        assert {one["required"]["mark"] for one in place["marks"]} >= {
            "label", "caption_line", "xmp", "aigc", "credentials", "watermark",
        }  # fmt: skip
        for one in place["marks"]:
            assert one["required"]["source"]
            assert date.fromisoformat(one["required"]["checked"])
            assert one["measured"]
            assert all(seen["ok"] and seen["tool"] for seen in one["measured"])

    def test_for_people(self, studio: Cli, world: World) -> None:
        version = world.version(world.post())
        out = studio("rules", "explain", version.post_id).out
        assert out.startswith("Onions  version 1, rule packs ")
        assert "audience: unknown, so every rule holds" in out
        assert "AI Act, Article 50(4)" in out
        assert "Regulation (EU) 2024/1689, article 50(4)" in out
        assert "checked 2026-11-22" in out
        assert "height_thousandths=" in out
        assert "MISSING" not in out
        assert "not measured yet" not in out

    def test_a_new_rule_nothing_was_measured_for_keeps_it_back_and_says_so(self, studio: Cli, world: World) -> None:
        version = world.version(world.post())
        own_pack(studio)
        found = studio("rules", "explain", version.post_id, "--json").json
        assert found["frozen_under"] != found["rules"]
        assert found["places"][0]["lacking"] == [
            "label: it must say “Robot” (house.agency), it says “AI Avatar of Maya”."
        ]
        assert "KEPT BACK  label: it must say “Robot”" in studio("rules", "explain", version.post_id).out

    def test_what_stands_on_the_request_is_measured_there(self, studio: Cli, world: World) -> None:
        post = world.post(sponsored="paid")
        world.sql("UPDATE channel SET platform = 'bluesky'")
        out = studio("rules", "explain", post.id).out
        assert "not rendered yet" in out
        assert "label  not measured yet" in out
        assert "platform_flag  on the request, just before it leaves" in out
        assert 'record.labels.values = {"val":"ai-generated"}' in out
        assert "sponsor_label  not measured yet" in out

    def test_what_is_kept_back_says_by_which_rule_and_the_way_out(self, studio: Cli, world: World) -> None:
        post = world.post()
        world.sql("DELETE FROM audit WHERE noun = 'avatar'")  # as added by a release that did not log its kind
        world.sql("UPDATE avatar SET performer = 'robot'")
        out = studio("rules", "explain", post.id).out
        assert (
            "KEPT BACK  No rules are known for performer “robot” on own_feed post. Choose one of: digital_twin" in out
        )
        assert "unknown.performer" in out

    def test_a_post_nobody_knows(self, studio: Cli) -> None:
        studio("rules", "explain", "nothing").refused(4)
