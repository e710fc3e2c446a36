from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from avatar_scheduler import rules
from avatar_scheduler.domain.consent import PERFORMERS
from avatar_scheduler.domain.disclosure import MEDIA, SPONSORED, Blocked, Content, Mark, Place, RequiredMark, unproven
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.rulebook import Rule, RuleBook, decide
from avatar_scheduler.publishers import platforms as publishers
from avatar_scheduler.rules.books import book, floor, reach
from avatar_scheduler.rules.packs import SurfaceRow
from tests.rules.cases import AUDIENCES, CAPTION, LATER, Case, audience, cases, contents, proofs

PICTURE = Content("video", "fictional", "no", "en")
AD = replace(PICTURE, sponsored="paid")
HERE = Place("own_feed", "post")
UNKNOWN: frozenset[str] = frozenset()
HOUSE = {"label", "caption_line", "xmp", "aigc", "credentials", "watermark"}


def ask(content: Content, place: Place, *where: str, at: datetime = LATER) -> list[RequiredMark]:
    said = decide(content, place, frozenset(where), at, book())
    assert not isinstance(said, Blocked), said
    return said


def refusal(content: Content, place: Place, *where: str) -> Blocked:
    said = decide(content, place, frozenset(where), LATER, book())
    assert isinstance(said, Blocked), said
    return said


def ids(required: Iterable[RequiredMark]) -> set[str]:
    return {one.rule for one in required}


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class TestDates:
    @pytest.mark.parametrize(
        ("rule", "day"),
        [
            ("us-ny.gbl-396-b", date(2026, 6, 9)),
            ("eu.ai-act-50-2", date(2026, 8, 2)),
            ("eu.ai-act-50-4", date(2026, 8, 2)),
            ("us-ca.sb-942", date(2026, 8, 2)),
            ("eu.ai-act-50-2.legacy", date(2026, 12, 2)),
            ("us-ca.sb-942.platforms", date(2027, 1, 1)),
            ("eu.code-of-practice.interoperability", date(2027, 2, 2)),
            ("instagram.reel.video", date(2026, 6, 22)),
            ("fr.loi-2023-451.virtual", date(2024, 11, 8)),
            ("in.it-rules-2026.label", date(2026, 2, 20)),
        ],
    )
    def test_a_rule_begins_on_its_day_and_not_the_day_before(self, rule: str, day: date) -> None:
        place = Place("instagram", "reel")
        assert rule in ids(ask(AD, place, at=midnight(day)))
        assert rule not in ids(ask(AD, place, at=midnight(day - timedelta(days=1))))

    def test_a_day_begins_where_it_begins_first(self) -> None:
        """Kiritimati is fourteen hours ahead: at ten in the morning in Greenwich it is tomorrow there."""
        eve = datetime(2026, 8, 1, 10, tzinfo=UTC)
        assert "eu.ai-act-50-4" in ids(ask(PICTURE, HERE, "EU", at=eve))
        assert "eu.ai-act-50-4" not in ids(ask(PICTURE, HERE, "EU", at=eve - timedelta(microseconds=1)))

    def test_the_clock_on_the_wall_changes_nothing(self) -> None:
        eve = datetime(2026, 8, 1, 10, tzinfo=UTC)
        for hours in (-11, 9):
            assert ask(AD, HERE, at=eve) == ask(AD, HERE, at=eve.astimezone(timezone(timedelta(hours=hours))))

    def test_a_time_without_a_zone_is_refused(self) -> None:
        with pytest.raises(ValueError, match="zone"):
            decide(AD, HERE, UNKNOWN, datetime(2026, 8, 1), book())  # noqa: DTZ001

    def test_before_every_law_the_house_still_marks_everything(self) -> None:
        assert {one.mark for one in ask(PICTURE, HERE, at=midnight(date(2000, 1, 2)))} == HOUSE

    def test_before_the_house_nothing_leaves_at_all(self) -> None:
        said = decide(PICTURE, HERE, UNKNOWN, midnight(date(1999, 1, 1)), book())
        assert isinstance(said, Blocked)
        assert said.rule == "unknown.rule"


