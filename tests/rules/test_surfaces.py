"""The switches of every platform, written down a second time: a row that loses one in the data goes red here.

By hand from the platforms' documents (see the sources in surfaces.toml), last compared 2026-11-22.
"""

from avatar_scheduler import rules
from avatar_scheduler.domain.disclosure import Mark

AI, PAID = Mark.platform_flag, Mark.sponsor_flag
ALWAYS = "no own paid"
SWITCHES = {
    ("tiktok direct_video", "video", ALWAYS, AI, "post_info.is_aigc", "true"),
    ("tiktok direct_video", "video", "paid", PAID, "post_info.brand_content_toggle", "true"),
    ("tiktok direct_video", "video", "own", PAID, "post_info.brand_organic_toggle", "true"),
    ("tiktok photo", "carousel image", "paid", PAID, "post_info.brand_content_toggle", "true"),
    ("tiktok photo", "carousel image", "own", PAID, "post_info.brand_organic_toggle", "true"),
    ("tiktok_business video", "video", ALWAYS, AI, "post_info.is_ai_generated", "true"),
    ("tiktok_business video", "video", "paid", PAID, "post_info.is_branded_content", "true"),
    ("tiktok_business video", "video", "own", PAID, "post_info.is_brand_organic", "true"),
    ("tiktok_business photo", "carousel image", "paid", PAID, "post_info.is_branded_content", "true"),
    ("tiktok_business photo", "carousel image", "own", PAID, "post_info.is_brand_organic", "true"),
    ("youtube video", "video", ALWAYS, AI, "status.containsSyntheticMedia", "true"),
    ("youtube video", "video", "paid", PAID, "paidProductPlacementDetails.hasPaidProductPlacement", "true"),
    ("youtube live", "live", ALWAYS, AI, "status.containsSyntheticMedia", "true"),
    ("youtube live", "live", "paid", PAID, "paidProductPlacementDetails.hasPaidProductPlacement", "true"),
    ("instagram reel", "video", ALWAYS, AI, "is_ai_generated", "true"),
    ("instagram reel", "video", "paid", PAID, "is_paid_partnership", "true"),
    ("instagram image", "image", ALWAYS, AI, "is_ai_generated", "true"),
    ("instagram image", "image", "paid", PAID, "is_paid_partnership", "true"),
    ("instagram carousel", "carousel", ALWAYS, AI, "is_ai_generated", "true"),
    ("instagram carousel", "carousel", "paid", PAID, "is_paid_partnership", "true"),
    ("instagram story", "image video", ALWAYS, AI, "is_ai_generated", "true"),
    ("facebook video", "video", ALWAYS, AI, "is_ai_generated", "true"),
    ("facebook reel", "video", ALWAYS, AI, "is_ai_generated", "true"),
    ("facebook story", "video", ALWAYS, AI, "is_ai_generated", "true"),
    ("x post", "carousel image video", ALWAYS, AI, "made_with_ai", "true"),
    ("x post", "carousel image video", "paid", PAID, "paid_partnership", "true"),
    ("x post", "text", "paid", PAID, "paid_partnership", "true"),
    ("pinterest pin", "carousel image video", ALWAYS, AI, "ai_disclosures", '"AI_MODIFIED"'),
    ("bluesky post", "carousel image text video", ALWAYS, AI, "record.labels.values", '{"val":"ai-generated"}'),
    ("bluesky post", "carousel image text video", ALWAYS, AI, "record.tags", '"aigenerated"'),
    ("twitch live", "live", ALWAYS, AI, "tags", '"AIGenerated"'),
    ("twitch live", "live", "paid", PAID, "is_branded_content", "true"),
}
CLOSED = {
    ("tiktok inbox", "carousel image video", ALWAYS),
    ("tiktok shop_live", "live", ALWAYS),
    ("tiktok_business draft", "carousel image video", ALWAYS),
    ("douyin unattended_live", "live", ALWAYS),
    ("instagram story", "image video", "paid"),
}


def test_every_switch_is_in_the_rules_and_no_other() -> None:
    found = {
        (*_where(rule.platforms, rule.surfaces, rule.media, rule.sponsored), demand.mark, demand.field, demand.value)
        for rule in rules.book().rules
        for demand in rule.demands
        if demand.field
    }
    assert found == SWITCHES


def test_every_closed_way_is_in_the_rules_and_no_other() -> None:
    closed = (rule for rule in rules.book().rules if rule.blocked)
    assert {_where(rule.platforms, rule.surfaces, rule.media, rule.sponsored) for rule in closed} == CLOSED


def _where(
    platforms: frozenset[str], surfaces: frozenset[str], media: frozenset[str], sponsored: frozenset[str]
) -> tuple[str, str, str]:
    [platform], [surface] = platforms, surfaces
    return f"{platform} {surface}", " ".join(sorted(media)), " ".join(sorted(sponsored))
