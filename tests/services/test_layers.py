"""What people are shown of the disclosure is what the gate would say, mark by mark."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from avatar_scheduler import rules
from avatar_scheduler.db.tables import Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.disclosure import Mark
from avatar_scheduler.services import layers, versions
from avatar_scheduler.services.cards import Layer
from avatar_scheduler.services.layers import Disclosed
from tests.world import Film, World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
"""Nothing is written here."""

MARKS = (Mark.label, Mark.caption_line, Mark.xmp, Mark.aigc, Mark.credentials, Mark.watermark)
SOON = """
[[rule]]
id = "agency.soon"
law = "Agency rule: nothing from then on"
begins = 2026-01-01
blocked = "No more avatars."
way_out = "Film it."
source = "Contract of 12 May 2026, section 4"
checked = 2026-11-20
"""
Change = Callable[[list[dict[str, Any]], Mark], list[dict[str, Any]]]


def of(world: World, version: Version, change: Change | None = None, mark: Mark = Mark.label) -> Disclosed:
    manifest = versions.read(version)
    if change:
        manifest = replace(manifest, data={**manifest.data, "evidence": change(manifest.data["evidence"], mark)})
    with world.read() as session:
        return layers.of_version(session, world.settings, manifest, [world.delivery(version)], world.now)


def states(found: Disclosed) -> dict[str, str]:
    return {layer.mark: layer.state for layer in found.layers}


def without(evidence: list[dict[str, Any]], mark: Mark) -> list[dict[str, Any]]:
    return [e for e in evidence if e["mark"] != mark]


def failed(evidence: list[dict[str, Any]], mark: Mark) -> list[dict[str, Any]]:
    return [{**e, "ok": False, "summary": "gone"} if e["mark"] == mark else e for e in evidence]


def of_another_file(evidence: list[dict[str, Any]], mark: Mark) -> list[dict[str, Any]]:
    return [{**e, "subject": "0" * 64} if e["mark"] == mark else e for e in evidence]


def of_another_post(evidence: list[dict[str, Any]], mark: Mark) -> list[dict[str, Any]]:
    return [{**e, "measured": {**e["measured"], "id": "ffffffff"}} if e["mark"] == mark else e for e in evidence]


def test_each_mark_once_with_who_asks_and_what_was_measured(world: World) -> None:
    found = of(world, world.version(world.post()))
    assert states(found) == {**dict.fromkeys(MARKS, "ready"), Mark.platform_flag: "not_offered"}
    label = next(layer for layer in found.layers if layer.mark == Mark.label)
    assert "eu.ai-act-50-4" in {asker.rule for asker in label.asked_by}
    assert label.tool
    assert int(dict(label.measured)["height_thousandths"]) >= 50


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("change", [without, failed, of_another_file])
def test_what_was_not_measured_on_this_file_is_missing(world: World, mark: Mark, change: Change) -> None:
    found = states(of(world, world.version(world.post()), change, mark))
    assert [name for name, state in found.items() if state == "missing"] == [mark]


@pytest.mark.parametrize("mark", [Mark.watermark, Mark.aigc])
def test_what_leads_to_another_post_is_missing(world: World, mark: Mark) -> None:
    assert states(of(world, world.version(world.post()), of_another_post, mark))[mark] == "missing"


def test_of_several_pictures_each_needs_its_own(world: World, stills: Film) -> None:
    version = world.version(world.post(template=stills.order["text"], form="stills"), stills)
    label = next(layer for layer in of(world, version).layers if layer.mark == Mark.label)
    assert label.detail.endswith("(3 of 3 pictures)")

    def one_less(evidence: list[dict[str, Any]], mark: Mark) -> list[dict[str, Any]]:
        last = [e for e in evidence if e["mark"] == mark][-1]
        return [e for e in evidence if e is not last]

    (bad,) = [layer for layer in of(world, version, one_less).layers if layer.state == "missing"]
    assert bad.mark == Mark.label
    assert "picture 3" in bad.detail


def test_a_version_nobody_asked_about_money_goes_nowhere(world: World) -> None:
    manifest = versions.read(version := world.version(world.post()))
    del manifest.data["sponsored"]
    with world.read() as session:
        found = layers.of_version(session, world.settings, manifest, [world.delivery(version)], world.now)
    assert found.stopped
    assert found.stopped.rule == "unknown.sponsored"
    assert states(found) == dict.fromkeys(MARKS, "ready")  # what was measured is still shown


def test_a_flag_waits_for_its_request(world: World) -> None:
    manifest = versions.read(version := world.version(world.post()))
    manifest.data["targets"][0]["platform"] = "bluesky"
    row = world.delivery(version)
    for state, shown in ((DeliveryState.waiting, "at_posting"), (DeliveryState.published, "ready")):
        row.state = state
        with world.read() as session:
            found = layers.of_version(session, world.settings, manifest, [row], world.now)
        flag = next(layer for layer in found.layers if layer.mark == Mark.platform_flag)
        assert (flag.state, "aigenerated" in flag.detail) == (shown, True)


def test_a_new_rule_holds_for_what_waits_and_not_for_what_is_out(world: World) -> None:
    manifest = versions.read(version := world.version(world.post(at="+120h")))
    folder = world.settings.data / "rules"
    folder.mkdir()
    (folder / "agency.toml").write_text(SOON.replace("2026-01-01", (world.now + timedelta(days=3)).date().isoformat()))
    row = world.delivery(version)
    for state, went, stopped in (
        (DeliveryState.waiting, None, True),
        (DeliveryState.published, world.now, False),
        (DeliveryState.published, row.due_at, True),
    ):
        row.state, row.published_at = state, went
        with world.read() as session:
            found = layers.of_version(session, world.settings, manifest, [row], world.now)
        assert bool(found.stopped) is stopped


def test_before_the_render_the_words_are_there(world: World) -> None:
    manifest = versions.read(world.version(world.post()))
    asked = manifest.check_marks(world.settings, "own_feed", (), world.now)
    texts = rules.texts("fr", form="video", name="Maya", sponsored="no")
    found: dict[str, Layer] = {layer.mark: layer for layer in layers.planned(asked, texts, ["own_feed"])}
    assert (found[Mark.label].state, found[Mark.caption_line].state) == ("after_render", "ready")
    assert "Images virtuelles" in found[Mark.label].detail
    assert found[Mark.caption_line].detail == texts.caption_line
    assert found[Mark.platform_flag].detail == "own_feed"