class TestAudience:
    def test_nobody_knows_means_all_of_them(self) -> None:
        everything = ids(ask(AD, HERE))
        for code in AUDIENCES:
            assert ids(ask(AD, HERE, *audience(code))) <= everything
        assert {"fr.loi-2023-451.commercial", "us-ny.gbl-396-b", "cn.gb-45438.implicit", "gb.cap-code"} <= everything

    @pytest.mark.parametrize("code", ["BR", "US-TX", "Frankreich", "fr", ""])
    def test_somebody_nobody_can_place_means_all_of_them(self, code: str) -> None:
        assert ask(AD, HERE, "FR", code) == ask(AD, HERE)

    def test_a_member_has_its_own_rules_and_those_of_the_union(self) -> None:
        french, german, union = (ids(ask(AD, HERE, code)) for code in ("FR", "DE", "EU"))
        assert {"fr.loi-2023-451.virtual", "eu.ai-act-50-4"} <= french
        assert "fr.loi-2023-451.virtual" not in german
        assert "fr.loi-2023-451.virtual" in union, "who says EU may mean France"

    def test_a_state_has_its_own_rules_and_those_of_its_country(self) -> None:
        york, coast, country = (ids(ask(AD, HERE, code)) for code in ("US-NY", "US-CA", "US"))
        assert {"us-ny.gbl-396-b", "us.ftc-255.seen"} <= york
        assert "us-ca.sb-942" not in york
        assert "us-ny.gbl-396-b" not in coast
        assert york | coast == country

    def test_several_audiences_have_the_rules_of_each(self) -> None:
        assert ids(ask(AD, HERE, "FR", "KR")) == ids(ask(AD, HERE, "FR")) | ids(ask(AD, HERE, "KR"))

    def test_the_kingdom_answers_to_both_its_codes(self) -> None:
        assert ask(AD, HERE, "UK") == ask(AD, HERE, "GB")

    def test_the_union_has_its_27_members(self) -> None:
        assert len(floor().places["EU"].members) == 27
        assert len(reach(floor().places)) == 27 + 1 + 3 + 5

    def test_drafts_are_listed_and_demand_nothing(self) -> None:
        drafts = {rule.id for rule in book().rules if rule.draft}
        assert drafts == {"es.draft-ai-law", "dk.draft-likeness-right", "kr.kftc-virtual-persona"}
        assert not drafts & ids(ask(AD, HERE))


class TestNewYork:
    @pytest.mark.parametrize("performer", sorted(PERFORMERS))
    @pytest.mark.parametrize("sponsored", SPONSORED)
    def test_only_ads_with_somebody_who_does_not_exist(self, performer: str, sponsored: str) -> None:
        found = ids(ask(Content("video", performer, sponsored, "en"), HERE, "US-NY"))
        assert ("us-ny.gbl-396-b" in found) == (performer == "fictional" and sponsored != "no")

    def test_audio_only_is_exempt(self) -> None:
        assert all("audio" not in rule.media for rule in book().rules if rule.where == "US-NY")


class TestWording:
    def test_french_ads_say_the_words_of_the_statute_on_the_picture(self) -> None:
        required = ask(replace(AD, language="fr-CA"), HERE, "FR")
        said = {one.wording for one in required if one.rule.startswith("fr.")}
        assert said == {("Images virtuelles",), ("Publicité", "Collaboration commerciale")}

    def test_american_ads_say_it_where_the_claim_is_made(self) -> None:
        assert {one.mark for one in ask(AD, HERE, "US") if one.rule.startswith("us.ftc")} == {
            Mark.sponsor_label, Mark.sponsor_line, Mark.spoken,
        }  # fmt: skip
        still = ask(replace(AD, media="image"), HERE, "US")
        assert Mark.spoken not in {one.mark for one in still}, "a picture makes no claim aloud"

    @pytest.mark.parametrize("language", rules.languages())
    @pytest.mark.parametrize("code", AUDIENCES)
    def test_what_we_write_says_what_every_rule_wants(self, language: str, code: str) -> None:
        book_with_radio = RuleBook(
            book().rules, {Place("radio", "hour"): frozenset(MEDIA)}, PERFORMERS, book().reach, "test"
        )
        for media in MEDIA:
            for content in contents(media, language):
                place = Place("radio", "hour")
                required = decide(content, place, audience(code), LATER, book_with_radio)
                assert not isinstance(required, Blocked)
                case = Case(content, place, code, tuple(required))
                assert unproven(required, proofs(case), media=case.files, caption=CAPTION) == []

    def test_the_label_is_asked_for_as_high_as_the_strictest_standard_wants(self) -> None:
        heights = {one.height_thousandths for one in ask(PICTURE, HERE) if one.mark is Mark.label}
        assert max(heights) == 50


class TestFloor:
    @pytest.mark.parametrize("platform", rules.known_platforms())
    def test_every_picture_anywhere_has_all_layers(self, platform: str) -> None:
        for case in cases(book(), platform):
            marks = {one.mark.value for one in case.required}
            paid = case.content.sponsored != "no"
            if case.content.media in ("video", "image", "carousel"):
                assert marks >= HOUSE
            if case.content.media in ("audio", "live"):
                assert "spoken" in marks
            assert ("sponsor_line" in marks) == paid
            assert "caption_line" in marks


ROWS = {row.id: row for row in floor().surfaces}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
class TestEveryRowOfThePlatformTable:
    def test_it_blocks_or_asks_for_its_switches(self, row: SurfaceRow) -> None:
        for media in row.media:
            for content in contents(media, "en"):
                said = decide(content, row.place, UNKNOWN, LATER, book())
                if row.blocked and content.sponsored in row.sponsored:
                    assert isinstance(said, Blocked)
                    assert (said.rule, said.reason, said.way_out) == (row.id, row.blocked, row.way_out)
                elif not row.blocked and not isinstance(said, Blocked):
                    flags = [one.field for one in said if one.mark is Mark.platform_flag]
                    money = [one.field for one in said if one.mark is Mark.sponsor_flag]
                    asked = {"paid": row.paid, "own": row.own}.get(content.sponsored, [])
                    assert flags == [flag.field for flag in row.flags]
                    assert money == [flag.field for flag in asked]

    def test_our_own_choice_is_a_way_that_is_open(self, row: SurfaceRow) -> None:
        for media in row.media:
            assert ask(
                Content(media, "digital_twin", "no", "en"), Place(row.platform, rules.surface(row.platform, media))
            )


class TestPlatforms:
    @pytest.mark.parametrize(
        ("platform", "surface", "media", "sponsored", "flags"),
        [
            ("tiktok", "direct_video", "video", "no", {"post_info.is_aigc": "true"}),
            (
                "tiktok",
                "direct_video",
                "video",
                "own",
                {"post_info.is_aigc": "true", "post_info.brand_organic_toggle": "true"},
            ),
            ("tiktok", "photo", "carousel", "paid", {"post_info.brand_content_toggle": "true"}),
            ("tiktok_business", "video", "video", "no", {"post_info.is_ai_generated": "true"}),
            ("youtube", "video", "video", "no", {"status.containsSyntheticMedia": "true"}),
            ("youtube", "live", "live", "no", {"status.containsSyntheticMedia": "true"}),
            ("instagram", "carousel", "carousel", "paid", {"is_ai_generated": "true", "is_paid_partnership": "true"}),
            ("facebook", "reel", "video", "paid", {"is_ai_generated": "true"}),
            ("facebook", "photo", "image", "no", {}),
            ("facebook", "live", "live", "no", {}),
            ("x", "post", "video", "paid", {"made_with_ai": "true", "paid_partnership": "true"}),
            ("x", "post", "text", "no", {}),
            ("pinterest", "pin", "image", "no", {"ai_disclosures": '"AI_MODIFIED"'}),
            (
                "bluesky",
                "post",
                "video",
                "no",
                {"record.labels.values": '{"val":"ai-generated"}', "record.tags": '"aigenerated"'},
            ),
            ("twitch", "live", "live", "paid", {"tags": '"AIGenerated"', "is_branded_content": "true"}),
            ("threads", "post", "video", "no", {}),
            ("linkedin", "post", "video", "no", {}),
            ("mastodon", "post", "video", "no", {}),
            ("reddit", "post", "video", "no", {}),
            ("own_feed", "post", "carousel", "own", {}),
        ],
    )
    def test_the_switch_is_where_the_platform_has_it(
        self, platform: str, surface: str, media: str, sponsored: str, flags: dict[str, str]
    ) -> None:
        required = ask(Content(media, "digital_twin", sponsored, "en"), Place(platform, surface))
        assert {one.field: one.value for one in required if one.field} == flags

    @pytest.mark.parametrize(
        ("platform", "surface", "media", "sponsored", "reason"),
        [
            ("tiktok", "inbox", "video", "no", "forgets every field"),
            ("tiktok_business", "draft", "carousel", "no", "draft"),
            ("tiktok", "shop_live", "live", "own", "AI-generated voices"),
            ("douyin", "unattended_live", "live", "no", "no person drives"),
            ("instagram", "story", "image", "paid", "does not exist for stories"),
        ],
    )
    def test_a_way_that_cannot_be_marked_is_closed_and_says_what_to_do(
        self, platform: str, surface: str, media: str, sponsored: str, reason: str
    ) -> None:
        said = refusal(Content(media, "digital_twin", sponsored, "en"), Place(platform, surface))
        assert reason in said.reason
        assert said.source
        assert said.way_out

    @pytest.mark.parametrize(
        ("content", "place", "rule"),
        [
            (PICTURE, Place("myspace", "post"), "unknown.platform"),
            (PICTURE, Place("tiktok", "duet"), "unknown.surface"),
            (replace(PICTURE, media="hologram"), HERE, "unknown.media"),
            (replace(PICTURE, media="audio"), HERE, "unknown.media"),
            (replace(PICTURE, performer=""), HERE, "unknown.performer"),
            (replace(PICTURE, performer="human"), HERE, "unknown.performer"),
            (replace(PICTURE, sponsored=""), HERE, "unknown.sponsored"),
            (replace(PICTURE, sponsored="yes"), HERE, "unknown.sponsored"),
        ],
    )
    def test_what_nobody_knows_is_kept_back(self, content: Content, place: Place, rule: str) -> None:
        said = refusal(content, place)
        assert said.rule == rule
        assert said.source
        assert said.way_out.startswith("Choose one of: ")

    def test_every_platform_we_publish_to_is_here_with_the_media_we_make(self) -> None:
        for platform in publishers():
            for media in ("video", "image", "carousel"):
                assert ask(Content(media, "digital_twin", "no", "en"), Place(platform, rules.surface(platform, media)))

    def test_the_surface_we_use(self) -> None:
        assert rules.surface("own_feed", "carousel") == "post"
        assert rules.surface("tiktok", "video") == "direct_video"
        assert rules.surface("tiktok", "live") == "live"
        assert rules.surface("instagram", "image") == "image"
        with pytest.raises(Invalid, match=r"“myspace” is told of AI. Known: bluesky"):
            rules.surface("myspace", "video")
        with pytest.raises(Invalid, match=r"youtube takes no image. It takes: live, video"):
            rules.surface("youtube", "image")


def test_a_block_outranks_whatever_else_is_asked_for() -> None:
    first = book().rules[0]
    blocks = Rule(
        "zz.blocks", "law", "a source", date(2026, 1, 1), date(2026, 1, 1), frozenset({"video"}), PERFORMERS,
        frozenset(SPONSORED), blocked="No.", way_out="Do not.",
    )  # fmt: skip
    one = RuleBook([first, blocks], {HERE: frozenset({"video"})}, PERFORMERS, {}, "test")
    assert decide(PICTURE, HERE, UNKNOWN, LATER, one) == Blocked("zz.blocks", "No.", "a source", "Do not.")
